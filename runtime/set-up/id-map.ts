/** A user namespace that nobody lives in, for its id maps alone (mount_setattr(2), MOUNT_ATTR_IDMAP). */
import { closeSync, openSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { Deputy } from '../../host/deputy/deputy.ts';
import type { IdMapping } from '../config.ts';
import { CLONE, writeIdMaps } from './namespaces.ts';

export interface IdMaps {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/**
 * What crun's option `idmap=` takes: `uids=FROM-TO-SIZE#…;gids=…`. Who is FROM in the source is TO in the mount; after an `@`, TO is an id of
 * the container's. Throws INVALID_ARGUMENT.
 */
export function parseIdMaps(words: string, container: IdMaps): IdMaps {
  if (words === '') return container;
  const maps: { uids: readonly IdMapping[]; gids: readonly IdMapping[] } = { uids: [], gids: [] };
  for (const word of words.split(';')) {
    const [, kind, ranges] = /^(uids|gids)=(.+)$/.exec(word) ?? [];
    if (kind !== 'uids' && kind !== 'gids') throw new EngineError('INVALID_ARGUMENT', `invalid option \`${word}\` in idmap`);
    maps[kind] = ranges!.split('#').map((range) => parseRange(range, container[kind]));
  }
  return maps;
}

function parseRange(range: string, container: readonly IdMapping[]): IdMapping {
  const [, relative, ...numbers] = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(range) ?? [];
  const [containerID = 0, to = 0, size = 0] = numbers.map(Number);
  if (numbers.length === 0 || size === 0 || Math.max(containerID, to) + size >= 2 ** 32)
    throw new EngineError('INVALID_ARGUMENT', `invalid mapping \`${range}\` in idmap: FROM-TO-SIZE is expected`);
  if (relative === '') return { containerID, hostID: to, size };
  const map = container.find((one) => one.containerID <= to && to + size <= one.containerID + one.size);
  if (map === undefined)
    throw new EngineError('INVALID_ARGUMENT', `mapping \`${range}\` in idmap: the container's user namespace has no such ids in one piece`);
  return { containerID, hostID: map.hostID + to - map.containerID, size };
}

/** Throws SYSCALL, INVALID_ARGUMENT. */
export async function idMapNamespace({ uids, gids }: IdMaps): Promise<Disposable & { readonly fd: number }> {
  if (uids.length === 0 || gids.length === 0)
    throw new EngineError(
      'INVALID_ARGUMENT',
      'a mount with mapped ids needs maps for uids and gids, its own or those of a user namespace of the container',
    );
  using holder = Deputy.start({ fds: ['null', 'null', 'null'] });
  holder.call('unshare', [CLONE.user], 'user namespace');
  await writeIdMaps(holder.pid, uids, gids);
  const fd = openSync(`/proc/${holder.pid}/ns/user`, 'r');
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
