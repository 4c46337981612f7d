/**
 * What a helper of unknown age can do, from its own words: of pasta the --help, because version strings tell nothing (Debian 12's calls itself
 * "unknown version"). Asked once per binary: the answer is kept in a file that names the binary's path, size and modification time.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { log } from '../core/log.ts';
import { runHelper } from '../host/process.ts';

/** Long and short options with their dashes; true where a value follows. */
export type HelperOptions = ReadonlyMap<string, boolean>;

/** Throws HELPER_MISSING, HELPER_FAILED, TIMEOUT. A cache that cannot be read or written costs one more --help, never an error. */
export async function probeOptions(program: string, cacheDirectory: string): Promise<HelperOptions> {
  const kept = (help: string) => [...parseOptions(help)].map(([name, value]) => (value ? `${name}=` : name)).join('\n');
  const lines = (await answerOf(program, '--help', join(cacheDirectory, `options-${basename(program)}`), kept)).split('\n');
  return new Map(lines.map((line) => (line.endsWith('=') ? [line.slice(0, -1), true] : [line, false])));
}

/** What the helper prints for `option`. Throws and keeps as probeOptions. */
export function probeText(program: string, option: `--${string}`, cacheDirectory: string): Promise<string> {
  return answerOf(program, option, join(cacheDirectory, `${option.slice('--'.length)}-${basename(program)}`), (text) => text.trim());
}

async function answerOf(program: string, option: string, file: string, kept: (said: string) => string): Promise<string> {
  const { size, mtimeNs } = statSync(program, { bigint: true });
  const stamp = `${program} ${size} ${mtimeNs}\n`;
  const known = readCache(file, stamp);
  if (known !== undefined) return known;
  // The old pasta prints its help on stderr and calls that a failure.
  const { stdout, stderr } = await runHelper(program, [option], { okCodes: [0, 1], timeoutMs: 10_000 });
  const answer = kept(`${stdout}\n${stderr}`);
  writeCache(file, `${stamp}${answer}`);
  return answer;
}

/** Pure: the options listed at the beginning of help lines, as `-t, --tcp-ports SPEC` or `--cidr=CIDR`. */
export function parseOptions(help: string): HelperOptions {
  const options = new Map<string, boolean>();
  for (const line of help.split('\n')) {
    const match = /^\s*(?:(-\w), )?(--[a-z0-9][a-z0-9-]*)(?:[ =]([A-Z][^\s]*))?/.exec(line);
    if (!match) continue;
    const [, short, long, value] = match;
    if (short !== undefined) options.set(short, value !== undefined);
    options.set(long!, value !== undefined);
  }
  return options;
}

function readCache(file: string, stamp: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.startsWith(stamp) ? text.slice(stamp.length) : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(file: string, text: string): void {
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.${process.pid}`, text, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    log.debug(() => `what ${basename(file)} found out was not kept: ${(error as Error).message}`);
  }
}
