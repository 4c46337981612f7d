/** `images`: its columns, template fields, JSON, ids and orders. One image is as many rows as it has names. */
import { humanSize } from '../../../core/size.ts';
import { shortId } from '../../../core/id.ts';
import type { ImageSummary } from '../../../libpod/summary.ts';
import { formatAgo, unixSeconds } from '../human.ts';
import { encodeJson, FOUR_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoTime } from '../template/time.ts';
import { compareText } from '../../../core/compare-text.ts';
import { GoStruct } from '../template/value.ts';

export interface ImageRow {
  readonly repository: string;
  readonly tag: string;
  readonly image: ImageSummary;
}

export const IMAGE_SORTS = ['created', 'id', 'repository', 'size', 'tag'] as const;
export type ImageSort = (typeof IMAGE_SORTS)[number];

/** The rows of the table, newest image first unless another order is asked for; names keep their order. */
export function imageRows(images: readonly ImageSummary[], by: ImageSort = 'created'): readonly ImageRow[] {
  return images.flatMap(rowsOf).toSorted(ORDERS[by]);
}

export function imageColumns(options: { readonly digests?: boolean; readonly history?: boolean }): readonly string[] {
  const columns = ['Repository', 'Tag', ...(options.digests ? ['Digest'] : []), 'ID', 'Created', 'Size'];
  return options.history ? [...columns, 'History'] : columns;
}

export function imagesView(options: { readonly nowMs: number; readonly noTrunc: boolean }): View<ImageRow> {
  const cells: Readonly<Record<string, (row: ImageRow) => string>> = {
    Repository: (row) => row.repository,
    Tag: (row) => row.tag,
    Digest: (row) => row.image.digest,
    ID: (row) => shownId(row.image.id, options.noTrunc),
    Created: (row) => formatAgo(unixSeconds(row.image.createdAt) * 1000, options.nowMs),
    Size: (row) => humanSize(row.image.sizeBytes, 3, ' '),
    History: (row) => row.image.history.join(', '),
  };
  return { name: 'images', headers: HEADERS, cells, data: (row) => imageData(row, cells) };
}

/** `-q`: each image once. Ends with a newline unless there is nothing. */
export function imageIds(rows: readonly ImageRow[], noTrunc: boolean): string {
  return [...new Set(rows.map((row) => shownId(row.image.id, noTrunc)))].map((id) => `${id}\n`).join('');
}

/** `--format json`. Ends with a newline. */
export function imagesJson(rows: readonly ImageRow[]): string {
  const documents = rows.map(({ image }) => {
    const { Created, RepoTags: _repoTags, ...rest } = document(image);
    const { Id, ParentId, ...after } = rest;
    // Podman writes RepoTags as null here, and the names under Names.
    return { Id, ParentId, RepoTags: null, ...after, Created, CreatedAt: createdTime(image).toJSON() };
  });
  return `${encodeJson(documents, FOUR_SPACES)}\n`;
}

const HEADERS: Readonly<Record<string, string>> = {
  Arch: 'ARCH',
  Containers: 'CONTAINERS',
  Created: 'CREATED',
  Dangling: 'DANGLING',
  Digest: 'DIGEST',
  History: 'HISTORY',
  ID: 'IMAGE ID',
  IsManifestList: 'IS MANIFEST LIST',
  Labels: 'LABELS',
  Names: 'NAMES',
  Os: 'OS',
  ParentId: 'PARENT ID',
  ReadOnly: 'R/O',
  RepoDigests: 'REPO DIGESTS',
  RepoTags: 'REPO TAGS',
  Repository: 'REPOSITORY',
  SharedSize: 'SHARED SIZE',
  Size: 'SIZE',
  Tag: 'TAG',
  VirtualSize: 'VIRTUAL SIZE',
};

const ORDERS: Readonly<Record<ImageSort, (a: ImageRow, b: ImageRow) => number>> = {
  created: (a, b) => unixSeconds(b.image.createdAt) - unixSeconds(a.image.createdAt),
  id: (a, b) => compareText(a.image.id, b.image.id),
  repository: (a, b) => compareText(a.repository, b.repository),
  size: (a, b) => a.image.sizeBytes - b.image.sizeBytes,
  tag: (a, b) => compareText(a.tag, b.tag),
};

const NONE = '<none>';

function rowsOf(image: ImageSummary): readonly ImageRow[] {
  if (image.names.length === 0) return [{ repository: NONE, tag: NONE, image }];
  return image.names.map((name) => ({ ...splitName(name), image }));
}

/** The colon of a port is followed by a slash, that of a tag is not. */
export function splitName(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: NONE };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function shownId(id: string, noTrunc: boolean): string {
  return noTrunc ? `sha256:${id}` : shortId(id);
}

/** Podman's imageReporter over an embedded ImageSummary. */
function imageData(row: ImageRow, cells: View<ImageRow>['cells']): GoStruct {
  const { Repository: _repository, Tag: _tag, Digest: _digest, ...methods } = cells;
  const { image } = row;
  const json = document(image);
  const summary = new GoStruct('entities.ImageSummary', rawFields(image), {
    methods: { Id: () => image.id, IsReadOnly: () => image.readOnly },
    json,
  });
  const since = cells['Created']!;
  return new GoStruct(
    'images.imageReporter',
    { Repository: row.repository, Tag: row.tag, ImageSummary: summary },
    {
      methods: {
        ...Object.fromEntries(Object.entries(methods).map(([name, cell]) => [name, () => cell(row)])),
        CreatedSince: () => since(row),
        CreatedAt: () => createdTime(image).toString(),
        CreatedTime: () => createdTime(image).toString(),
      },
      embedded: ['ImageSummary'],
      json: { repository: row.repository, tag: row.tag, ...json },
    },
  );
}

function rawFields(image: ImageSummary): Readonly<Record<string, unknown>> {
  return {
    ID: image.id,
    ParentId: image.parentId,
    RepoTags: image.names,
    RepoDigests: image.repoDigests,
    Created: BigInt(unixSeconds(image.createdAt)),
    Size: image.sizeBytes,
    SharedSize: image.sharedSizeBytes,
    VirtualSize: image.sizeBytes,
    Labels: new Map(Object.entries(image.labels)),
    Containers: image.containers,
    ReadOnly: image.readOnly,
    Dangling: image.names.length === 0,
    Arch: '',
    Digest: image.digest,
    History: image.history,
    IsManifestList: image.isManifestList ? true : null,
    Names: image.names,
    Os: '',
  };
}

function document(image: ImageSummary): Readonly<Record<string, unknown>> {
  const isDangling = image.names.length === 0;
  return {
    Id: image.id,
    ParentId: image.parentId,
    RepoTags: image.names,
    RepoDigests: image.repoDigests,
    Created: unixSeconds(image.createdAt),
    Size: image.sizeBytes,
    SharedSize: image.sharedSizeBytes,
    VirtualSize: image.sizeBytes,
    Labels: Object.keys(image.labels).length > 0 ? new Map(Object.entries(image.labels)) : null,
    Containers: image.containers,
    ReadOnly: image.readOnly ? true : undefined,
    Dangling: isDangling ? true : undefined,
    Digest: image.digest,
    History: image.history.length > 0 ? image.history : undefined,
    IsManifestList: image.isManifestList ? true : undefined,
    Names: isDangling ? undefined : image.names,
  };
}

/** Whole seconds, in UTC. */
function createdTime(image: ImageSummary): GoTime {
  return new GoTime(BigInt(unixSeconds(image.createdAt)) * 1_000_000_000n);
}
