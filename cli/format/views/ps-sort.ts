/** The orders of `ps --sort`; all ascending and stable. */
import type { ContainerSummary } from '../../../libpod/summary.ts';
import { GoTime } from '../template/time.ts';
import { compareText } from '../../../core/compare-text.ts';

export const PS_SORTS = ['command', 'created', 'id', 'image', 'names', 'runningfor', 'size', 'status'] as const;
export type PsSort = (typeof PS_SORTS)[number];

type Order = (a: ContainerSummary, b: ContainerSummary) => number;

export function sortContainers(rows: readonly ContainerSummary[], by: PsSort): readonly ContainerSummary[] {
  return rows.toSorted(ORDERS[by]);
}

const ORDERS: Readonly<Record<PsSort, Order>> = {
  command: (a, b) => compareText(a.command.join(' '), b.command.join(' ')),
  created: (a, b) => compareNanos(a.createdAt, b.createdAt),
  id: (a, b) => compareText(a.id, b.id),
  image: (a, b) => compareText(a.image, b.image),
  names: (a, b) => compareText(a.names[0] ?? '', b.names[0] ?? ''),
  runningfor: (a, b) => compareNanos(a.startedAt, b.startedAt),
  size: (a, b) => (a.size?.rootFsBytes ?? 0) - (b.size?.rootFsBytes ?? 0),
  status: (a, b) => compareText(a.state, b.state),
};

/** RFC 3339 leaves out trailing zeros, so the texts do not sort. */
function compareNanos(a: string | undefined, b: string | undefined): number {
  const left = nanos(a);
  const right = nanos(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function nanos(time: string | undefined): bigint {
  return ((time === undefined ? undefined : GoTime.parse(time)) ?? GoTime.zero()).nanosSinceEpoch();
}
