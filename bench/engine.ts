/** The two programs that are compared, and how one command of theirs is timed. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Engine {
  readonly name: 'lichen' | 'podman';
  readonly program: string;
}

const OUTPUT = mkdtempSync(join(tmpdir(), 'lichen-bench-'));
const STDERR = join(OUTPUT, 'stderr');
const STDOUT = join(OUTPUT, 'stdout');
process.on('exit', () => rmSync(OUTPUT, { recursive: true, force: true }));

export interface Run {
  readonly ms: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Milliseconds from spawn to exit. Output goes to files, so that reading it costs this process nothing while the clock runs.
 * Throws the first line of stderr when the command fails.
 */
export async function timed({ program }: Engine, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const files = [openSync(STDOUT, 'w'), openSync(STDERR, 'w')] as const;
  const before = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', ...files], env: { ...process.env, ...env } });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('exit', resolve);
    child.on('error', reject);
  });
  const ms = performance.now() - before;
  for (const fd of files) closeSync(fd);
  const stderr = readFileSync(STDERR, 'utf8');
  if (code !== 0) throw new Error(`${args[0]}: exit ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  return { ms, stdout: readFileSync(STDOUT, 'utf8'), stderr };
}

/** For what is not measured: fails as `timed` does, unless told to ignore it. */
export async function carryOut(
  engine: Engine,
  args: readonly string[],
  options: { readonly ignoreFailure?: boolean } = {},
): Promise<string> {
  try {
    return (await timed(engine, args)).stdout;
  } catch (error) {
    if (options.ignoreFailure === true) return '';
    throw error;
  }
}

/** Several commands at once, each with output of its own that nobody reads. Resolves when all have ended; throws if one fails. */
export async function timedTogether({ program }: Engine, commands: readonly (readonly string[])[], atOnce: number): Promise<number> {
  const queue = [...commands];
  const before = performance.now();
  const worker = async () => {
    for (let args = queue.shift(); args !== undefined; args = queue.shift()) {
      const child = spawn(program, args, { stdio: 'ignore' });
      const code = await new Promise<number | null>((resolve, reject) => {
        child.on('exit', resolve);
        child.on('error', reject);
      });
      if (code !== 0) throw new Error(`${args[0]}: exit ${code} with ${atOnce} at once`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return performance.now() - before;
}
