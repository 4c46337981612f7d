/** A user namespace that nobody lives in, for its id maps alone (mount_setattr(2), MOUNT_ATTR_IDMAP). */
import { closeSync, openSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { Deputy } from '../../host/deputy/deputy.ts';
import type { IdMapping } from '../config.ts';
import { CLONE, writeIdMaps } from './namespaces.ts';

/** Throws SYSCALL, INVALID_ARGUMENT. */
export async function idMapNamespace(
  uids: readonly IdMapping[],
  gids: readonly IdMapping[],
): Promise<Disposable & { readonly fd: number }> {
  if (uids.length === 0 || gids.length === 0)
    throw new EngineError('INVALID_ARGUMENT', 'a mount with mapped ids needs uidMappings and gidMappings');
  using holder = Deputy.start({ fds: ['null', 'null', 'null'] });
  holder.call('unshare', [CLONE.user], 'user namespace');
  await writeIdMaps(holder.pid, uids, gids);
  const fd = openSync(`/proc/${holder.pid}/ns/user`, 'r');
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
