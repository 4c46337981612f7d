/** A check's command run in its container: as much of its output as is kept, an end after its time whatever it does. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere } from '../../host/if-there.ts';
import { isEngineError } from '../../core/errors.ts';
import { makePipe } from '../../host/pipe.ts';
import { identify } from '../../host/pid.ts';
import { killTree } from '../../host/process-tree.ts';
import type { Engine } from '../engine.ts';
import { closeSession, openSession } from '../container/exec.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { DueCheck } from './check.ts';

export interface Probe {
  readonly ok: boolean;
  readonly timedOut: boolean;
  readonly output: string;
}

/** What was printed just before the end may still be in the pipe; a process that the check left behind may keep it open for ever. */
const DRAIN_MS = 100;
/** How often the end of a killed check is asked for: it may have been about to start another process. */
const KILL_EVERY_MS = 100;

/** A command that cannot be run is a failed check. Throws what openSession throws (the container has ended). */
export async function probe(engine: Engine, record: ContainerRecord, check: DueCheck, limitBytes: number): Promise<Probe> {
  let session: Awaited<ReturnType<typeof openSession>>;
  try {
    session = await openSession(engine, record, {
      argv: check.argv,
      env: [],
      terminal: false,
      stdinOpen: false,
      privileged: false,
      preserveFds: [],
    });
  } catch (error) {
    if (isEngineError(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE')) return { ok: false, timedOut: false, output: '' };
    throw error;
  }
  const pidFile = join(session.directory, 'pidfile');
  const { read, write } = makePipe();
  using output = new Output(read, limitBytes);
  try {
    const runtime = await engine.runtime(record.config);
    const ended = runtime
      .exec(record.id, { processFile: session.processFile, preserveFds: [], pidFile, stdin: false, output: write })
      .catch((error: unknown) => {
        if (isEngineError(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE', 'HELPER_FAILED')) return 126;
        throw error;
      })
      // Not before: a runtime may take its time until it hands it on.
      .finally(() => closeSync(write));
    const timedOut = !(await endsWithin(ended, check.timeoutMs, pidFile));
    const code = await ended;
    await output.drained(DRAIN_MS);
    return { ok: code === 0 && !timedOut, timedOut, output: timedOut ? '' : output.text() };
  } finally {
    closeSession(session);
  }
}

async function endsWithin(ended: Promise<number>, timeoutMs: number, pidFile: string): Promise<boolean> {
  const done = ended.then(
    () => true,
    () => true,
  );
  // A timer takes no more than 2^31 ms.
  const stop = new AbortController();
  const late = sleep(Math.min(timeoutMs, 2 ** 31 - 1), false, { signal: stop.signal }).catch(() => false);
  if (await Promise.race([done, late])) {
    stop.abort();
    return true;
  }
  do killCheck(pidFile);
  while (!(await Promise.race([done, sleep(KILL_EVERY_MS, false)])));
  return false;
}

function killCheck(pidFile: string): void {
  const check = identify(Number(readIfThere(pidFile) ?? ''));
  if (check !== undefined) killTree(check);
}

/** Reads a pipe to its end and keeps its beginning. */
class Output implements Disposable {
  readonly #socket: Socket;
  readonly #pieces: Buffer[] = [];
  readonly #end: Promise<void>;
  #left: number;

  constructor(fd: number, limitBytes: number) {
    this.#left = limitBytes;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#end = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (piece: Buffer) => {
      if (this.#left > 0) this.#pieces.push(piece.subarray(0, this.#left));
      this.#left = Math.max(0, this.#left - piece.length);
    });
  }

  async drained(timeoutMs: number): Promise<void> {
    await Promise.race([this.#end, sleep(timeoutMs)]);
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
