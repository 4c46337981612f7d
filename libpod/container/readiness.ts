/**
 * Who tells a service manager that a container is ready (sd_notify(3)), by `--sdnotify`:
 *
 * - `container`: its own processes. The monitor has a socket of its own in a directory that the container sees as /run/notify, and passes on
 *   `READY=1` from there.
 * - `conmon`: we do, as soon as it runs.
 * - `healthy`: whoever started it and waits until it is healthy (health/await.ts).
 *
 * In each the main process of the service is the monitor. Nothing of this is there without NOTIFY_SOCKET.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../../core/log.ts';
import { sendDatagram } from '../../host/datagram.ts';
import type { ContainerConfig, StartFacts } from '../spec/container.ts';
import type { ContainerPlaces } from './places.ts';

const TARGET = '/run/notify';

export interface Readiness {
  /** The service manager's socket, for the monitor to pass on to. */
  readonly passedOnTo?: string;
  /** The container with what it needs to tell. */
  readonly config: ContainerConfig;
  readonly files: StartFacts['files'];
  /** To be called when the container runs. A service manager that is gone is no failure: it is told as a warning. */
  started(monitorPid: number): void;
}

/** Prepare a start for the service manager at `socket`. */
export function prepareReadiness(config: ContainerConfig, socket: string, places: ContainerPlaces): Readiness {
  const mode = config.sdnotify?.mode ?? 'container';
  const directory = join(places.run, 'notify');
  rmSync(directory, { recursive: true, force: true });
  const started = (monitorPid: number): void => tellStarted(config, socket, monitorPid);
  if (mode !== 'container') return { config, files: {}, started };
  mkdirSync(directory, { mode: 0o755 });
  return {
    passedOnTo: socket,
    config: { ...config, env: [...config.env, `NOTIFY_SOCKET=${TARGET}/notify.sock`] },
    files: { [TARGET]: directory },
    started,
  };
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
