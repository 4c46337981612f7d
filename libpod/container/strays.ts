import type { ContainerId } from '../../core/id.ts';
import { processesNaming } from '../../host/find-process.ts';
import { signalProcess, waitForEnd } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import { placesOf } from './places.ts';

const SIGKILL = 9;
/** A process that is being killed may just have started another. */
const ROUNDS = 20;
const END_TIMEOUT_MS = 5000;

/**
 * End what a killed start had set going and no row knows yet: a monitor that has not written its pid file, a runtime in the middle of `create`,
 * the maker of the network namespace, a network helper. Left alone they would mount and start things after all had been taken back.
 * Their arguments name the container's run directory or its network namespace. The lock is held.
 */
export async function endStrays(engine: Engine, id: ContainerId): Promise<void> {
  const { run, netns } = placesOf(engine, id);
  for (let round = 0; round < ROUNDS; round++) {
    const strays = processesNaming([run, netns]);
    if (strays.length === 0) return;
    for (const stray of strays) signalProcess(stray, SIGKILL);
    await Promise.all(strays.map((stray) => waitForEnd(stray, END_TIMEOUT_MS)));
  }
}
