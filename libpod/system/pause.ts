import { rmSync } from 'node:fs';
import { pauseFile, recordedPause } from '../../host/pause.ts';
import { signalProcess, waitForEnd } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';

const SIGKILL = 9;

/**
 * End the process that holds the namespaces, so that the next command makes new ones. It is known by pid and start time: no other process can be
 * hit. Namespaces live on as long as a container (or this process) is in them. None there is fine.
 */
export async function endPause({ paths }: Pick<Engine, 'paths'>): Promise<void> {
  const pause = recordedPause(paths.run);
  if (pause && signalProcess(pause, SIGKILL)) await waitForEnd(pause, 5000);
  rmSync(pauseFile(paths.run), { force: true });
}
