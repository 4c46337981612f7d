/** The caller's own streams and terminal as a container's attach session wants them. */
import { write } from 'node:fs';
import type { AttachStreams } from '../libpod/attach/session.ts';
import { resizeTerminal } from '../libpod/attach/session.ts';
import { log } from '../core/log.ts';
import { signalName } from '../core/signal.ts';
import { OutputClosed } from './print.ts';
import type { Stream } from './wish/streams.ts';

/** Streams of this process for those of the container that are attached. */
export function ownStreams(attached: ReadonlySet<Stream>): AttachStreams {
  return {
    ...(attached.has('stdin') ? { stdin: process.stdin as AsyncIterable<Buffer> } : {}),
    ...(attached.has('stdout') ? { stdout: sink(1) } : {}),
    ...(attached.has('stderr') ? { stderr: sink(2) } : {}),
  };
}

/** Said where both `--tty` and `--interactive` are given and nobody can type. */
export function warnWithoutTerminal(): void {
  if (process.stdin.isTTY) return;
  log.warn('The input device is not a TTY. The --tty and --interactive flags might not work properly');
}

/** Keys are typed at a terminal; what is piped in may hold any bytes and must pass whole. */
export function typedKeys(detachKeys: Uint8Array): Uint8Array {
  return process.stdin.isTTY ? detachKeys : new Uint8Array();
}

/** The terminal's size handed on now and whenever it changes, and raw mode where input is passed on, until disposed. */
export async function passTerminal(controlFifo: string, options: { readonly raw: boolean }): Promise<Disposable> {
  const { onResize, rawMode, terminalSize } = await import('../host/terminal.ts');
  const raw = options.raw ? rawMode() : undefined;
  const size = terminalSize();
  if (size) resizeTerminal(controlFifo, size);
  const resizes = onResize((now) => resizeTerminal(controlFifo, now));
  return {
    [Symbol.dispose]: () => {
      resizes[Symbol.dispose]();
      raw?.[Symbol.dispose]();
    },
  };
}

/** Signals that end or stop only this process, or that Node needs for itself, are not passed on. */
const KEPT = new Set([
  'SIGKILL',
  'SIGSTOP',
  'SIGCHLD',
  'SIGPIPE',
  'SIGURG',
  'SIGPROF',
  'SIGWINCH',
  'SIGSEGV',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGTTIN',
  'SIGTTOU',
  'SIGTRAP',
  'SIGABRT',
  'SIGSYS',
]);
const LAST_SIGNAL = 31;

/** Hand the signals this process gets to `send`; those that come after disposal have no effect. */
export function proxySignals(send: (signal: number) => void): Disposable {
  let isOver = false;
  for (let number = 1; number <= LAST_SIGNAL; number++) {
    const name = signalName(number) as NodeJS.Signals;
    if (KEPT.has(name) || !name.startsWith('SIG')) continue;
    try {
      process.on(name, () => {
        if (!isOver) send(number);
      });
    } catch {
      // Node reserves some (SIGUSR1 with the inspector, real-time ones): they keep their effect.
    }
  }
  return { [Symbol.dispose]: () => void (isOver = true) };
}

/**
 * Bytes to a descriptor in order. Where the reader of a pipe is gone the command ends (OutputClosed), and the container runs on without it.
 * Whatever else fails, such as a terminal that was closed, swallows the rest: the container's end is still waited for.
 */
function sink(fd: number): (chunk: Buffer) => Promise<void> {
  let closed = false;
  return async (chunk) => {
    for (let offset = 0; offset < chunk.length && !closed;) {
      try {
        offset += await writeSome(fd, chunk.subarray(offset));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') throw new OutputClosed();
        if (code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, 2));
        else closed = true;
      }
    }
  };
}

function writeSome(fd: number, chunk: Buffer): Promise<number> {
  return new Promise((resolve, reject) => write(fd, chunk, (error, written) => (error ? reject(error) : resolve(written))));
}
