/**
 * Cuts a template into tokens, in one pass over the text and with no backtracking.
 * Inside an action a space is a token of its own, because `.A .B` and `.A.B` differ. Trimming (`{{-`, `-}}`) and comments are done with here.
 * Grammar: Go's text/template and text/template/parse.
 */

export type TokenKind =
  | 'eof'
  | 'error'
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | '('
  | ')'
  | 'char'
  | 'string'
  | 'raw'
  | 'rune'
  | 'number'
  | 'bool'
  | 'variable'
  | 'field'
  | 'dot'
  | 'nil'
  | 'keyword'
  | 'identifier';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

const SPACES = ' \t\r\n';
const KEYWORDS: ReadonlySet<string> = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const LETTER_OR_DIGIT = /[\p{L}\p{Nd}_]/u;

/** All tokens of the template; the last one is `eof`, or `error` with the message as its text. */
export function tokenize(source: string): readonly Token[] {
  return new Lexer(source).run();
}

class LexError extends Error {}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  /** Where the token that is being read begins. */
  #start = 0;
  #parens = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): readonly Token[] {
    try {
      while (this.#text()) this.#action();
      this.#emit('eof', this.#at);
    } catch (error) {
      if (!(error instanceof LexError)) throw error;
      this.#tokens.push({ kind: 'error', text: error.message, at: this.#start });
    }
    return this.#tokens;
  }

  /** Literal text up to the next action; false at the end of the template. A comment is skipped whole. */
  #text(): boolean {
    const source = this.#source;
    for (;;) {
      const start = this.#at;
      const open = source.indexOf('{{', start);
      const trimmed = open >= 0 && isLeftTrim(source, open + 2);
      const end = open < 0 ? source.length : trimmed ? trimEndOf(source, start, open) : open;
      if (end > start) this.#tokens.push({ kind: 'text', text: source.slice(start, end), at: start });
      this.#at = open < 0 ? source.length : open;
      if (open < 0) return false;
      const inside = open + (trimmed ? 4 : 2);
      if (!source.startsWith('/*', inside)) {
        this.#tokens.push({ kind: 'open', text: '{{', at: open });
        this.#at = inside;
        this.#parens = 0;
        return true;
      }
      this.#comment(inside);
    }
  }

  #comment(start: number): void {
    this.#start = start;
    const end = this.#source.indexOf('*/', start);
    if (end < 0) throw new LexError('unclosed comment');
    this.#at = end + 2;
    if (!this.#close()) throw new LexError('comment ends before closing delimiter');
  }

  #action(): void {
    const source = this.#source;
    for (;;) {
      const start = this.#at;
      this.#start = start;
      if (this.#atClose()) {
        if (this.#parens > 0) throw new LexError('unclosed left paren');
        this.#close();
        this.#tokens.push({ kind: 'close', text: '}}', at: start });
        return;
      }
      const char = this.#next();
      if (char === '') throw new LexError('unclosed action');
      if (SPACES.includes(char)) this.#space(start);
      else if (char === '=') this.#emit('assign', start);
      else if (char === ':') this.#declare(start);
      else if (char === '|') this.#emit('pipe', start);
      else if (char === '"') this.#quoted(start, '"', 'string', 'unterminated quoted string');
      else if (char === "'") this.#quoted(start, "'", 'rune', 'unterminated character constant');
      else if (char === '`') this.#raw(start);
      else if (char === '$') this.#name(start, 'variable');
      else if (char === '.' && this.#at < source.length && !isDigit(source[this.#at])) this.#name(start, 'field');
      else if (char === '.' || char === '+' || char === '-' || isDigit(char)) this.#number(start);
      else if (LETTER_OR_DIGIT.test(char)) this.#identifier(start);
      else if (char === '(') this.#paren(start);
      else if (char === ')') this.#endParen(start);
      else if (char >= ' ' && char <= '~') this.#emit('char', start);
      else throw new LexError(`unrecognized character in action: ${codePointName(char)}`);
    }
  }

  #space(start: number): void {
    while (this.#at < this.#source.length && SPACES.includes(this.#source[this.#at]!)) this.#at++;
    // The last space may belong to a trimming close: ` -}}`.
    if (this.#source.startsWith('-}}', this.#at)) this.#at--;
    if (this.#at > start) this.#emit('space', start);
  }

  #declare(start: number): void {
    if (this.#next() !== '=') throw new LexError('expected :=');
    this.#emit('declare', start);
  }

  #quoted(start: number, quote: string, kind: TokenKind, unterminated: string): void {
    for (;;) {
      let char = this.#next();
      if (char === '\\') {
        char = this.#next();
        if (char !== '' && char !== '\n') continue;
      }
      if (char === '' || char === '\n') throw new LexError(unterminated);
      if (char === quote) return this.#emit(kind, start);
    }
  }

  #raw(start: number): void {
    const end = this.#source.indexOf('`', this.#at);
    if (end < 0) throw new LexError('unterminated raw quoted string');
    this.#at = end + 1;
    this.#emit('raw', start);
  }

  /** `.Name` or `$name`; the mark alone is the dot, or the root variable. */
  #name(start: number, kind: 'field' | 'variable'): void {
    if (this.#atTerminator()) return this.#emit(kind === 'field' ? 'dot' : 'variable', start);
    this.#word();
    this.#emit(kind, start);
  }

  #identifier(start: number): void {
    this.#word();
    const word = this.#source.slice(start, this.#at);
    if (KEYWORDS.has(word)) this.#emit('keyword', start);
    else if (word === 'nil') this.#emit('nil', start);
    else this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier', start);
  }

  #word(): void {
    while (LETTER_OR_DIGIT.test(this.#peek())) this.#next();
    if (!this.#atTerminator()) throw new LexError(`bad character ${codePointName(this.#peek())}`);
  }

  #number(start: number): void {
    this.#at = start;
    this.#accept('+-');
    let digits = '0123456789_';
    if (this.#accept('0')) {
      if (this.#accept('xX')) digits = '0123456789abcdefABCDEF_';
      else if (this.#accept('oO')) digits = '01234567_';
      else if (this.#accept('bB')) digits = '01_';
    }
    this.#acceptRun(digits);
    if (this.#accept('.')) this.#acceptRun(digits);
    if (this.#accept(digits.length > 11 ? 'pP' : digits.length === 11 ? 'eE' : '')) {
      this.#accept('+-');
      this.#acceptRun('0123456789_');
    }
    this.#accept('i');
    if (LETTER_OR_DIGIT.test(this.#peek())) {
      this.#next();
      throw new LexError(`bad number syntax: ${JSON.stringify(this.#source.slice(start, this.#at))}`);
    }
    this.#emit('number', start);
  }

  #paren(start: number): void {
    this.#parens++;
    this.#emit('(', start);
  }

  #endParen(start: number): void {
    if (--this.#parens < 0) throw new LexError('unexpected right paren');
    this.#emit(')', start);
  }

  #atClose(): boolean {
    return this.#source.startsWith('}}', this.#at) || this.#atTrimmingClose();
  }

  #atTrimmingClose(): boolean {
    return SPACES.includes(this.#source[this.#at] ?? 'x') && this.#source.startsWith('-}}', this.#at + 1);
  }

  /** Step over `}}` or ` -}}` with the white space that it trims; false if neither is here. */
  #close(): boolean {
    if (this.#source.startsWith('}}', this.#at)) {
      this.#at += 2;
      return true;
    }
    if (!this.#atTrimmingClose()) return false;
    this.#at += 4;
    while (this.#at < this.#source.length && SPACES.includes(this.#source[this.#at]!)) this.#at++;
    return true;
  }

  #atTerminator(): boolean {
    const char = this.#peek();
    return char === '' || ' \t\r\n.,|:)('.includes(char) || this.#source.startsWith('}}', this.#at);
  }

  #accept(chars: string): boolean {
    if (this.#at >= this.#source.length || !chars.includes(this.#source[this.#at]!)) return false;
    this.#at++;
    return true;
  }

  #acceptRun(chars: string): void {
    while (this.#accept(chars));
  }

  /** The character (whole code point) here, '' at the end. */
  #peek(): string {
    const point = this.#source.codePointAt(this.#at);
    return point === undefined ? '' : String.fromCodePoint(point);
  }

  #next(): string {
    const char = this.#peek();
    this.#at += char.length;
    return char;
  }

  #emit(kind: TokenKind, start: number): void {
    this.#tokens.push({ kind, text: this.#source.slice(start, this.#at), at: start });
  }
}

function isLeftTrim(source: string, at: number): boolean {
  return source[at] === '-' && SPACES.includes(source[at + 1] ?? 'x');
}

function trimEndOf(source: string, start: number, end: number): number {
  while (end > start && SPACES.includes(source[end - 1]!)) end--;
  return end;
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

/** Go's %#U. */
function codePointName(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /[\p{C}\p{Z}]/u.test(char) ? `U+${hex}` : `U+${hex} '${char}'`;
}
