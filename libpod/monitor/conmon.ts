/**
 * conmon(8) as the monitor.
 *
 * conmon opens the log, reads a byte from the start pipe, forks away (the first process ends at once), makes the attach and control files in the
 * bundle directory, and runs `runtime create`. Which descriptors are its channels it reads from its environment.
 */
import { join } from 'node:path';
import { launch } from '../../host/process.ts';
import { preserveArgs, withoutGaps } from '../runtime/preserved.ts';
import { passesStreamsThrough } from '../spec/container.ts';
import type { MonitorChoice } from './choose.ts';
import {
  type Channel,
  Channels,
  errorFile,
  type LaunchedMonitor,
  monitorFiles,
  type MonitorFiles,
  prepared,
  session,
  type Speakers,
} from './launched.ts';
import type { Monitor, MonitorCreate, MonitoredProcess, MonitorExec, MonitorStreams, PreparedMonitor } from './monitor.ts';

export class Conmon implements Monitor {
  readonly name = 'conmon';
  readonly isDeleting = false;
  readonly path: string;
  readonly #choice: MonitorChoice;

  constructor(path: string, choice: MonitorChoice) {
    this.path = path;
    this.#choice = choice;
  }

  get #speakers(): Speakers {
    return { monitor: 'conmon', runtime: this.#choice.runtime.name };
  }

  async prepare(request: MonitorCreate): Promise<PreparedMonitor> {
    const files = monitorFiles(request.runDir, join(this.#choice.exitDirectory, request.id));
    const json =
      request.log.driver === 'json-file'
        ? 3 + withoutGaps(request.preserveFds).length + CREATE_CHANNELS.length + request.heldFds.length
        : undefined;
    const args = [
      ...this.#commonArgs(request, request.id, request.bundle, files),
      '--exit-dir',
      this.#choice.exitDirectory,
      ...logArgs(request.log, json === undefined ? undefined : `/proc/self/fd/${json}`),
      ...(request.timeoutSeconds === undefined ? [] : ['-T', String(request.timeoutSeconds)]),
      ...runtimePreserved(request.preserveFds),
      ...(request.notifySocket === undefined ? [] : [`--sdnotify-socket=${request.notifySocket}`]),
      ...exitArgs(json === undefined ? request.exitCommand : withoutDescriptor(json, request.exitCommand)),
    ];
    using stderr = errorFile(files.errorLog);
    using writer = json === undefined ? undefined : await (await import('./json-log.ts')).startJsonLog(request);
    const launched = await this.#launch(
      args,
      stderr.fd,
      CREATE_CHANNELS,
      writer === undefined ? request.heldFds : [...request.heldFds, writer.fd],
      request.preserveFds,
      passesStreamsThrough(request) ? [0, 1, 2] : undefined,
    );
    return prepared(launched, files, this.#speakers);
  }

  async exec(request: MonitorExec): Promise<MonitoredProcess> {
    const exitDirectory = join(request.directory, 'exit');
    const files = monitorFiles(request.directory, join(exitDirectory, request.id));
    const args = [
      ...this.#commonArgs(request, request.execId, request.directory, files),
      '--exit-dir',
      exitDirectory,
      '-l',
      'none',
      '-e',
      '--exec-attach',
      '--exec-process-spec',
      request.processFile,
      ...runtimePreserved(request.preserveFds),
      ...exitArgs(request.exitCommand),
    ];
    using stderr = errorFile(files.errorLog);
    const launched = await this.#launch(args, stderr.fd, ['sync', 'start', 'attach'], [], request.preserveFds);
    return await session(launched, request, files, this.#speakers);
  }

  /** Start conmon with the channels at the first descriptors that are free, from 3 on, as its environment tells it. */
  async #launch(
    args: readonly string[],
    stderr: number,
    channels: readonly Channel[],
    held: readonly number[],
    preserved: readonly number[],
    streams?: readonly [number, number, number],
  ): Promise<LaunchedMonitor> {
    const passed = withoutGaps(preserved);
    const env = Object.fromEntries(channels.map((channel, index) => [VARIABLES[channel], String(3 + passed.length + index)]));
    const ours = new Channels(channels);
    const child = await ours.handOver((theirs) =>
      launch(this.path, args, {
        stdio: [...(streams ?? (['ignore', 'ignore', stderr] as const)), ...passed, ...theirs, ...held],
        env: { ...this.#choice.env, ...env },
        cwd: '/',
        detached: true,
        package: 'conmon',
      }),
    );
    return { channels: ours, child };
  }

  #commonArgs(
    request: MonitorStreams & { id: string; name: string; isSplit?: boolean },
    unique: string,
    bundle: string,
    { ociLog, pidFile, monitorPidFile }: MonitorFiles,
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
      '--conmon-pidfile',
      monitorPidFile,
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

const CREATE_CHANNELS = ['sync', 'start'] as const;
const VARIABLES = { sync: '_OCI_SYNCPIPE', start: '_OCI_STARTPIPE', attach: '_OCI_ATTACHPIPE' } as const;
