/** The syntax tree of a template, and the text of its parts as error messages show it. */

/** Offset of a node in the template's source, in UTF-16 units. */
interface Placed {
  readonly at: number;
}

export type Operand =
  | (Placed & { readonly kind: 'dot' })
  | (Placed & { readonly kind: 'nil' })
  | (Placed & { readonly kind: 'bool'; readonly value: boolean })
  | (Placed & { readonly kind: 'string'; readonly quoted: string; readonly value: string })
  | NumberNode
  | (Placed & { readonly kind: 'field'; readonly path: readonly string[] })
  | (Placed & { readonly kind: 'variable'; readonly path: readonly [string, ...string[]] })
  | (Placed & { readonly kind: 'function'; readonly name: string })
  | (Placed & { readonly kind: 'chain'; readonly base: Operand; readonly path: readonly string[] })
  | Pipeline;

/** A constant as Go keeps it: one text that may serve as an int and as a float. */
export interface NumberNode extends Placed {
  readonly kind: 'number';
  readonly text: string;
  readonly int?: number | bigint;
  readonly float?: number;
  /** True where the constant is a float64 when nothing else is asked for: it is written with a point or an exponent. */
  readonly floating: boolean;
}

export interface Command extends Placed {
  readonly kind: 'command';
  readonly args: readonly [Operand, ...Operand[]];
}

export interface Pipeline extends Placed {
  readonly kind: 'pipeline';
  readonly assign: boolean;
  readonly variables: readonly string[];
  readonly commands: readonly Command[];
}

export type Statement =
  | (Placed & { readonly kind: 'text'; readonly text: string })
  | (Placed & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (Placed & {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    })
  | (Placed & { readonly kind: 'template'; readonly name: string; readonly pipeline?: Pipeline })
  | (Placed & { readonly kind: 'break' | 'continue' });

export interface Tree {
  readonly source: string;
  readonly body: readonly Statement[];
  readonly definitions: ReadonlyMap<string, readonly Statement[]>;
}

export type AnyNode = Operand | Command | Statement;

/** The node as it would be written, spaces normalised. */
export function nodeText(node: AnyNode): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'string':
      return node.quoted;
    case 'number':
      return node.text;
    case 'field':
      return `.${node.path.join('.')}`;
    case 'variable':
      return node.path.join('.');
    case 'function':
      return node.name;
    case 'chain':
      return `${operandText(node.base)}.${node.path.join('.')}`;
    case 'command':
      return node.args.map(operandText).join(' ');
    case 'pipeline':
      return pipelineText(node);
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipeline ? ` ${pipelineText(node.pipeline)}` : ''}}}`;
    case 'action':
      return `{{${pipelineText(node.pipeline)}}}`;
    case 'text':
      return node.text;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    default:
      return `{{${node.kind} ${pipelineText(node.pipeline)}}}`;
  }
}

function pipelineText(node: Pipeline): string {
  const declared = node.variables.length > 0 ? `${node.variables.join(', ')} ${node.assign ? '=' : ':='} ` : '';
  return declared + node.commands.map(nodeText).join(' | ');
}

function operandText(node: Operand): string {
  return node.kind === 'pipeline' ? `(${pipelineText(node)})` : nodeText(node);
}
