/** `system df`: the three kinds of objects, or each object. */
import { humanDuration } from '../../../core/duration.ts';
import { shortId } from '../../../core/id.ts';
import { humanSize } from '../../../core/size.ts';
import type { DiskUsageSummary } from '../../../libpod/summary.ts';
import { unixSeconds } from '../human.ts';
import { COMPACT_ESCAPED, encodeJson } from '../json.ts';
import type { View } from '../report.ts';
import { formatTable } from '../table.ts';
import { GoStruct } from '../template/value.ts';
import { splitName } from './images.ts';

export interface DfRow {
  readonly type: 'Images' | 'Containers' | 'Local Volumes' | 'Build Cache';
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
}

export const DF_COLUMNS = ['Type', 'Total', 'Active', 'Size', 'Reclaimable'] as const;

/**
 * Images are counted as `images` lists them, a line for each name. Only a container that runs is active. What cache mounts of builds keep has a line,
 * as Docker has it, where there is any.
 */
export function dfRows({ images, imageBytes, imageReclaimableBytes, containers, volumes, caches }: DiskUsageSummary): readonly DfRow[] {
  const sum = (items: readonly { readonly sizeBytes: number }[]): number => items.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  const running = containers.filter(({ status }) => status === 'running');
  return [
    {
      type: 'Images',
      total: images.reduce((count, { names }) => count + Math.max(1, names.length), 0),
      active: images.filter((image) => image.containers > 0).length,
      sizeBytes: imageBytes,
      reclaimableBytes: imageReclaimableBytes,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: running.length,
      sizeBytes: sum(containers),
      reclaimableBytes: sum(containers) - sum(running),
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter(({ links }) => links > 0).length,
      sizeBytes: sum(volumes),
      reclaimableBytes: sum(volumes.filter(({ links }) => links === 0)),
    },
    ...(caches.length === 0
      ? []
      : [
          {
            type: 'Build Cache' as const,
            total: caches.length,
            active: caches.filter(({ isUsed }) => isUsed).length,
            sizeBytes: sum(caches),
            reclaimableBytes: sum(caches.filter(({ isUsed }) => !isUsed)),
          },
        ]),
  ];
}

const CELLS: Readonly<Record<(typeof DF_COLUMNS)[number], (row: DfRow) => string>> = {
  Type: (row) => row.type,
  Total: (row) => String(row.total),
  Active: (row) => String(row.active),
  Size: (row) => humanSize(row.sizeBytes, 4),
  Reclaimable: (row) => `${humanSize(row.reclaimableBytes, 4)} (${percent(row)}%)`,
};

export const dfView: View<DfRow> = {
  name: 'df',
  headers: {
    Active: 'ACTIVE',
    RawReclaimable: 'RAW RECLAIMABLE',
    RawSize: 'RAW SIZE',
    Reclaimable: 'RECLAIMABLE',
    Size: 'SIZE',
    Total: 'TOTAL',
    Type: 'TYPE',
  },
  cells: CELLS,
  data: (row) =>
    new GoStruct(
      '*system.dfSummary',
      { Type: row.type, Total: row.total, Active: row.active, RawSize: row.sizeBytes, RawReclaimable: row.reclaimableBytes },
      { methods: { Size: () => CELLS.Size(row), Reclaimable: () => CELLS.Reclaimable(row) }, json: document(row) },
    ),
};

/** A line for each object, as Podman writes it. */
export function dfJson(rows: readonly DfRow[]): string {
  return `[\n${rows.map((row) => `    ${encodeJson(document(row), COMPACT_ESCAPED)}`).join(',\n')}\n]\n`;
}

/** `--verbose`. */
export function dfVerbose({ images, containers, volumes, caches }: DiskUsageSummary, nowMs: number): string {
  const age = (createdAt: string): string => humanDuration(nowMs - unixSeconds(createdAt) * 1000);
  const size = (bytes: number): string => humanSize(bytes, 4);
  const imageRows = images.flatMap((image) =>
    (image.names.length > 0 ? image.names.map(splitName) : [NAMELESS]).map(({ repository, tag }) => [
      repository,
      tag,
      shortId(image.id),
      age(image.createdAt),
      size(image.sizeBytes),
      size(image.sharedBytes),
      size(image.uniqueBytes),
      String(image.containers),
    ]),
  );
  const containerRows = containers.map((one) => [
    shortId(one.id),
    shortId(one.imageId),
    one.command.join(' '),
    String(one.volumes),
    size(one.sizeBytes),
    age(one.createdAt),
    one.status,
    one.name,
  ]);
  const cacheRows = caches.map(({ id, isUsed, sizeBytes }) => [id, String(isUsed), size(sizeBytes)]);
  const volumeRows = volumes.map(({ name, links, sizeBytes }) => [name, String(links), size(sizeBytes)]);
  return [
    `Images space usage:\n\n${formatTable([IMAGE_HEADING, ...imageRows])}`,
    `Containers space usage:\n\n${formatTable([CONTAINER_HEADING, ...containerRows])}`,
    `Local Volumes space usage:\n\n${formatTable([VOLUME_HEADING, ...volumeRows])}`,
    ...(caches.length === 0 ? [] : [`Build cache space usage:\n\n${formatTable([CACHE_HEADING, ...cacheRows])}`]),
  ].join('\n');
}

const NAMELESS = { repository: '<none>', tag: '<none>' };
const IMAGE_HEADING = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS'];
const CONTAINER_HEADING = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'LOCAL VOLUMES', 'SIZE', 'CREATED', 'STATUS', 'NAMES'];
const CACHE_HEADING = ['CACHE ID', 'IN USE', 'SIZE'];
const VOLUME_HEADING = ['VOLUME NAME', 'LINKS', 'SIZE'];

function percent({ sizeBytes, reclaimableBytes }: DfRow): number {
  return sizeBytes === 0 ? 0 : Math.round((reclaimableBytes / sizeBytes) * 100);
}

function document(row: DfRow): Readonly<Record<string, unknown>> {
  return {
    Type: row.type,
    Total: row.total,
    Active: row.active,
    RawSize: row.sizeBytes,
    RawReclaimable: row.reclaimableBytes,
    TotalCount: row.total,
    Size: CELLS.Size(row),
    Reclaimable: CELLS.Reclaimable(row),
  };
}
