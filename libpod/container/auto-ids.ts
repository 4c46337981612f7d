/** Subordinate ids for containers with `--userns=auto`: how many one needs, and which nobody has taken. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { availableIds, readIdMap } from '../../host/idmap.ts';
import { Root } from '../../host/root.ts';
import type { Engine } from '../engine.ts';
import { isWhiteout } from '../../storage/layer/whiteout.ts';
import { idsNeeded } from '../spec/user.ts';
import type { IdSpan } from '../spec/userns.ts';
import type { IdRange } from '../spec/wish.ts';
import { readInRoot } from './in-root.ts';

/** Enough for every account of the image's passwd and group files, and for a `user` in numbers (`--user`). */
export async function neededIds(engine: Engine, user: string | undefined, layers: readonly Digest[]): Promise<number> {
  const lowers = (await engine.layers()).lowerDirs(layers);
  const passwd = topmost(lowers, '/etc/passwd');
  const group = topmost(lowers, '/etc/group');
  const numbers = (user ?? '').split(':').filter((word) => /^\d+$/.test(word));
  return Math.max(idsNeeded({ ...(passwd && { passwd }), ...(group && { group }) }), ...numbers.map((word) => Number(word) + 1));
}

/** A file of the image, of whose layers the first hides the others. */
function topmost(lowers: readonly string[], path: string): Uint8Array | undefined {
  for (const lower of lowers) {
    using root = new Root(lower);
    const found = readInRoot(root, path);
    if (found !== undefined) return found;
    const hidden = lstatSync(join(lower, path), { throwIfNoEntry: false });
    if (hidden !== undefined && isWhiteout(hidden)) return undefined;
  }
  return undefined;
}

export function freeIds(engine: Engine): { readonly uids: readonly IdSpan[]; readonly gids: readonly IdSpan[] } {
  const maps = engine.containers
    .list()
    .flatMap(({ config }) => (config.namespaces.user.kind === 'auto' && config.idMap ? [config.idMap] : []));
  return {
    uids: gaps(
      availableIds(readIdMap('uid')),
      maps.flatMap((map) => map.uids),
    ),
    gids: gaps(
      availableIds(readIdMap('gid')),
      maps.flatMap((map) => map.gids),
    ),
  };
}

/** Id 0 is the user: an auto container must not have it. */
function gaps(end: number, taken: readonly IdRange[]): IdSpan[] {
  const spans: IdSpan[] = [];
  let start = 1;
  for (const range of taken.toSorted((a, b) => a.hostId - b.hostId)) {
    if (range.hostId > start) spans.push({ start, size: range.hostId - start });
    start = Math.max(start, range.hostId + range.size);
  }
  if (end > start) spans.push({ start, size: end - start });
  return spans;
}
