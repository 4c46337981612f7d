/** From lines to instructions: comments, continued lines, here-documents. Nothing is known yet of what an instruction means. */
import type { Directives } from './directives.ts';
import { heredocStarts, type Heredoc } from './heredoc.ts';
import { dockerfileError, type Place, type Source } from './source.ts';
import { splitFlags, type Word } from './words.ts';

export interface Instruction {
  /** In capitals. */
  readonly name: string;
  /** As it was typed. */
  readonly typedName: string;
  readonly flags: readonly Word[];
  /** What follows the flags, continued lines put together. */
  readonly rest: string;
  /** Where in `text` that begins. */
  readonly restAt: number;
  /** The whole of it without here-documents. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  readonly source: Source;
  readonly place: Place;
  readonly lastLine: number;
  /** Place of a character of `text`. */
  readonly placeOf: (at: number) => Place;
}

const TAKES_HEREDOCS = ['RUN', 'COPY', 'ADD'];

/** Throws DOCKERFILE. */
export function scanInstructions(source: Source, directives: Pick<Directives, 'escape'>): Instruction[] {
  const scanner = { source, escape: directives.escape, next: 0 };
  const found: Instruction[] = [];
  while (scanner.next < source.lines.length) {
    const instruction = scanOne(scanner);
    if (instruction !== undefined) found.push(instruction);
  }
  return found;
}

/** One instruction in a text of its own: of ONBUILD, or `--change`. Throws DOCKERFILE. */
export function scanInner(outer: Instruction): Instruction {
  return instructionOf(outer.source, outer.rest, '\\', {
    lastLine: outer.lastLine,
    heredocs: outer.heredocs,
    placeOf: (at) => outer.placeOf(outer.restAt + at),
  });
}

interface Scanner {
  readonly source: Source;
  readonly escape: '\\' | '`';
  /** Index of the next line. */
  next: number;
}

interface Segment {
  readonly at: number;
  readonly place: Place;
}

function scanOne(scanner: Scanner): Instruction | undefined {
  const { source, escape } = scanner;
  const first = source.lines[scanner.next++]!.replace(/^\uFEFF/, '');
  if (isComment(first) || first.trim() === '') return undefined;
  const start = first.trimStart();
  const segments: Segment[] = [{ at: 0, place: { line: scanner.next, column: first.length - start.length + 1 } }];
  let { text, continued } = withoutContinuation(start, escape);
  while (continued && scanner.next < source.lines.length) {
    const line = source.lines[scanner.next++]!;
    if (isComment(line) || line.trim() === '') continue;
    segments.push({ at: text.length, place: { line: scanner.next, column: 1 } });
    const more = withoutContinuation(line, escape);
    text += more.text;
    continued = more.continued;
  }
  const lastLine = scanner.next;
  return instructionOf(source, text.trimEnd(), escape, {
    lastLine,
    placeOf: (at) => placeIn(segments, at),
    readHeredocs: () => readHeredocs(scanner, text, segments),
  });
}

interface Parts {
  readonly lastLine: number;
  readonly placeOf: (at: number) => Place;
  readonly heredocs?: readonly Heredoc[];
  readonly readHeredocs?: () => readonly Heredoc[];
}

function instructionOf(source: Source, text: string, escape: string, parts: Parts): Instruction {
  const [typedName = ''] = /^\S+/.exec(text) ?? [];
  const name = typedName.toUpperCase();
  const after = text.slice(typedName.length);
  const { flags, restAt } = splitFlags(after, escape);
  const from = typedName.length + restAt;
  const rest = text.slice(from).trim();
  const takes =
    TAKES_HEREDOCS.includes(name) || (name === 'ONBUILD' && TAKES_HEREDOCS.some((one) => rest.toUpperCase().startsWith(`${one} `)));
  return {
    name,
    typedName,
    flags: flags.map(({ text: word, at }) => ({ text: word, at: at + typedName.length })),
    rest,
    restAt: rest === '' ? text.length : text.indexOf(rest, from),
    text,
    heredocs: parts.heredocs ?? (takes ? (parts.readHeredocs?.() ?? []) : []),
    source,
    place: parts.placeOf(0),
    lastLine: parts.lastLine,
    placeOf: parts.placeOf,
  };
}

function readHeredocs(scanner: Scanner, text: string, segments: readonly Segment[]): Heredoc[] {
  return heredocStarts(text, scanner.escape).map(({ at, ...start }) => {
    const lines: string[] = [];
    for (;;) {
      const line = scanner.source.lines[scanner.next++];
      if (line === undefined)
        throw dockerfileError(`unterminated heredoc: no line says ${start.name}`, {
          source: scanner.source,
          place: placeIn(segments, at),
          word: /^\S+/.exec(text.slice(at))?.[0],
        });
      const own = start.chomp ? line.replace(/^\t+/, '') : line;
      if (own === start.name) break;
      lines.push(`${own}\n`);
    }
    return { ...start, content: lines.join('') };
  });
}

function placeIn(segments: readonly Segment[], at: number): Place {
  const segment = segments.findLast((one) => one.at <= at) ?? segments[0]!;
  return { line: segment.place.line, column: segment.place.column + at - segment.at };
}

function isComment(line: string): boolean {
  return /^\s*#/.test(line);
}

/** The escape character at the end of a line, unless it is escaped itself. */
function withoutContinuation(line: string, escape: string): { text: string; continued: boolean } {
  const trimmed = line.replace(/[ \t]+$/, '');
  if (!trimmed.endsWith(escape) || trimmed.endsWith(escape + escape)) return { text: line, continued: false };
  return { text: trimmed.slice(0, -1), continued: true };
}
