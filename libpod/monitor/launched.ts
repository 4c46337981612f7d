/**
 * A monitor that has been started and waits: what is said to it and heard from it, alike for all makes. It reads a byte from the start channel
 * before it begins, and writes `{"data": PID}` or `{"data": -1, "message": …}` to the sync channel. For exec it writes `{"data": 0}` to the attach
 * channel when the attach socket is there, and waits for a second byte.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { readIfThere } from '../../host/if-there.ts';
import { makePipe, readLine } from '../../host/pipe.ts';
import type { Launched } from '../../host/process.ts';
import { lastLoggedError, runtimeError } from '../runtime/failure.ts';
import type { MonitoredProcess, MonitorExec, PreparedMonitor } from './monitor.ts';

export type Channel = 'sync' | 'start' | 'attach';

export interface LaunchedMonitor {
  readonly channels: Channels;
  /** The process that was started: it ends as soon as it has forked away. */
  readonly child: Launched;
}

export interface MonitorFiles {
  readonly ociLog: string;
  /** Written by the runtime. */
  readonly pidFile: string;
  readonly monitorPidFile: string;
  readonly errorLog: string;
  readonly attachSocket: string;
  readonly controlFifo: string;
  readonly exitFile: string;
}

/** In the bundle, or in the directory of an exec session. */
export function monitorFiles(directory: string, exitFile: string): MonitorFiles {
  return {
    ociLog: join(directory, 'oci-log'),
    pidFile: join(directory, 'pidfile'),
    monitorPidFile: join(directory, 'conmon.pid'),
    errorLog: join(directory, 'conmon.log'),
    attachSocket: join(directory, 'attach'),
    controlFifo: join(directory, 'ctl'),
    exitFile,
  };
}

/** Whose words an error may repeat. */
export interface Speakers {
  readonly monitor: string;
  readonly runtime: string;
}

export function prepared(monitor: LaunchedMonitor, files: MonitorFiles, speakers: Speakers): PreparedMonitor {
  const { channels, child } = monitor;
  let isUsed = false;
  return {
    create: () => {
      isUsed = true;
      channels.go();
      return processOf(monitor, files, speakers);
    },
    [Symbol.dispose]: () => {
      if (!isUsed) {
        // Before its channel is closed, which it might take for the byte.
        child.kill('SIGKILL');
        child.exited.catch(() => undefined);
      }
      channels[Symbol.dispose]();
    },
  };
}

export async function session(
  monitor: LaunchedMonitor,
  { onAttachable }: Pick<MonitorExec, 'onAttachable'>,
  files: MonitorFiles,
  speakers: Speakers,
): Promise<MonitoredProcess> {
  using channels = monitor.channels;
  channels.go();
  const isReady = (await channels.line('attach')) !== undefined;
  if (isReady) await onAttachable?.(files.attachSocket, files.controlFifo);
  channels.go();
  return await processOf(monitor, files, speakers);
}

async function processOf({ channels, child }: LaunchedMonitor, files: MonitorFiles, speakers: Speakers): Promise<MonitoredProcess> {
  // It may say that all is done before its first process, which writes the pid file of the second, has ended.
  const [answer] = await Promise.all([channels.line('sync'), child.exited]);
  const { attachSocket, controlFifo, exitFile } = files;
  const pid = pidFrom(answer, files, speakers);
  return { pid, monitorPid: Number(readFileSync(files.monitorPidFile, 'latin1')), attachSocket, controlFifo, exitFile };
}

function pidFrom(answer: string | undefined, { ociLog, errorLog }: MonitorFiles, { monitor, runtime }: Speakers): number {
  const message = answer === undefined ? undefined : (JSON.parse(answer) as { data?: number; pid?: number; message?: string });
  const pid = message?.data ?? message?.pid ?? -1;
  if (pid > 0) return pid;
  const said = lastLoggedError(readIfThere(ociLog) ?? '') ?? message?.message;
  if (said !== undefined && said !== '') throw runtimeError(runtime, said);
  throw new EngineError('HELPER_FAILED', `${monitor}: ${(readIfThere(errorLog) ?? '').trim() || 'ended without a word'}`, {
    exitCode: 126,
  });
}

/** Our ends of the pipes to a monitor. */
export class Channels implements Disposable {
  readonly #ends: ReadonlyMap<Channel, number>;
  /** In the order in which the channels were named. */
  readonly #theirs: readonly number[];

  constructor(names: readonly Channel[]) {
    const pipes = names.map((name) => ({ name, pipe: makePipe() }));
    this.#ends = new Map(pipes.map(({ name, pipe }) => [name, name === 'start' ? pipe.write : pipe.read]));
    this.#theirs = pipes.map(({ name, pipe }) => (name === 'start' ? pipe.read : pipe.write));
  }

  /** The monitor is started by `launch`, and has its ends then. */
  async handOver<T>(launch: (theirs: readonly number[]) => Promise<T>): Promise<T> {
    try {
      return await launch(this.#theirs);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    } finally {
      for (const fd of this.#theirs) closeSync(fd);
    }
  }

  /** The byte that the monitor waits for. One that is gone already is noticed by `line`. */
  go(): void {
    try {
      writeSync(this.#ends.get('start')!, '\0');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    }
  }

  /** Undefined when it closed the channel without a word. */
  line(channel: Channel): Promise<string | undefined> {
    return readLine(this.#ends.get(channel)!);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#ends.values()) closeSync(fd);
  }
}

/** Where a monitor complains: its stderr. */
export function errorFile(path: string): Disposable & { readonly fd: number } {
  const fd = openSync(path, 'w', 0o600);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
