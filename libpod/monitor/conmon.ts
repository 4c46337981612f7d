/**
 * conmon(8) as the monitor.
 *
 * Protocol: conmon opens the log, reads one byte from the start pipe, forks away (the first process ends at once), makes the attach and
 * control files in the bundle directory, runs `runtime create`, and writes `{"data": PID}` or `{"data": -1, "message": …}` to the sync
 * pipe. For exec it writes `{"data": 0}` to the attach pipe when the attach socket is there and waits for a second start byte.
 */
import { readIfThere } from '../../host/if-there.ts';
import { passesStreamsThrough } from '../spec/container.ts';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { makePipe, readLine } from '../../host/pipe.ts';
import { launch, type Launched } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';
import { lastLoggedError, runtimeError } from '../runtime/failure.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { preserveArgs, withoutGaps } from '../runtime/preserved.ts';
import type { Monitor, MonitorCreate, MonitoredProcess, MonitorExec, MonitorStreams, PreparedMonitor } from './monitor.ts';

const DIRECTORIES = [
  '/usr/libexec/podman',
  '/usr/local/libexec/podman',
  '/usr/local/lib/podman',
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
] as const;

export interface ConmonChoice {
  /** `--conmon` */
  readonly wanted?: string | undefined;
  /** [engine] conmon_path of containers.conf: paths of the binary, tried first. */
  readonly directories: readonly string[];
  readonly runtime: Runtime;
  /** Where exit files go: `<exitDirectory>/<id>`. */
  readonly exitDirectory: string;
  readonly systemdCgroup: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Throws HELPER_MISSING. */
export function openConmon(choice: ConmonChoice): Monitor {
  const configured = choice.directories.find((file) => findProgram(file) !== undefined);
  const path = choice.wanted === undefined && configured !== undefined ? configured : findProgram(choice.wanted ?? 'conmon', DIRECTORIES);
  if (path === undefined) {
    throw new EngineError('HELPER_MISSING', `${choice.wanted ?? 'conmon'}: not found`, {
      hint: 'Install it (Debian: apt-get install conmon).',
    });
  }
  return new Conmon(path, choice);
}

class Conmon implements Monitor {
  readonly name = 'conmon';
  readonly path: string;
  readonly #choice: ConmonChoice;

  constructor(path: string, choice: ConmonChoice) {
    this.path = path;
    this.#choice = choice;
  }

  async prepare(request: MonitorCreate): Promise<PreparedMonitor> {
    const ociLog = join(request.runDir, 'oci-log');
    const pidFile = join(request.runDir, 'pidfile');
    const monitorPidFile = join(request.runDir, 'conmon.pid');
    const json =
      request.log.driver === 'json-file'
        ? 3 + withoutGaps(request.preserveFds).length + CREATE_CHANNELS.length + request.heldFds.length
        : undefined;
    const args = [
      ...this.#commonArgs(request, request.id, request.bundle, pidFile, ociLog),
      '--exit-dir',
      this.#choice.exitDirectory,
      '--conmon-pidfile',
      monitorPidFile,
      ...logArgs(request.log, json === undefined ? undefined : `/proc/self/fd/${json}`),
      ...(request.timeoutSeconds === undefined ? [] : ['-T', String(request.timeoutSeconds)]),
      ...runtimePreserved(request.preserveFds),
      ...(request.notifySocket === undefined ? [] : [`--sdnotify-socket=${request.notifySocket}`]),
      ...exitArgs(json === undefined ? request.exitCommand : withoutDescriptor(json, request.exitCommand)),
    ];
    using stderr = errorFile(join(request.runDir, 'conmon.log'));
    using writer = json === undefined ? undefined : await (await import('./json-log.ts')).startJsonLog(request);
    const { channels, child } = await this.#launch(
      args,
      stderr.fd,
      CREATE_CHANNELS,
      writer === undefined ? request.heldFds : [...request.heldFds, writer.fd],
      request.preserveFds,
      passesStreamsThrough(request) ? [0, 1, 2] : undefined,
    );
    let isUsed = false;
    return {
      create: async () => {
        isUsed = true;
        channels.go();
        const answer = await this.#answer(channels, child);
        const pid = this.#pidFrom(answer, ociLog, stderr.path);
        return {
          pid,
          monitorPid: Number(readFileSync(monitorPidFile, 'latin1')),
          attachSocket: join(request.bundle, 'attach'),
          controlFifo: join(request.bundle, 'ctl'),
          exitFile: join(this.#choice.exitDirectory, request.id),
        };
      },
      [Symbol.dispose]: () => {
        if (!isUsed) {
          // Before its pipe is closed, which it would take for the byte.
          child.kill('SIGKILL');
          child.exited.catch(() => undefined);
        }
        channels[Symbol.dispose]();
      },
    };
  }

  async exec(request: MonitorExec): Promise<MonitoredProcess> {
    const ociLog = join(request.directory, 'oci-log');
    const pidFile = join(request.directory, 'pidfile');
    const monitorPidFile = join(request.directory, 'conmon.pid');
    const args = [
      ...this.#commonArgs(request, request.execId, request.directory, pidFile, ociLog),
      '--exit-dir',
      join(request.directory, 'exit'),
      '--conmon-pidfile',
      monitorPidFile,
      '-l',
      'none',
      '-e',
      '--exec-attach',
      '--exec-process-spec',
      request.processFile,
      ...runtimePreserved(request.preserveFds),
      ...exitArgs(request.exitCommand),
    ];
    using stderr = errorFile(join(request.directory, 'conmon.log'));
    const launched = await this.#launch(args, stderr.fd, ['_OCI_SYNCPIPE', '_OCI_STARTPIPE', '_OCI_ATTACHPIPE'], [], request.preserveFds);
    using channels = launched.channels;
    channels.go();
    const ready = await channels.line('_OCI_ATTACHPIPE');
    const attachSocket = join(request.directory, 'attach');
    if (ready !== undefined) await request.onAttachable?.(attachSocket, join(request.directory, 'ctl'));
    channels.go();
    const answer = await this.#answer(channels, launched.child);
    const pid = this.#pidFrom(answer, ociLog, stderr.path);
    return {
      pid,
      monitorPid: Number(readFileSync(monitorPidFile, 'latin1')),
      attachSocket,
      controlFifo: join(request.directory, 'ctl'),
      exitFile: join(request.directory, 'exit', request.id),
    };
  }

  /** Start conmon with the channels at the first descriptors that are free, from 3 on, as its environment tells it. */
  async #launch(
    args: readonly string[],
    stderr: number,
    channels: readonly Channel[],
    held: readonly number[],
    preserved: readonly number[],
    streams?: readonly [number, number, number],
  ): Promise<LaunchedConmon> {
    const passed = withoutGaps(preserved);
    const pipes = channels.map((channel) => ({ channel, pipe: makePipe() }));
    const theirs = pipes.map(({ channel, pipe }) => (channel === '_OCI_STARTPIPE' ? pipe.read : pipe.write));
    const env = Object.fromEntries(channels.map((channel, index) => [channel, String(3 + passed.length + index)]));
    const ours = new Channels(new Map(pipes.map(({ channel, pipe }) => [channel, channel === '_OCI_STARTPIPE' ? pipe.write : pipe.read])));
    try {
      const child = await launch(this.path, args, {
        stdio: [...(streams ?? (['ignore', 'ignore', stderr] as const)), ...passed, ...theirs, ...held],
        env: { ...this.#choice.env, ...env },
        cwd: '/',
        detached: true,
        package: 'conmon',
      });
      return { channels: ours, child };
    } catch (error) {
      ours[Symbol.dispose]();
      throw error;
    } finally {
      for (const fd of theirs) closeSync(fd);
    }
  }

  #commonArgs(
    request: MonitorStreams & { id: string; name: string; isSplit?: boolean },
    unique: string,
    bundle: string,
    pidFile: string,
    ociLog: string,
  ): string[] {
    const { runtime } = this.#choice;
    return [
      '--api-version',
      '1',
      '-c',
      request.id,
      '-u',
      unique,
      '-r',
      runtime.path,
      '-b',
      bundle,
      '-p',
      pidFile,
      '-n',
      request.name,
      '--full-attach',
      ...(this.#choice.systemdCgroup && request.isSplit !== true ? ['-s'] : []),
      '--log-level',
      'warning',
      ...['--log-format=json', '--log', ociLog, ...runtime.globalArgs.filter((arg) => arg !== '--systemd-cgroup')].flatMap((arg) => [
        `--runtime-arg=${arg}`,
      ]),
      ...(request.terminal ? ['-t'] : request.stdin ? ['-i'] : []),
      ...(request.keepStdinOpen ? ['--leave-stdin-open'] : []),
    ];
  }

  /** The first process ends as soon as it has forked away and written the pid file of the second, which may be faster than that. */
  async #answer(channels: Channels, child: Launched): Promise<string | undefined> {
    const [answer] = await Promise.all([channels.line('_OCI_SYNCPIPE'), child.exited]);
    return answer;
  }

  #pidFrom(answer: string | undefined, ociLog: string, errorLog: string): number {
    const message = answer === undefined ? undefined : (JSON.parse(answer) as { data?: number; pid?: number; message?: string });
    const pid = message?.data ?? message?.pid ?? -1;
    if (pid > 0) return pid;
    const said = lastLoggedError(readIfThere(ociLog) ?? '') ?? message?.message;
    if (said !== undefined && said !== '') throw runtimeError(this.#choice.runtime.name, said);
    throw new EngineError('HELPER_FAILED', `conmon: ${(readIfThere(errorLog) ?? '').trim() || 'ended without a word'}`, { exitCode: 126 });
  }
}

interface LaunchedConmon {
  readonly channels: Channels;
  readonly child: Launched;
}

/** conmon writes one format: `pipe` leads to who writes Docker's. */
function logArgs(log: MonitorCreate['log'], pipe: string | undefined): string[] {
  if (log.driver === 'none') return ['-l', 'none'];
  if (passesStreamsThrough({ log })) return ['-l', 'passthrough'];
  if (log.driver === 'journald') return ['-l', 'journald', ...(log.tag === undefined ? [] : ['--log-tag', log.tag])];
  if (pipe !== undefined) return ['-l', `k8s-file:${pipe}`];
  return ['-l', `k8s-file:${log.path}`, ...(log.maxSizeBytes === undefined ? [] : ['--log-size-max', String(log.maxSizeBytes)])];
}

/** In the words that the monitor hands to the runtime. */
function runtimePreserved(fds: readonly number[]): string[] {
  return preserveArgs(fds).flatMap((arg) => ['--runtime-opt', arg]);
}

/** The log is at its end when nobody holds its pipe, and the exit command goes on. A shell of one-digit descriptors has to do. */
function withoutDescriptor(fd: number, command: readonly string[]): string[] {
  return fd > 9 ? [...command] : ['/bin/sh', '-c', `exec ${fd}>&-; exec "$@"`, 'sh', ...command];
}

function exitArgs(command: readonly string[]): string[] {
  const [program, ...args] = command;
  if (program === undefined) return [];
  return ['--exit-command', program, ...args.flatMap((arg) => ['--exit-command-arg', arg])];
}

const CREATE_CHANNELS = ['_OCI_SYNCPIPE', '_OCI_STARTPIPE'] as const;
type Channel = '_OCI_SYNCPIPE' | '_OCI_STARTPIPE' | '_OCI_ATTACHPIPE';

/** Our ends of the pipes to conmon. */
class Channels implements Disposable {
  readonly #ends: ReadonlyMap<Channel, number>;

  constructor(ends: ReadonlyMap<Channel, number>) {
    this.#ends = ends;
  }

  /** The byte that conmon waits for. A conmon that is gone already is noticed by `line`. */
  go(): void {
    try {
      writeSync(this.#ends.get('_OCI_STARTPIPE')!, '\0');
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

function errorFile(path: string): Disposable & { readonly fd: number; readonly path: string } {
  const fd = openSync(path, 'w', 0o600);
  return { fd, path, [Symbol.dispose]: () => closeSync(fd) };
}
