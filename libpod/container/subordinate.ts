/** `--subuidname` and `--subgidname`: the ids that /etc/subuid and /etc/subgid give to a name become those of a container, from 0 on. */
import { readIfThere } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import { parseSubordinateIds, readIdMap, type IdMapEntry, type SubordinateRange } from '../../host/idmap.ts';
import type { IdRange } from '../spec/wish.ts';

/** Throws INVALID_ARGUMENT (the name has none), SUBID_RANGE_MISSING (they are not the caller's). */
export function subordinateIdMap(kind: 'uid' | 'gid', name: string): IdRange[] {
  const file = `/etc/sub${kind}`;
  const ranges = parseSubordinateIds(readIfThere(file) ?? '', { name, uid: -1 });
  if (ranges.length === 0)
    throw new EngineError('INVALID_ARGUMENT', `no sub${kind} ranges found for user ${JSON.stringify(name)} in ${file}`);
  const own = readIdMap(kind);
  const map: IdRange[] = [];
  let containerId = 0;
  for (const range of ranges.flatMap((one) => piecesInside(one, own, name))) {
    map.push({ containerId, hostId: range.start, size: range.size });
    containerId += range.size;
  }
  return map;
}

/** As lichen's user namespace counts them; a range can lie across several lines of its map. */
function piecesInside(range: SubordinateRange, own: readonly IdMapEntry[], name: string): SubordinateRange[] {
  const end = range.start + range.size;
  const pieces = own.flatMap(({ inside, outside, size }) => {
    const from = Math.max(range.start, outside);
    const to = Math.min(end, outside + size);
    return to > from ? [{ start: inside + (from - outside), size: to - from }] : [];
  });
  if (pieces.reduce((sum, piece) => sum + piece.size, 0) === range.size) return pieces;
  throw new EngineError('SUBID_RANGE_MISSING', `the subordinate IDs of ${JSON.stringify(name)} are not yours to use`, {
    hint: 'Give them to yourself as well, or take --userns=nomap for your own.',
  });
}
