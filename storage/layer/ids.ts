import { EngineError } from '../../core/errors.ts';
import { isInitialUserNamespace } from '../../host/identity.ts';
import { availableIds, readIdMap, type IdMapEntry } from '../../host/idmap.ts';

/** The ids that files can belong to here. */
export interface IdSpace {
  readonly uids: readonly IdMapEntry[];
  readonly gids: readonly IdMapEntry[];
  /** Only one id is mapped: ownership cannot be kept and is given up without failing. */
  readonly single: boolean;
}

export function readIdSpace(): IdSpace {
  const uids = readIdMap('uid');
  const gids = readIdMap('gid');
  return { uids, gids, single: !isInitialUserNamespace() && (countIds(uids) === 1 || countIds(gids) === 1) };
}

/** Throws LAYER_REFUSED when an id has no place in the map. */
export function checkIds(ids: IdSpace, uid: number, gid: number, path: Buffer): void {
  if (isMapped(ids.uids, uid) && isMapped(ids.gids, gid)) return;
  const needed = Math.max(uid, gid);
  throw new EngineError(
    'LAYER_REFUSED',
    `potentially insufficient UIDs or GIDs available in user namespace (requested ${uid}:${gid} for ${path.toString()}): ` +
      `the layer needs IDs up to ${needed}, there are ${Math.min(availableIds(ids.uids), availableIds(ids.gids))}`,
    { hint: 'Check /etc/subuid and /etc/subgid, then run: lichen system migrate' },
  );
}

/** 2^32-1 means "leave it" to chown(2), so it is never an id. */
function isMapped(map: readonly IdMapEntry[], id: number): boolean {
  return id < 0xffffffff && map.some((entry) => id >= entry.inside && id < entry.inside + entry.size);
}

function countIds(map: readonly IdMapEntry[]): number {
  return map.reduce((count, entry) => count + entry.size, 0);
}
