/**
 * Who tells a service manager that a container is ready (sd_notify(3)), by `--sdnotify`:
 *
 * - `container`: its own processes, at a socket that they see in /run/notify. All that they say goes on to the service manager (monitor/notify.ts).
 * - `conmon`: we do, as soon as it runs.
 * - `healthy`: whoever started it and waits until it is healthy (health/await.ts).
 *
 * In each the main process of the service is the monitor. Nothing of this is there without NOTIFY_SOCKET.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../../core/log.ts';
import { sendDatagram } from '../../host/datagram.ts';
import type { ProcessIdentity } from '../../host/pid.ts';
import { passOn } from '../monitor/notify.ts';
import type { ContainerConfig, StartFacts } from '../spec/container.ts';
import type { ContainerPlaces } from './places.ts';

const TARGET = '/run/notify';
const SOCKET = 'notify.sock';
/** In the bundle: where the container speaks, and where conmon makes a socket of its own for `READY=1`. */
const MAILBOX = 'mailbox';
const MONITORS = 'notify';

export interface Readiness {
  /** The service manager's socket, for the monitor to pass on to. */
  readonly passedOnTo?: string;
  /** The container with what it needs to tell. */
  readonly config: ContainerConfig;
  readonly files: StartFacts['files'];
  /** To be called when the monitor is there, before the container's process is let go. Throws SYSCALL. */
  created(monitor: ProcessIdentity | undefined): Promise<void>;
  /** To be called when the container runs. A service manager that is gone is no failure: it is told as a warning. */
  started(monitorPid: number): void;
}

/** Prepare a start for the service manager at `socket`, by a caller with this environment. */
export function prepareReadiness(config: ContainerConfig, socket: string, places: ContainerPlaces, env: NodeJS.ProcessEnv): Readiness {
  const mode = config.sdnotify?.mode ?? 'container';
  const [mailbox = '', monitors = ''] = [MAILBOX, MONITORS].map((name) => join(places.run, name));
  for (const directory of [mailbox, monitors]) rmSync(directory, { recursive: true, force: true });
  const started = (monitorPid: number): void => tellStarted(config, socket, monitorPid);
  if (mode !== 'container') return { config, files: {}, created: () => Promise.resolve(), started };
  for (const directory of [mailbox, monitors]) mkdirSync(directory, { mode: 0o755 });
  return {
    passedOnTo: socket,
    config: { ...config, env: [...watchdog(env), ...config.env, `NOTIFY_SOCKET=${TARGET}/${SOCKET}`] },
    files: { [TARGET]: mailbox },
    created: async (monitor) => {
      // One that has ended already takes its container with it.
      if (monitor === undefined) return;
      await passOn({ mailbox: join(mailbox, SOCKET), manager: socket, ready: join(monitors, SOCKET), monitor });
    },
    started,
  };
}

/** How often the service manager wants to hear `WATCHDOG=1`. The pid that comes with it is of a process outside. */
function watchdog({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: interval }: NodeJS.ProcessEnv): readonly string[] {
  return socket && interval ? [`WATCHDOG_USEC=${interval}`] : [];
}

/** The container runs; what it needed for that was made by `prepareReadiness`. */
export function tellStarted(config: ContainerConfig, socket: string, monitorPid: number): void {
  tell(socket, `MAINPID=${monitorPid}${config.sdnotify?.mode === 'conmon' ? '\nREADY=1' : ''}`);
}

/** For the waiting caller: systemd hears only what processes of the unit say, and health checks are not among them. */
export function tellHealthy(socket: string): void {
  tell(socket, 'READY=1');
}

function tell(socket: string, message: string): void {
  try {
    sendDatagram(socket, message);
  } catch (error) {
    log.warn(`the service manager at ${socket} cannot be told: ${(error as Error).message}`);
  }
}
