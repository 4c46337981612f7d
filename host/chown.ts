import { chownSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { availableIds, idRemedy, readIdMap } from './idmap.ts';

/** chown(2). Throws SUBID_RANGE_MISSING for an id that does not exist in this user namespace. */
export function giveTo(path: string, uid: number, gid: number): void {
  try {
    chownSync(path, uid, gid);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw cause;
    const available = Math.min(availableIds(readIdMap('uid')), availableIds(readIdMap('gid')));
    throw new EngineError('SUBID_RANGE_MISSING', `chown ${path} to ${uid}:${gid}: there is no such ID here`, {
      cause,
      hint: idRemedy(available),
    });
  }
}
