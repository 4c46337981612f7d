/**
 * The monitor of our own, for machines without conmon: a Node process (monitor-main.ts) that does the same by the same files. It costs 40 ms at its
 * start, which overlap with the making of the bundle, and more memory than conmon (docs/architecture.md).
 */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryFile } from '../../host/pipe.ts';
import { launch } from '../../host/process.ts';
import { ownTuning } from '../../host/tuning.ts';
import { withoutGaps } from '../runtime/preserved.ts';
import { passesStreamsThrough } from '../spec/container.ts';
import { argvBeside } from './beside.ts';
import type { MonitorChoice } from './choose.ts';
import type { MonitorTask } from './inside/task.ts';
import {
  Channels,
  errorFile,
  type LaunchedMonitor,
  monitorFiles,
  type MonitorFiles,
  prepared,
  session,
  type Speakers,
} from './launched.ts';
import { openLogFile } from './log-file.ts';
import type { Monitor, MonitorCreate, MonitoredProcess, MonitorExec, PreparedMonitor } from './monitor.ts';

export class EmbeddedMonitor implements Monitor {
  readonly name = 'embedded';
  readonly isDeleting: boolean;
  readonly #choice: MonitorChoice;

  constructor(choice: MonitorChoice) {
    this.#choice = choice;
    this.isDeleting = choice.runtime.inside !== undefined;
  }

  get #speakers(): Speakers {
    return { monitor: 'monitor', runtime: this.#choice.runtime.name };
  }

  async prepare(request: MonitorCreate): Promise<PreparedMonitor> {
    // Said in so many words here: the monitor's are for those who look for its faults.
    if (writesFile(request)) closeSync(openLogFile(request.log.path));
    const files = monitorFiles(request.runDir, join(this.#choice.exitDirectory, request.id));
    const task: MonitorTask = {
      ...request,
      ...this.#runtime(files, request.isSplit, ['create', '--bundle', request.bundle]),
      kind: 'create',
      directory: request.bundle,
      pidFile: files.pidFile,
      monitorPidFile: files.monitorPidFile,
      exitFile: files.exitFile,
      passesThrough: passesStreamsThrough(request),
    };
    const launched = await this.#launch(task, files, request.heldFds);
    return prepared(launched, files, this.#speakers);
  }

  async exec(request: MonitorExec): Promise<MonitoredProcess> {
    const files = monitorFiles(request.directory, join(request.directory, 'exit', request.id));
    const task: MonitorTask = {
      ...request,
      ...this.#runtime(files, false, ['exec', '--process', request.processFile, '--detach']),
      kind: 'exec',
      pidFile: files.pidFile,
      monitorPidFile: files.monitorPidFile,
      exitFile: files.exitFile,
      log: { driver: 'none', path: '' },
      passesThrough: false,
    };
    const launched = await this.#launch(task, files, []);
    return await session(launched, request, files, this.#speakers);
  }

  #runtime({ ociLog, pidFile }: MonitorFiles, isSplit: boolean, verb: readonly string[]): Pick<MonitorTask, 'program' | 'args' | 'inside'> {
    const { path, globalArgs, inside } = this.#choice.runtime;
    const globals = globalArgs.filter((arg) => !isSplit || arg !== '--systemd-cgroup');
    return {
      program: path,
      args: [...globals, '--log-format=json', '--log', ociLog, ...verb, '--pid-file', pidFile],
      inside: inside && isSplit && inside.cgroupManager === 'systemd' ? { ...inside, cgroupManager: 'cgroupfs' } : inside,
    };
  }

  async #launch(task: MonitorTask, files: MonitorFiles, held: readonly number[]): Promise<LaunchedMonitor> {
    using stderr = errorFile(files.errorLog);
    using told = new MemoryFile(JSON.stringify(task));
    const passed = withoutGaps(task.preserveFds);
    const first = 3 + passed.length;
    const channels = new Channels(['sync', 'start', 'attach']);
    const child = await channels.handOver((theirs) => {
      const stdio = [...(task.passesThrough ? ([0, 1, 2] as const) : (['ignore', 'ignore', stderr.fd] as const)), ...passed];
      const ours = [told.fd, ...theirs, ...held];
      // It forks away, so that whoever waits for us has not to wait for it.
      const argv = ['--fork', ...argvBeside('monitor-main', [task.directory, String(first), String(first + ours.length)])];
      return launch('setsid', argv, {
        stdio: [...stdio, ...ours],
        env: { ...this.#choice.env, ...ownTuning() },
        cwd: '/',
        package: 'util-linux',
      });
    });
    return { channels, child };
  }
}

function writesFile({ log }: Pick<MonitorCreate, 'log'>): boolean {
  return log.driver === 'k8s-file' || log.driver === 'json-file';
}
