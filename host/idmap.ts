/** Subordinate ids (subuid(5)) and the maps of a user namespace (user_namespaces(7)). */
import { readFileSync } from 'node:fs';
import { packageWords } from './distribution.ts';
import { readIfThere } from './if-there.ts';
import { runHelper } from './process.ts';
import { isEngineError } from '../core/errors.ts';

export interface IdMapEntry {
  readonly inside: number;
  readonly outside: number;
  readonly size: number;
}

export interface SubordinateRange {
  readonly start: number;
  readonly size: number;
}

/** The ranges of a user by name or uid, in file order. Malformed lines are passed over, as shadow does. */
export function parseSubordinateIds(text: string, user: { readonly name: string | undefined; readonly uid: number }): SubordinateRange[] {
  const ranges: SubordinateRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:]+):(\d+):(\d+)\s*$/.exec(line);
    if (!match || (match[1] !== user.name && match[1] !== String(user.uid))) continue;
    const range = { start: Number(match[2]), size: Number(match[3]) };
    if (range.size > 0 && range.start + range.size <= 2 ** 32) ranges.push(range);
  }
  return ranges;
}

/** From /etc/subuid or /etc/subgid; where they name the user not, from getsubids(1), which asks NSS. */
export async function subordinateIds(
  kind: 'uid' | 'gid',
  user: { readonly name: string | undefined; readonly uid: number },
): Promise<SubordinateRange[]> {
  const ranges = parseSubordinateIds(readIfThere(`/etc/sub${kind}`) ?? '', user);
  if (ranges.length > 0 || user.name === undefined) return ranges;
  try {
    const { stdout } = await runHelper('getsubids', [...(kind === 'gid' ? ['-g'] : []), user.name], { okCodes: [0, 1], timeoutMs: 5000 });
    return parseGetsubids(stdout);
  } catch (error) {
    if (isEngineError(error, 'HELPER_MISSING', 'TIMEOUT')) return [];
    throw error;
  }
}

/** `0: user 100000 65536` */
export function parseGetsubids(text: string): SubordinateRange[] {
  return [...text.matchAll(/^\d+: \S+ (\d+) (\d+)$/gm)].map((match) => ({ start: Number(match[1]), size: Number(match[2]) }));
}

/** What of them exists here: in a container, those of its user namespace alone. `map` is this process's own. */
export function existingRanges(ranges: readonly SubordinateRange[], map: readonly IdMapEntry[]): SubordinateRange[] {
  return ranges.flatMap(({ start, size }) =>
    map.flatMap((entry) => {
      const from = Math.max(start, entry.inside);
      const end = Math.min(start + size, entry.inside + entry.size);
      return end > from ? [{ start: from, size: end - from }] : [];
    }),
  );
}

/** The user is root inside, the subordinate ids follow from 1, as Podman lays them out. */
export function fullMap(own: number, ranges: readonly SubordinateRange[]): IdMapEntry[] {
  const entries: IdMapEntry[] = [{ inside: 0, outside: own, size: 1 }];
  let next = 1;
  for (const range of ranges) {
    entries.push({ inside: next, outside: range.start, size: range.size });
    next += range.size;
  }
  return entries;
}

export function readIdMap(kind: 'uid' | 'gid', pid: number | 'self' = 'self'): IdMapEntry[] {
  return parseIdMap(readFileSync(`/proc/${pid}/${kind}_map`, 'latin1'));
}

export function parseIdMap(text: string): IdMapEntry[] {
  const entries: IdMapEntry[] = [];
  for (const line of text.split('\n')) {
    const [inside, outside, size] = line.trim().split(/\s+/).map(Number);
    if (inside !== undefined && outside !== undefined && size !== undefined) entries.push({ inside, outside, size });
  }
  return entries;
}

/** Without newuidmap, or without subordinate ids: the user is root here, and nobody else exists. */
export function hasOneId(): boolean {
  return Math.min(availableIds(readIdMap('uid')), availableIds(readIdMap('gid'))) === 1;
}

/** For whoever sees a command fail: a program cannot know why chown(2) and setgroups(2) do not work. Undefined where several ids are mapped. */
export function oneIdHint(): string | undefined {
  if (!hasOneId()) return undefined;
  return `If it wanted the ID of another user (chown, setgroups, the sandbox of apt): ${idRemedy(1)}`;
}

/** What helps where an id is asked for that is none of `available`. */
export function idRemedy(available: number): string {
  if (available > 1)
    return 'Give the user more subordinate IDs in /etc/subuid and /etc/subgid (usermod --add-subuids, --add-subgids), or choose a smaller ID.';
  return `Only one ID is mapped here. Install newuidmap and newgidmap (${packageWords('uidmap')}), give the user subordinate IDs (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER), and run lichen system migrate.`;
}

/** How many ids, counted from 0, exist inside: a container cannot use ids at or above. */
export function availableIds(map: readonly IdMapEntry[]): number {
  return map.reduce((end, entry) => (entry.inside <= end ? Math.max(end, entry.inside + entry.size) : end), 0);
}
