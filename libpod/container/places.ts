/** Where the parts of a container lie. `store` places last until `rm`, `run` places until the container or the session ends. */
import { join } from 'node:path';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';

export interface ContainerPlaces {
  /** In the store. */
  readonly directory: string;
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
  readonly log: string;
  /** In the run directory: bundle, sockets, generated files. */
  readonly run: string;
  readonly netns: string;
  readonly shm: string;
  readonly pidFile: string;
  readonly attachSocket: string;
  readonly control: string;
  readonly exitFile: string;
  /** What the OCI runtime keeps about it. */
  readonly runtimeState: string;
  /** There from before the monitor starts until the clean-up is done: tells the exit script that a clean-up is owed. */
  readonly live: string;
  /** Shared lock of every foreground command that will clean up itself. */
  readonly attended: string;
  /** Not empty until the exit script has deleted the runtime's container. */
  readonly exiting: string;
  /** There while the runtime has hooks to call when it deletes the container. */
  readonly poststop: string;
  /** Names of the timers of this run's health checks, where it has any. */
  readonly healthTimers: string;
  /** There while a command holds the container in a state that it takes back itself (hold.ts). */
  readonly held: string;
  /** Exclusive lock of whoever changes the container. */
  readonly lock: string;
}

export function placesOf(engine: Engine, id: ContainerId): ContainerPlaces {
  const directory = join(engine.paths.store, 'containers', id);
  const run = join(engine.paths.run, 'c', id);
  return {
    directory,
    upper: join(directory, 'upper'),
    work: join(directory, 'work'),
    merged: join(directory, 'merged'),
    log: join(directory, 'ctr.log'),
    run,
    netns: join(engine.paths.run, 'netns', id),
    shm: join(run, 'shm'),
    pidFile: join(run, 'pidfile'),
    attachSocket: join(run, 'attach'),
    control: join(run, 'ctl'),
    exitFile: join(engine.paths.run, 'exits', id),
    runtimeState: join(engine.paths.run, 'oci', id),
    live: join(run, 'live'),
    attended: join(run, 'attended'),
    exiting: join(run, 'exiting'),
    poststop: join(run, 'poststop'),
    healthTimers: join(run, 'health-timers'),
    held: join(engine.paths.run, 'held', id),
    lock: join(engine.paths.run, 'locks', id),
  };
}

export function volumeDirectory(engine: Engine, name: string): string {
  return join(engine.options.volumePath ?? join(engine.paths.store, 'volumes'), name);
}

/** The tree of a volume that containers see. */
export function volumeData(engine: Engine, name: string): string {
  return join(volumeDirectory(engine, name), '_data');
}
