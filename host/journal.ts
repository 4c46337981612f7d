/** systemd's journal: messages to it through its socket, and entries from it through journalctl(1), the one reader that knows all its files. */
import { existsSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { type JournalEntry, JournalParser } from '../core/journal.ts';
import { MemoryFile } from './pipe.ts';
import { launch } from './process.ts';

export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

export function hasJournal(): boolean {
  return existsSync(JOURNAL_SOCKET);
}

export interface JournalQuery {
  /** All must match. */
  readonly matches: Readonly<Record<string, string>>;
  /** What is wanted of an entry besides its cursor and its time. */
  readonly fields: readonly string[];
  /** One of three, or none. Entries that were received before are left out, give or take a second. */
  readonly sinceNs?: bigint | undefined;
  /** Begin with this entry, or after it. */
  readonly from?: string | undefined;
  readonly after?: string | undefined;
  /** The last one first. */
  readonly backwards?: boolean;
  /** Go on with entries to come until the reader is closed. */
  readonly follow?: boolean;
}

const ERRORS_LIMIT_BYTES = 4096;

/**
 * As many entries at once as were there. Leaving the loop ends the program, and so does `signal`, which is no failure.
 * Throws HELPER_MISSING, and HELPER_FAILED for a journal that may not be read.
 */
export async function* readJournal(query: JournalQuery, signal?: AbortSignal): AsyncGenerator<readonly JournalEntry[], void> {
  using errors = new MemoryFile();
  const child = await launch('journalctl', journalArgs(query), { stdio: ['ignore', 'pipe', errors.fd], package: 'systemd' });
  const end = (): void => child.kill('SIGTERM');
  signal?.addEventListener('abort', end);
  if (signal?.aborted === true) end();
  try {
    const parser = new JournalParser();
    for await (const bytes of child.pipe(1)) yield parser.push(bytes as Buffer);
    const { code } = await child.exited;
    if (code !== 0 && signal?.aborted !== true) throw failure(code, errors.text(ERRORS_LIMIT_BYTES));
  } finally {
    signal?.removeEventListener('abort', end);
    end();
    await child.exited;
  }
}

/**
 * What is there, and what comes until `ended` resolves: what the journal has by then is not missed. `ended` is told when nobody reads any more.
 * Throws as readJournal.
 */
export async function* followJournal(
  query: JournalQuery,
  ended: (signal: AbortSignal) => Promise<void>,
): AsyncGenerator<readonly JournalEntry[], void> {
  const reading = new AbortController();
  const stop = (): void => reading.abort();
  const end = ended(reading.signal).finally(stop);
  // Thrown where it is awaited.
  end.catch(() => undefined);
  let rest: JournalQuery = query;
  try {
    for await (const entries of readJournal({ ...query, follow: true }, reading.signal)) {
      const cursor = entries.at(-1)?.get('__CURSOR')?.toString();
      if (cursor !== undefined) rest = { ...query, sinceNs: undefined, from: undefined, after: cursor };
      yield entries;
    }
    await end;
  } finally {
    stop();
  }
  yield* readJournal(rest);
}

function journalArgs({ matches, fields, sinceNs, from, after, backwards, follow }: JournalQuery): string[] {
  return [
    '--quiet',
    '--no-pager',
    '--all',
    '--output=export',
    `--output-fields=${fields.join(',')}`,
    ...(sinceNs === undefined ? [] : [`--since=@${secondsBefore(sinceNs)}`]),
    ...(from === undefined ? [] : [`--cursor=${from}`]),
    ...(after === undefined ? [] : [`--after-cursor=${after}`]),
    ...(backwards === true ? ['--reverse'] : []),
    ...(follow === true ? ['--follow', '--no-tail'] : []),
    ...Object.entries(matches).map(([name, value]) => `${name}=${value}`),
  ];
}

function secondsBefore(timeNs: bigint): bigint {
  const seconds = timeNs / 1_000_000_000n - 1n;
  return seconds < 0n ? 0n : seconds;
}

function failure(code: number, said: string): EngineError {
  const words = said.trim() || `exit status ${code}`;
  const hint = words.includes('permission') ? { hint: 'Have an administrator add you to the group systemd-journal.' } : {};
  return new EngineError('HELPER_FAILED', `journalctl: ${words}`, hint);
}
