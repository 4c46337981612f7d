/** The rows of `pod stats`: those of `stats` under other names, and the pod. */
import { shortId } from '../../../core/id.ts';
import type { ContainerStats } from '../../../libpod/container/stats.ts';
import { encodeJson, FIVE_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoStruct } from '../template/value.ts';
import { statsView } from './stats.ts';

export type PodStats = ContainerStats & { readonly pod: string };

export const POD_STATS_COLUMNS = ['Pod', 'CID', 'Name', 'CPU', 'MemUsage', 'Mem', 'NetIO', 'BlockIO', 'PIDS'] as const;

const { cells: CELLS } = statsView({ noTrunc: false });

/** In the order of Podman's document. A number that is not known is told by dashes. */
const FIELDS: Readonly<Record<string, (row: PodStats) => string>> = {
  CPU: CELLS['CPUPerc']!,
  MemUsage: (row) => known(isKnown(row), CELLS['MemUsage']!(row)),
  MemUsageBytes: (row) => known(isKnown(row), CELLS['MemUsageBytes']!(row)),
  Mem: CELLS['MemPerc']!,
  NetIO: (row) => known(row.network.size > 0, CELLS['NetIO']!(row)),
  BlockIO: (row) => known(row.blockReadBytes + row.blockWrittenBytes > 0, CELLS['BlockIO']!(row)),
  PIDS: (row) => (row.pids === 0 ? '--' : String(row.pids)),
  Pod: ({ pod }) => shortId(pod),
  CID: ({ id }) => shortId(id),
  Name: ({ name }) => name,
};

function isKnown({ memoryLimitBytes }: PodStats): boolean {
  return memoryLimitBytes > 0;
}

function known(isThere: boolean, pair: string): string {
  return isThere ? pair : '-- / --';
}

export const podStatsView: View<PodStats> = {
  name: 'stats',
  headers: {
    Pod: 'POD',
    CID: 'CID',
    Name: 'NAME',
    CPU: 'CPU %',
    MemUsage: 'MEM USAGE/ LIMIT',
    MemUsageBytes: 'MEM USAGE/ LIMIT',
    Mem: 'MEM %',
    NetIO: 'NET IO',
    BlockIO: 'BLOCK IO',
    PIDS: 'PIDS',
  },
  cells: FIELDS,
  data: (row) => new GoStruct('*types.PodStatsReport', document(row), { json: document(row) }),
};

/** `pod stats --format json`. */
export function podStatsJson(rows: readonly PodStats[]): string {
  return `${encodeJson(rows.map(document), FIVE_SPACES)}\n`;
}

function document(row: PodStats): Record<string, string> {
  return Object.fromEntries(Object.entries(FIELDS).map(([field, cell]) => [field, cell(row)]));
}
