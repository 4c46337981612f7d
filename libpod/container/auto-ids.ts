/** Subordinate ids that no container with `--userns=auto` has taken. */
import { availableIds, readIdMap } from '../../host/idmap.ts';
import type { Engine } from '../engine.ts';
import type { IdSpan } from '../spec/userns.ts';
import type { IdRange } from '../spec/wish.ts';

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
