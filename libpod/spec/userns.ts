/**
 * The id map of a container that has a user namespace of its own (podman-run(1), --userns). Ids on the host's side are counted inside
 * lichen's user namespace, where 0 is the user and the subordinate ids follow.
 */
import { EngineError } from '../../core/errors.ts';
import type { IdRange, UserNamespaceMode } from './wish.ts';

export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

export interface IdSpan {
  readonly start: number;
  readonly size: number;
}

export interface UserNamespaceFacts {
  readonly rootless: boolean;
  /** The caller outside of lichen's user namespace. */
  readonly caller: { readonly uid: number; readonly gid: number };
  /** How many ids lichen's user namespace has, the user's own included. */
  readonly availableIds: { readonly uids: number; readonly gids: number };
  /** By the user and the accounts of the image, for an `auto` container without a size. */
  readonly idsNeeded: number;
  /** Subordinate ids that no other `auto` container has, inside lichen's user namespace. */
  readonly freeIds: { readonly uids: readonly IdSpan[]; readonly gids: readonly IdSpan[] };
  /** Of the container whose user namespace it joins. */
  readonly joinedIds?: IdMap;
}

/** As containers.storage's auto-userns-min-size. */
const LEAST_AUTO_SIZE = 1024;

/** Absent: it sees ids as lichen's own user namespace does. Throws INVALID_ARGUMENT, SUBID_RANGE_MISSING. */
export function resolveIdMap(mode: UserNamespaceMode, facts: UserNamespaceFacts): IdMap | undefined {
  const { uids, gids } = facts.availableIds;
  switch (mode.kind) {
    case 'host':
    case 'private':
    case 'path':
      return undefined;
    case 'container':
      return facts.joinedIds;
    case 'nomap':
      checkRootless(mode.kind, facts);
      return { uids: [range(0, 1, subordinate(uids))], gids: [range(0, 1, subordinate(gids))] };
    case 'keep-id': {
      checkRootless(mode.kind, facts);
      const { uid, gid } = keptId(mode, facts.caller);
      return { uids: keepId(uid, limit(mode.size, uids)), gids: keepId(gid, limit(mode.size, gids)) };
    }
    default: {
      const size = mode.size ?? Math.max(LEAST_AUTO_SIZE, facts.idsNeeded);
      return { uids: autoMap(size, mode.uids, facts.freeIds.uids), gids: autoMap(size, mode.gids, facts.freeIds.gids) };
    }
  }
}

/** Who the caller is inside a keep-id container. */
export function keptId(
  mode: Extract<UserNamespaceMode, { kind: 'keep-id' }>,
  caller: UserNamespaceFacts['caller'],
): { uid: number; gid: number } {
  return { uid: mode.uid ?? caller.uid, gid: mode.gid ?? caller.gid };
}

/** An id of the container as lichen's user namespace counts it. Throws SUBID_RANGE_MISSING where the container has no such id. */
export function outsideId(id: number, ranges: readonly IdRange[] | undefined): number {
  if (ranges === undefined) return id;
  const found = ranges.find(({ containerId, size }) => id >= containerId && id < containerId + size);
  if (found) return found.hostId + (id - found.containerId);
  throw new EngineError('SUBID_RANGE_MISSING', `ID ${id} does not exist in the user namespace of the container`);
}

/** The container's root; where it has none, lichen's. */
export function outsideRoot({ uids, gids }: IdMap): { readonly uid: number; readonly gid: number } {
  const root = (ranges: readonly IdRange[]): number => ranges.find(({ containerId }) => containerId === 0)?.hostId ?? 0;
  return { uid: root(uids), gid: root(gids) };
}

/** As typed: `keep-id:uid=5,gid=6`, `auto:size=1000`, `ns:/proc/1/ns/user`. */
export function formatUserNamespace(mode: UserNamespaceMode): string {
  switch (mode.kind) {
    case 'keep-id':
      return withOptions('keep-id', { uid: mode.uid, gid: mode.gid, size: mode.size });
    case 'auto':
      return withOptions('auto', { size: mode.size });
    case 'container':
      return `container:${mode.container}`;
    case 'path':
      return `ns:${mode.path}`;
    default:
      return mode.kind;
  }
}

/** The caller's id maps to `id`; the subordinate ids fill the places around it. */
function keepId(id: number, subordinates: number): IdRange[] {
  const below = Math.min(id, subordinates);
  return [
    ...(below > 0 ? [range(0, 1, below)] : []),
    range(id, 0, 1),
    ...(subordinates > id ? [range(id + 1, id + 1, subordinates - id)] : []),
  ];
}

/** `size` ids from 0 on: those given explicitly, the rest from what is free, in order. */
function autoMap(size: number, given: readonly IdRange[] = [], free: readonly IdSpan[]): IdRange[] {
  const map = [...given];
  const spans = withoutGiven(free, given).map((span) => ({ ...span }));
  for (const gap of gapsBetween(size, given)) {
    let { start, size: left } = gap;
    while (left > 0) {
      const span = spans.find((candidate) => candidate.size > 0);
      if (!span) throw new EngineError('SUBID_RANGE_MISSING', `could not find enough available IDs: ${size} wanted`, { hint: AUTO_HINT });
      const taken = Math.min(left, span.size);
      map.push(range(start, span.start, taken));
      span.start += taken;
      span.size -= taken;
      start += taken;
      left -= taken;
    }
  }
  return map.toSorted((a, b) => a.containerId - b.containerId);
}

/** An id of the host can be mapped once only (user_namespaces(7)). */
function withoutGiven(free: readonly IdSpan[], given: readonly IdRange[]): IdSpan[] {
  let left = [...free];
  for (const { hostId, size } of given) {
    left = left.flatMap((span) => {
      const end = span.start + span.size;
      return [
        { start: span.start, size: Math.min(end, hostId) - span.start },
        { start: Math.max(span.start, hostId + size), size: end - Math.max(span.start, hostId + size) },
      ].filter((piece) => piece.size > 0);
    });
  }
  return left;
}

const AUTO_HINT =
  'Remove containers made with --userns=auto, ask for a smaller --userns=auto:size=N, or give the user more subordinate IDs.';

function* gapsBetween(size: number, given: readonly IdRange[]): Generator<IdSpan> {
  let at = 0;
  for (const { containerId, size: length } of given.toSorted((a, b) => a.containerId - b.containerId)) {
    if (containerId > at) yield { start: at, size: Math.min(containerId, size) - at };
    at = Math.max(at, containerId + length);
    if (at >= size) return;
  }
  yield { start: at, size: size - at };
}

function checkRootless(kind: string, { rootless }: UserNamespaceFacts): void {
  if (!rootless) throw new EngineError('INVALID_ARGUMENT', `${kind} is only supported in rootless mode`);
}

function limit(size: number | undefined, available: number): number {
  return size === undefined ? available - 1 : Math.min(size, available) - 1;
}

function subordinate(available: number): number {
  if (available > 1) return available - 1;
  throw new EngineError('SUBID_RANGE_MISSING', 'no subordinate IDs to map into the container', {
    hint: 'nomap leaves the user’s own ID out, and there is no other here: add ranges to /etc/subuid and /etc/subgid.',
  });
}

function range(containerId: number, hostId: number, size: number): IdRange {
  return { containerId, hostId, size };
}

function withOptions(name: string, options: Readonly<Record<string, number | undefined>>): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? name : `${name}:${given.map(([key, value]) => `${key}=${value}`).join(',')}`;
}
