import type { ContainerId } from '../../core/id.ts';
import { endProcessesNaming } from '../../host/find-process.ts';
import type { Engine } from '../engine.ts';
import { placesOf } from './places.ts';

/**
 * End what a killed start had set going and no row knows yet: a monitor that has not written its pid file, a runtime in the middle of `create`,
 * the maker of the network namespace, a network helper. Left alone they would mount and start things after all had been taken back.
 * Their arguments name the container's run directory or its network namespace. The lock is held.
 */
export async function endStrays(engine: Engine, id: ContainerId): Promise<void> {
  const { run, netns } = placesOf(engine, id);
  await endProcessesNaming([run, netns]);
}
