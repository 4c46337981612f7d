/**
 * Turns tokens into a syntax tree, by recursive descent. Nesting is bounded, so a hostile template cannot exhaust the stack.
 * Errors are worded as Go's text/template/parse words them: `template: NAME:LINE: MESSAGE`.
 */
import { EngineError } from '../../../core/errors.ts';
import { tokenize, type Token, type TokenKind } from './lexer.ts';
import { parseNumber, unquote, unquoteRune } from './literal.ts';
import type { Command, Operand, Pipeline, Statement, Tree } from './nodes.ts';

const MAX_DEPTH = 400;
/** How many characters of a token an error shows. */
const SHOWN = 10;

/** Throws INVALID_TEMPLATE. `functions` are the names a template may call. */
export function parseTemplate(name: string, source: string, functions: ReadonlySet<string>): Tree {
  return new Parser(name, source, functions).parse();
}

type BlockEnd = 'end' | 'else';
type Item = Statement | BlockEnd;

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #definitions = new Map<string, readonly Statement[]>();
  #index = 0;
  #variables: string[] = ['$'];
  #loops = 0;
  #depth = 0;

  constructor(name: string, source: string, functions: ReadonlySet<string>) {
    this.#name = name;
    this.#source = source;
    this.#functions = functions;
    this.#tokens = tokenize(source);
  }

  parse(): Tree {
    const body: Statement[] = [];
    while (this.#peek().kind !== 'eof') {
      const item = this.#item();
      if (typeof item === 'string') throw this.#error(`unexpected {{${item}}}`);
      if (item) body.push(item);
    }
    return { source: this.#source, body, definitions: this.#definitions };
  }

  /** A statement, the mark that ends a block, or nothing (a definition). */
  #item(): Item | undefined {
    const token = this.#nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', at: token.at, text: token.text };
    if (token.kind !== 'open') throw this.#unexpected(token, 'input');
    const first = this.#nextNonSpace();
    if (first.kind === 'keyword') return this.#keyword(first);
    this.#back();
    const mark = this.#variables.length;
    const pipeline = this.#pipeline('command', 'close');
    if (pipeline.variables.length === 0) this.#variables.length = mark;
    return { kind: 'action', at: pipeline.at, pipeline };
  }

  #keyword(token: Token): Item | undefined {
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#control(token.text, token.at);
      case 'end':
        this.#expect('close', 'end');
        return 'end';
      case 'else': {
        const next = this.#peekNonSpace();
        // `{{else if …}}`: the `if` is read by the control that the else belongs to.
        if (next.kind !== 'keyword' || (next.text !== 'if' && next.text !== 'with')) this.#expect('close', 'else');
        return 'else';
      }
      case 'break':
      case 'continue':
        return this.#jump(token.text, token.at);
      case 'template':
        return this.#template();
      case 'block':
        return this.#block();
      default:
        this.#definition();
        return undefined;
    }
  }

  #control(kind: 'if' | 'with' | 'range', at: number): Statement {
    this.#deeper();
    const mark = this.#variables.length;
    const pipeline = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#loops++;
    const [body, end] = this.#list();
    if (kind === 'range') this.#loops--;
    const otherwise = end === 'else' ? this.#otherwise(kind) : [];
    this.#variables.length = mark;
    this.#depth--;
    return { kind, at, pipeline, body, otherwise };
  }

  #otherwise(kind: 'if' | 'with' | 'range'): readonly Statement[] {
    const next = this.#peek();
    if (next.kind === 'keyword' && kind !== 'range' && next.text === kind) {
      this.#next();
      return [this.#control(kind, next.at)];
    }
    const [list, end] = this.#list();
    if (end !== 'end') throw this.#error(`expected end; found {{${end}}}`);
    return list;
  }

  #list(): [readonly Statement[], BlockEnd] {
    const list: Statement[] = [];
    while (this.#peekNonSpace().kind !== 'eof') {
      const item = this.#item();
      if (typeof item === 'string') return [list, item];
      if (item) list.push(item);
    }
    throw this.#error('unexpected EOF');
  }

  #jump(kind: 'break' | 'continue', at: number): Statement {
    const token = this.#nextNonSpace();
    if (token.kind !== 'close') throw this.#unexpected(token, `{{${kind}}}`);
    if (this.#loops === 0) throw this.#error(`{{${kind}}} outside {{range}}`);
    return { kind, at };
  }

  #template(): Statement {
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, 'template clause');
    if (this.#nextNonSpace().kind === 'close') return { kind: 'template', at: token.at, name };
    this.#back();
    return { kind: 'template', at: token.at, name, pipeline: this.#pipeline('template clause', 'close') };
  }

  #block(): Statement {
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, 'block clause');
    const pipeline = this.#pipeline('block clause', 'close');
    this.#define(name, 'block clause');
    return { kind: 'template', at: token.at, name, pipeline };
  }

  #definition(): void {
    const name = this.#templateName(this.#nextNonSpace(), 'define clause');
    this.#expect('close', 'define clause');
    this.#define(name, 'define clause');
  }

  /** The body of a definition sees no variables but `$`. */
  #define(name: string, context: string): void {
    this.#deeper();
    const outside = { variables: this.#variables, loops: this.#loops };
    this.#variables = ['$'];
    this.#loops = 0;
    const [body, end] = this.#list();
    if (end !== 'end') throw this.#error(`unexpected {{${end}}} in ${context}`);
    this.#variables = outside.variables;
    this.#loops = outside.loops;
    this.#depth--;
    this.#definitions.set(name, body);
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'raw') throw this.#unexpected(token, context);
    return this.#unquoted(token);
  }

  #pipeline(context: string, end: TokenKind): Pipeline {
    this.#deeper();
    const at = this.#peekNonSpace().at;
    const { variables, assign } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!OPERANDS.has(token.kind)) throw this.#unexpected(token, context);
      this.#back();
      commands.push(this.#command());
    }
    if (commands.length === 0) throw this.#error(`missing value for ${context}`);
    for (const [stage, command] of commands.entries()) {
      if (stage > 0 && CONSTANTS.has(command.args[0].kind)) throw this.#error(`non executable command in pipeline stage ${stage + 1}`);
    }
    this.#depth--;
    return { kind: 'pipeline', at, assign, variables, commands };
  }

  /** `$x :=`, `$x =`, `$i, $e :=`, or nothing. */
  #declarations(context: string): { variables: readonly string[]; assign: boolean } {
    const variables: string[] = [];
    for (;;) {
      const variable = this.#peekNonSpace();
      if (variable.kind !== 'variable') return { variables, assign: false };
      const start = this.#index;
      this.#next();
      const next = this.#peekNonSpace();
      const isList = next.kind === 'char' && next.text === ',';
      if (next.kind !== 'assign' && next.kind !== 'declare' && !isList) {
        this.#index = start;
        return { variables, assign: false };
      }
      this.#nextNonSpace();
      variables.push(variable.text);
      this.#variables.push(variable.text);
      if (!isList) return { variables, assign: next.kind === 'assign' };
      if (context !== 'range' || variables.length > 1) throw this.#error(`too many declarations in ${context}`);
      const after = this.#peekNonSpace().kind;
      if (after !== 'variable' && after !== 'close' && after !== ')') throw this.#error('range can only initialize variables');
    }
  }

  #command(): Command {
    const at = this.#peekNonSpace().at;
    const args: Operand[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'close' || token.kind === ')') this.#back();
      else if (token.kind !== 'pipe') throw this.#unexpected(token, 'operand');
      break;
    }
    const [first, ...rest] = args;
    if (first === undefined) throw this.#error('empty command');
    return { kind: 'command', at, args: [first, ...rest] };
  }

  /** A term with the fields that follow it at once. */
  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#peek().kind !== 'field') return term;
    const at = this.#peek().at;
    const path: string[] = [];
    while (this.#peek().kind === 'field') path.push(this.#next().text.slice(1));
    if (term.kind === 'field') return { kind: 'field', at, path: [...term.path, ...path] };
    if (term.kind === 'variable') return { kind: 'variable', at, path: [...term.path, ...path] };
    if (CONSTANTS.has(term.kind)) throw this.#error(`unexpected . after term ${JSON.stringify(constantText(term))}`);
    return { kind: 'chain', at, base: term, path };
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace();
    const { at, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#functions.has(text)) throw this.#error(`function ${JSON.stringify(text)} not defined`);
        return { kind: 'function', at, name: text };
      case 'dot':
        return { kind: 'dot', at };
      case 'nil':
        return { kind: 'nil', at };
      case 'bool':
        return { kind: 'bool', at, value: text === 'true' };
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#error(`undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', at, path: [text] };
      case 'field':
        return { kind: 'field', at, path: [text.slice(1)] };
      case 'rune': {
        const point = unquoteRune(text);
        if (point === undefined) throw this.#error(`malformed character constant: ${text}`);
        return { kind: 'number', at, text, int: point, float: point, floating: false };
      }
      case 'number': {
        const number = parseNumber(text, at);
        if (typeof number === 'string') throw this.#error(number);
        return number;
      }
      case 'string':
      case 'raw':
        return { kind: 'string', at, quoted: text, value: this.#unquoted(token) };
      case '(':
        return this.#pipeline('parenthesized pipeline', ')');
      default:
        this.#back();
        return undefined;
    }
  }

  #unquoted(token: Token): string {
    const value = unquote(token.text);
    if (value === undefined) throw this.#error('invalid syntax');
    return value;
  }

  #deeper(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#error('max expression depth exceeded');
  }

  #expect(kind: TokenKind, context: string): void {
    const token = this.#nextNonSpace();
    if (token.kind !== kind) throw this.#unexpected(token, context);
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#index, this.#tokens.length - 1)]!;
  }

  #next(): Token {
    const token = this.#peek();
    this.#index++;
    return token;
  }

  #back(): void {
    this.#index--;
  }

  #peekNonSpace(): Token {
    while (this.#peek().kind === 'space') this.#index++;
    return this.#peek();
  }

  #nextNonSpace(): Token {
    this.#peekNonSpace();
    return this.#next();
  }

  #unexpected(token: Token, context: string): EngineError {
    return this.#error(token.kind === 'error' ? token.text : `unexpected ${tokenText(token)} in ${context}`);
  }

  #error(message: string): EngineError {
    const last = this.#tokens[Math.min(Math.max(this.#index - 1, 0), this.#tokens.length - 1)]!;
    const line = this.#source.slice(0, last.at).split('\n').length;
    return new EngineError('INVALID_TEMPLATE', `template: ${this.#name}:${line}: ${message}`);
  }
}

const OPERANDS: ReadonlySet<TokenKind> = new Set([
  'bool',
  'rune',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw',
  'string',
  'variable',
  '(',
]);
const CONSTANTS: ReadonlySet<Operand['kind']> = new Set(['bool', 'dot', 'nil', 'number', 'string']);

function constantText(term: Operand): string {
  if (term.kind === 'number') return term.text;
  if (term.kind === 'string') return term.quoted;
  return term.kind === 'bool' ? String(term.value) : term.kind === 'dot' ? '.' : 'nil';
}

function tokenText(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'keyword' || token.kind === 'dot' || token.kind === 'nil') return `<${token.text}>`;
  return token.text.length > SHOWN ? `${JSON.stringify(token.text.slice(0, SHOWN))}...` : JSON.stringify(token.text);
}
