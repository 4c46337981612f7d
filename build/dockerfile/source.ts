/** The text of a Dockerfile, and errors that show a place in it. */
import { EngineError } from '../../core/errors.ts';

/** Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Source {
  /** As messages name it. */
  readonly file: string;
  /** Without their ends. */
  readonly lines: readonly string[];
}

export const MAX_DOCKERFILE_BYTES = 4 * 2 ** 20;

/** Throws DOCKERFILE: nothing in it, too large, or no UTF-8. */
export function readSource(file: string, bytes: Uint8Array): Source {
  if (bytes.length > MAX_DOCKERFILE_BYTES)
    throw new EngineError(
      'DOCKERFILE',
      `${file}: a Dockerfile has at most ${MAX_DOCKERFILE_BYTES / 2 ** 20} MiB, this one ${bytes.length} bytes`,
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError('DOCKERFILE', `${file}: not a text in UTF-8`, { cause });
  }
  if (text.trim() === '') throw new EngineError('DOCKERFILE', `no contents in ${JSON.stringify(file)}`);
  return { file, lines: text.split('\n').map((line) => line.replace(/\r$/, '')) };
}

export interface Complaint {
  readonly source: Source;
  readonly place: Place;
  /** The word that is wrong, to be underlined; absent: the rest of the line. */
  readonly word?: string | undefined;
  readonly hint?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly cause?: unknown;
}

/** `FILE:LINE:COLUMN: message`, and the line with the word underlined. */
export function dockerfileError(message: string, complaint: Complaint): EngineError {
  const { source, place, hint, exitCode, cause } = complaint;
  return new EngineError('DOCKERFILE', `${source.file}:${place.line}:${place.column}: ${message}\n${excerpt(complaint)}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(cause === undefined ? {} : { cause }),
  });
}

const SHOWN = 120;

/** Two lines: the line of the file, and carets below what is wrong in it. */
export function excerpt({ source, place, word }: Pick<Complaint, 'source' | 'place' | 'word'>): string {
  const line = source.lines[place.line - 1] ?? '';
  const start = Math.max(0, place.column - 1 - SHOWN / 2);
  const shown = line.slice(start, start + SHOWN).replaceAll('\t', ' ');
  const before = place.column - 1 - start;
  const width = Math.max(1, Math.min(word?.length ?? shown.length - before, shown.length - before));
  const number = String(place.line);
  return `  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${' '.repeat(before)}${'^'.repeat(width)}`;
}
