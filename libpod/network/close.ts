/** The end of the namespace of all bridges. */
import { join } from 'node:path';
import { tryLockFile } from '../../host/flock.ts';
import { closeBridges } from '../../network/bridge/bridge.ts';

/** For whoever holds the lock of networks, and has found no container on a bridge. False while somebody is in there. */
export async function closeUnlessVisited(directory: string): Promise<boolean> {
  using free = tryLockFile(visitors(directory));
  if (free === undefined) return false;
  await closeBridges(directory);
  return true;
}

/** Held, shared, by whoever is in there without a container. */
export function visitors(directory: string): string {
  return join(directory, 'visit');
}
