/**
 * Walks a syntax tree over data and writes text.
 * Errors say what Go's text/template says, with the node that was being evaluated:
 * `template: NAME:LINE:COLUMN: executing "NAME" at <.Foo>: can't evaluate field Foo in type T`.
 */
import { EngineError } from '../../../core/errors.ts';
import { formatValue } from './format.ts';
import { FunctionError, FUNCTIONS, type Parameter, type TemplateFunction } from './functions.ts';
import { nodeText, type AnyNode, type Command, type NumberNode, type Operand, type Pipeline, type Statement, type Tree } from './nodes.ts';
import { GoFloat, isStruct, isTrue, memberOf, sortedEntries, typeName, type Method } from './value.ts';

/** Templates may call themselves; Go stops at 100,000, our stack sooner. */
const MAX_TEMPLATE_DEPTH = 500;
/** Characters of output; a template that makes more is a mistake, and V8 strings end at 2^29. */
const MAX_OUTPUT = 1 << 28;

/** What the last stage of a pipeline handed over, if there was one. */
type Final = { readonly value: unknown } | undefined;

interface Variable {
  readonly name: string;
  value: unknown;
}

/** Thrown through loops by `{{break}}` and `{{continue}}`. */
const BREAK = Symbol('break');
const CONTINUE = Symbol('continue');

/** Throws INVALID_TEMPLATE. */
export function evaluate(name: string, tree: Tree, data: unknown): string {
  return new Evaluator(name, tree).run(data);
}

class Evaluator {
  readonly #name: string;
  readonly #tree: Tree;
  readonly #out: string[] = [];
  #size = 0;
  #variables: Variable[] = [];
  #node: AnyNode | undefined;
  #template: string;
  #depth = 0;

  constructor(name: string, tree: Tree) {
    this.#name = name;
    this.#template = name;
    this.#tree = tree;
  }

  run(data: unknown): string {
    this.#variables = [{ name: '$', value: data }];
    this.#walk(data, this.#tree.body);
    return this.#out.join('');
  }

  #walk(dot: unknown, list: readonly Statement[]): void {
    for (const statement of list) this.#statement(dot, statement);
  }

  #statement(dot: unknown, statement: Statement): void {
    this.#node = statement;
    switch (statement.kind) {
      case 'text':
        return this.#write(statement.text);
      case 'action': {
        const value = this.#pipeline(dot, statement.pipeline);
        if (statement.pipeline.variables.length === 0) this.#write(value === undefined ? '<no value>' : formatValue(value));
        return undefined;
      }
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipeline(dot, statement.pipeline);
          if (isTrue(value)) this.#walk(statement.kind === 'with' ? value : dot, statement.body);
          else this.#walk(dot, statement.otherwise);
        });
      case 'range':
        return this.#scoped(() => this.#range(dot, statement.pipeline, statement.body, statement.otherwise));
      case 'template':
        return this.#call(dot, statement);
      case 'break':
        throw BREAK;
      case 'continue':
        throw CONTINUE;
    }
  }

  #range(dot: unknown, pipeline: Pipeline, body: readonly Statement[], otherwise: readonly Statement[]): void {
    const value = this.#pipeline(dot, pipeline);
    const mark = this.#variables.length;
    let isEmpty = true;
    for (const [key, item] of this.#items(value, pipeline)) {
      isEmpty = false;
      this.#setLoopVariables(pipeline, key, item);
      try {
        this.#walk(item, body);
      } catch (jump) {
        if (jump === BREAK) break;
        if (jump !== CONTINUE) throw jump;
      } finally {
        this.#variables.length = mark;
      }
    }
    if (isEmpty) this.#walk(dot, otherwise);
  }

  #items(value: unknown, pipeline: Pipeline): Iterable<[unknown, unknown]> {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.entries();
    if (value instanceof Map) return sortedEntries(value);
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.#error(`range can't iterate over ${formatValue(value)}`);
    if (pipeline.variables.length > 1) throw this.#error(`can't use ${value} to iterate over more than one variable`);
    return countTo(value);
  }

  /** With one variable it is the element, with two the key comes first. `:=` made them in the pipeline; `=` sets older ones. */
  #setLoopVariables(pipeline: Pipeline, key: unknown, item: unknown): void {
    const values = pipeline.variables.length > 1 ? [key, item] : [item];
    for (const [place, name] of pipeline.variables.entries()) this.#variable(name).value = values[place];
  }

  #call(dot: unknown, statement: Extract<Statement, { kind: 'template' }>): void {
    const body = this.#tree.definitions.get(statement.name);
    if (body === undefined) throw this.#error(`template ${JSON.stringify(statement.name)} not defined`);
    if (++this.#depth > MAX_TEMPLATE_DEPTH) throw this.#error(`exceeded maximum template depth (${MAX_TEMPLATE_DEPTH})`);
    const value = statement.pipeline ? this.#pipeline(dot, statement.pipeline) : undefined;
    const outside = { variables: this.#variables, template: this.#template };
    this.#variables = [{ name: '$', value }];
    this.#template = statement.name;
    this.#walk(value, body);
    this.#variables = outside.variables;
    this.#template = outside.template;
    this.#depth--;
  }

  /** Variables made inside are forgotten afterwards. */
  #scoped(work: () => void): void {
    const mark = this.#variables.length;
    try {
      work();
    } finally {
      this.#variables.length = mark;
    }
  }

  #pipeline(dot: unknown, pipeline: Pipeline): unknown {
    this.#node = pipeline;
    let final: Final;
    for (const command of pipeline.commands) final = { value: this.#command(dot, command, final) };
    const value = final?.value;
    for (const name of pipeline.variables) {
      if (pipeline.assign) this.#variable(name).value = value;
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #command(dot: unknown, command: Command, final: Final): unknown {
    const [first, ...args] = command.args;
    switch (first.kind) {
      case 'field':
        return this.#field(dot, first, args, final);
      case 'chain':
        return this.#chain(dot, first, args, final);
      case 'function':
        return this.#function(dot, first, command, args, final);
      case 'variable':
        return this.#variableNode(dot, first, args, final);
      case 'pipeline':
        this.#refuseArguments(first, args, final);
        return this.#pipeline(dot, first);
      default:
        this.#node = first;
        this.#refuseArguments(first, args, final);
        if (first.kind === 'nil') throw this.#error('nil is not a command');
        return this.#constant(dot, first);
    }
  }

  #refuseArguments(node: Operand, args: readonly Operand[], final: Final): void {
    if (args.length > 0 || final) throw this.#error(`can't give argument to non-function ${nodeText(node)}`);
  }

  #constant(dot: unknown, node: Operand): unknown {
    if (node.kind === 'dot') return dot;
    if (node.kind === 'number') return this.#number(node);
    return node.kind === 'bool' || node.kind === 'string' ? node.value : undefined;
  }

  #number(node: NumberNode): unknown {
    if (node.floating) return new GoFloat(node.float ?? 0);
    if (node.int === undefined) throw this.#error(`${node.text} overflows int`);
    return node.int;
  }

  #field(dot: unknown, node: Extract<Operand, { kind: 'field' }>, args: readonly Operand[], final: Final): unknown {
    this.#node = node;
    return this.#path(dot, dot, node.path, node, args, final);
  }

  #chain(dot: unknown, node: Extract<Operand, { kind: 'chain' }>, args: readonly Operand[], final: Final): unknown {
    this.#node = node;
    return this.#path(dot, this.#argument(dot, node.base, 'any'), node.path, node, args, final);
  }

  #variableNode(dot: unknown, node: Extract<Operand, { kind: 'variable' }>, args: readonly Operand[], final: Final): unknown {
    this.#node = node;
    const [name, ...path] = node.path;
    const { value } = this.#variable(name);
    if (path.length > 0) return this.#path(dot, value, path, node, args, final);
    this.#refuseArguments(node, args, final);
    return value;
  }

  /** `.A.B.C`: only the last one gets the arguments. */
  #path(dot: unknown, start: unknown, path: readonly string[], node: AnyNode, args: readonly Operand[], final: Final): unknown {
    let value = start;
    for (const [place, name] of path.entries()) {
      const isLast = place === path.length - 1;
      value = this.#member(dot, value, name, node, isLast ? args : [], isLast ? final : undefined);
    }
    return value;
  }

  #member(dot: unknown, owner: unknown, name: string, node: AnyNode, args: readonly Operand[], final: Final): unknown {
    if (owner === undefined) return undefined;
    if (owner === null) throw this.#error(`nil pointer evaluating interface {}.${name}`);
    const hasArguments = args.length > 0 || final !== undefined;
    if (owner instanceof Map) {
      if (hasArguments) throw this.#error(`${name} is not a method but has arguments`);
      return owner.get(name);
    }
    const member = isStruct(owner) ? memberOf(owner, name) : undefined;
    if (member?.kind === 'method') return this.#method(dot, member.call, name, node, args, final);
    if (member?.kind !== 'field') throw this.#error(`can't evaluate field ${name} in type ${typeName(owner)}`);
    if (hasArguments) throw this.#error(`${name} has arguments but cannot be invoked as function`);
    return member.value;
  }

  #method(dot: unknown, call: Method, name: string, node: AnyNode, args: readonly Operand[], final: Final): unknown {
    const parameters: readonly Parameter[] = Array.from({ length: call.length }, () => 'string');
    return this.#apply(dot, { parameters, call }, name, node, args, final);
  }

  #function(dot: unknown, node: Extract<Operand, { kind: 'function' }>, whole: AnyNode, args: readonly Operand[], final: Final): unknown {
    this.#node = node;
    return this.#apply(dot, FUNCTIONS.get(node.name)!, node.name, whole, args, final);
  }

  #apply(dot: unknown, target: TemplateFunction, name: string, node: AnyNode, args: readonly Operand[], final: Final): unknown {
    const { parameters, rest } = target;
    const count = args.length + (final ? 1 : 0);
    if (count < parameters.length || (rest === undefined && count > parameters.length)) {
      throw this.#error(`wrong number of args for ${name}: want ${rest ? 'at least ' : ''}${parameters.length} got ${count}`);
    }
    if (name === 'and' || name === 'or') return this.#shortCircuit(dot, name === 'or', args, final);
    const values = args.map((arg, place) => this.#argument(dot, arg, parameters[place] ?? rest ?? 'any'));
    if (final) values.push(this.#checked(final.value, parameters[args.length] ?? rest ?? 'any'));
    try {
      return target.call(...(values as never[]));
    } catch (error) {
      if (!(error instanceof FunctionError) && !(error instanceof RangeError)) throw error;
      this.#node = node;
      throw this.#error(`error calling ${name}: ${error.message}`);
    }
  }

  #shortCircuit(dot: unknown, stopAt: boolean, args: readonly Operand[], final: Final): unknown {
    let value: unknown;
    for (const arg of args) {
      value = this.#argument(dot, arg, 'any');
      if (isTrue(value) === stopAt) return value;
    }
    return final ? final.value : value;
  }

  #argument(dot: unknown, node: Operand, parameter: Parameter): unknown {
    this.#node = node;
    switch (node.kind) {
      case 'dot':
        return this.#checked(dot, parameter);
      case 'nil':
        if (parameter === 'string' || parameter === 'int') throw this.#error(`cannot assign nil to ${GO_TYPE[parameter]}`);
        return parameter === 'strings' ? [] : null;
      case 'field':
        return this.#checked(this.#field(dot, node, [], undefined), parameter);
      case 'variable':
        return this.#checked(this.#variableNode(dot, node, [], undefined), parameter);
      case 'pipeline':
        return this.#checked(this.#pipeline(dot, node), parameter);
      case 'function':
        return this.#checked(this.#function(dot, node, node, [], undefined), parameter);
      case 'chain':
        return this.#checked(this.#chain(dot, node, [], undefined), parameter);
      default:
        return this.#constantArgument(dot, node, parameter);
    }
  }

  #constantArgument(dot: unknown, node: Operand, parameter: Parameter): unknown {
    if (parameter === 'any') return this.#constant(dot, node);
    if (parameter === 'string' && node.kind === 'string') return node.value;
    if (parameter === 'int' && node.kind === 'number' && typeof node.int === 'number') return node.int;
    const text = nodeText(node);
    if (parameter === 'strings') throw this.#error(`can't handle ${text} for arg of type []string`);
    throw this.#error(`expected ${parameter === 'int' ? 'integer' : 'string'}; found ${text}`);
  }

  /** A computed value where a parameter wants a type. */
  #checked(value: unknown, parameter: Parameter): unknown {
    if (parameter === 'any') return value;
    const type = GO_TYPE[parameter];
    if (value === undefined || value === null) {
      if (parameter === 'strings') return [];
      throw this.#error(`invalid value; expected ${type}`);
    }
    if (FITS[parameter](value)) return value;
    throw this.#error(`wrong type for value; expected ${type}; got ${typeName(value)}`);
  }

  #variable(name: string): Variable {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (found === undefined) throw this.#error(`undefined variable: ${name}`);
    return found;
  }

  #write(text: string): void {
    this.#size += text.length;
    if (this.#size > MAX_OUTPUT) throw this.#error('output too long');
    this.#out.push(text);
  }

  #error(message: string): EngineError {
    const node = this.#node;
    const executing = `executing ${JSON.stringify(this.#template)}`;
    if (node === undefined) return new EngineError('INVALID_TEMPLATE', `template: ${this.#name}: ${message}`);
    return new EngineError(
      'INVALID_TEMPLATE',
      `template: ${this.#name}:${position(this.#tree.source, node.at)}: ${executing} at <${nodeText(node)}>: ${message}`,
    );
  }
}

const GO_TYPE = { string: 'string', int: 'int', strings: '[]string' } as const;

const FITS = {
  string: (value: unknown): boolean => typeof value === 'string',
  int: (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value),
  strings: (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string'),
} as const;

function* countTo(limit: number): Iterable<[number, number]> {
  for (let count = 0; count < limit; count++) yield [count, count];
}

/** `LINE:COLUMN`; the line counts from 1, the column in bytes from 0. */
function position(source: string, at: number): string {
  const before = source.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return `${before.split('\n').length}:${Buffer.byteLength(before.slice(lineStart))}`;
}
