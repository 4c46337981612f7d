/**
 * The two doors to other programs: `runHelper` waits for the end, `launch` hands out a running process with a descriptor table.
 * argv arrays only, never a shell. Each start is one debug line that can be pasted into a shell.
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { EngineError, isEngineError, type ErrorCode } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { shellLine } from '../core/shell.ts';
import { installHint } from './distribution.ts';
import { errnoOf, ERRNO } from './libc.ts';
import { MemoryFile } from './pipe.ts';
import { posixSpawn, reap, type SpawnRequest } from './posix-spawn.ts';
import { findProgram } from './search.ts';

export interface HelperRequest {
  /** Default: the caller's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Exit codes that are answers, not failures. Default: 0. */
  readonly okCodes?: readonly number[];
  /** Debian package named in the hint when the program is missing. */
  readonly package?: string;
  /** Descriptors of ours given to the child from 3 on. */
  readonly fds?: readonly number[];
}

export interface HelperResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A helper that prints without end must not fill our memory. */
const OUTPUT_LIMIT_BYTES = 16 * 2 ** 20;

/**
 * Run a program to its end and collect what it said. A bare name is looked up along PATH and the system's directories.
 * Throws HELPER_MISSING, HELPER_FAILED (its own stderr is in the message), TIMEOUT, ABORTED.
 */
export async function runHelper(program: string, args: readonly string[], request: HelperRequest = {}): Promise<HelperResult> {
  using stdin = request.input === undefined ? undefined : new MemoryFile(request.input);
  using stdout = new MemoryFile();
  using stderr = new MemoryFile();
  const pid = start(program, args, {
    ...request,
    fds: [stdin?.fd ?? 'null', stdout.fd, stderr.fd, ...(request.fds ?? [])],
    newSession: false,
  });
  using cut = endOnTime(pid, request);
  const { code } = await reap(pid);
  cut.ended = true;
  const name = program.slice(program.lastIndexOf('/') + 1);
  const verb = args.find((arg) => !arg.startsWith('-'));
  const what = verb === undefined ? name : `${name} ${verb}`;
  if (cut.reason === 'timeout') throw new EngineError('TIMEOUT', `${what} did not end within ${request.timeoutMs} ms`);
  if (cut.reason === 'aborted') throw new EngineError('ABORTED', `${what} was cancelled`);
  const result = { code, stdout: stdout.text(OUTPUT_LIMIT_BYTES), stderr: stderr.text(OUTPUT_LIMIT_BYTES) };
  if (!(request.okCodes ?? [0]).includes(code)) {
    const said = result.stderr.trim() || result.stdout.trim() || `exit status ${code}`;
    throw new EngineError('HELPER_FAILED', `${what}: ${said}`, { cause: { exitCode: code } });
  }
  return result;
}

export interface LaunchRequest {
  /** Index: descriptor in the child. `ignore`: /dev/null, `inherit`: ours of that number, `pipe`: a socket pair (costs 8 ms), or a descriptor of ours. */
  readonly stdio: readonly ('ignore' | 'pipe' | 'inherit' | number)[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** A session of its own: it survives us and gets no signals of our terminal. */
  readonly detached?: boolean;
  readonly package?: string;
}

export interface Launched {
  readonly pid: number;
  /** The `pipe` entries of stdio, by descriptor. */
  pipe(descriptor: number): Duplex;
  /** 128 + signal number when a signal ended it. */
  readonly exited: Promise<{ readonly code: number }>;
  kill(signal: NodeJS.Signals | number): void;
  /** Let the event loop end although the process goes on. */
  unref(): void;
}

/** Start a program and hand it out running. Throws HELPER_MISSING when it does not exist or cannot be executed. */
export async function launch(program: string, args: readonly string[], request: LaunchRequest): Promise<Launched> {
  if (request.stdio.includes('pipe')) return launchPiped(program, args, request);
  const fds = request.stdio.map((entry, index) => (entry === 'ignore' ? 'null' : entry === 'inherit' ? index : (entry as number)));
  const pid = start(program, args, { ...request, fds, newSession: request.detached === true });
  let exited: Promise<{ code: number }> | undefined;
  return {
    pid,
    get exited() {
      return (exited ??= reap(pid));
    },
    pipe: (descriptor) => {
      throw new Error(`descriptor ${descriptor} is no pipe`);
    },
    kill: (signal) => void process.kill(pid, signal),
    unref: () => undefined,
  };
}

function start(
  program: string,
  args: readonly string[],
  request: Pick<SpawnRequest, 'fds' | 'newSession'> & { env?: HelperRequest['env']; cwd?: string; package?: string },
): number {
  const path = programPath(program, request.package);
  log.debug(() => `exec: ${shellLine([path, ...args])}`);
  try {
    return posixSpawn({
      program: path,
      args,
      env: environment(request.env ?? process.env),
      cwd: request.cwd,
      fds: request.fds,
      newSession: request.newSession,
    });
  } catch (error) {
    throw isEngineError(error) ? startError(error, program, request.package) : error;
  }
}

/** Where a program is; `packageName` is the Debian package that has it. Throws HELPER_MISSING. */
export function programPath(program: string, packageName: string | undefined): string {
  const path = findProgram(program);
  if (path !== undefined) return path;
  throw missing(program, 'not found', packageName);
}

function startError(error: EngineError, program: string, packageName: string | undefined): EngineError {
  const number = errnoOf(error);
  if (number === ERRNO.ENOENT) return missing(program, 'not found', packageName, error);
  if (number === ERRNO.EACCES) return missing(program, 'permission denied', packageName, error);
  return new EngineError('HELPER_FAILED', `${program}: cannot be started: ${error.message}`, { cause: error });
}

function missing(program: string, why: string, packageName: string | undefined, cause?: unknown): EngineError {
  const code: ErrorCode = 'HELPER_MISSING';
  return new EngineError(code, `${program}: ${why}`, packageName === undefined ? { cause } : { cause, hint: installHint(packageName) });
}

function environment(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
}

interface Cut extends Disposable {
  ended: boolean;
  reason: 'timeout' | 'aborted' | undefined;
}

function endOnTime(pid: number, request: HelperRequest): Cut {
  const stop = (reason: 'timeout' | 'aborted') => () => {
    // Not reaped yet, so the pid is still this child's.
    if (cut.ended || cut.reason !== undefined) return;
    cut.reason = reason;
    process.kill(pid, 'SIGKILL');
  };
  const onAbort = stop('aborted');
  const timer = request.timeoutMs === undefined ? undefined : setTimeout(stop('timeout'), request.timeoutMs);
  const cut: Cut = {
    ended: false,
    reason: undefined,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    },
  };
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener('abort', onAbort);
  return cut;
}

/** Through Node's child_process, for streams that are read and written as they come. */
async function launchPiped(program: string, args: readonly string[], request: LaunchRequest): Promise<Launched> {
  const path = programPath(program, request.package);
  const { spawn } = await import('node:child_process');
  log.debug(() => `exec: ${shellLine([path, ...args])}`);
  const child = spawn(path, args, {
    stdio: [...request.stdio],
    env: request.env ?? process.env,
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    ...(request.detached === undefined ? {} : { detached: request.detached }),
  });
  const exited = ended(child, program, request.package);
  // Whoever awaits `exited` gets the failure; nobody has to.
  exited.catch(() => undefined);
  if (child.pid === undefined) {
    await exited;
    throw new Error('a child without pid must have failed');
  }
  return {
    pid: child.pid,
    exited,
    pipe: (descriptor) => child.stdio[descriptor] as Duplex,
    kill: (signal) => void child.kill(signal),
    unref: () => child.unref(),
  };
}

function ended(child: ChildProcess, program: string, packageName: string | undefined): Promise<{ code: number }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' || error.code === 'EACCES'
          ? missing(program, error.code === 'ENOENT' ? 'not found' : 'permission denied', packageName, error)
          : new EngineError('HELPER_FAILED', `${program}: cannot be started: ${error.message}`, { cause: error }),
      ),
    );
    child.once('close', (code, signal) => resolve({ code: code ?? 128 + signalNumber(signal) }));
  });
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (SIGNALS[signal] ?? 0);
}
