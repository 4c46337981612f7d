/** `history`: its columns, template fields and JSON. */
import { humanSize } from '../../../core/size.ts';
import { shortId } from '../../../core/id.ts';
import type { HistorySummary } from '../../../libpod/summary.ts';
import { formatAgo, unixSeconds } from '../human.ts';
import { COMPACT_ESCAPED, encodeJson } from '../json.ts';
import type { View } from '../report.ts';
import { GoTime } from '../template/time.ts';
import { GoStruct } from '../template/value.ts';

export const HISTORY_COLUMNS = ['ID', 'Created', 'CreatedBy', 'Size', 'Comment'] as const;

export interface HistoryOptions {
  readonly nowMs: number;
  readonly noTrunc: boolean;
  /** `--human`: ages instead of times. */
  readonly human: boolean;
}

export function historyView({ nowMs, noTrunc, human }: HistoryOptions): View<HistorySummary> {
  const created = (row: HistorySummary): string => (human ? formatAgo(unixSeconds(row.createdAt) * 1000, nowMs) : wholeSeconds(row));
  const cells: Readonly<Record<string, (row: HistorySummary) => string>> = {
    ID: (row) => (row.id === undefined ? MISSING : noTrunc ? row.id : shortId(row.id)),
    Created: created,
    CreatedBy: (row) => (noTrunc || row.createdBy.length <= BY_WIDTH ? row.createdBy : `${row.createdBy.slice(0, BY_WIDTH - 3)}...`),
    Size: (row) => humanSize(row.sizeBytes),
    Comment: (row) => row.comment,
  };
  return { name: 'history', headers: HEADERS, cells, data: (row) => historyData(row, cells) };
}

/** `-q`: one id per line. */
export function historyIds(rows: readonly HistorySummary[], noTrunc: boolean): string {
  return rows.map(({ id }) => `${id === undefined ? MISSING : noTrunc ? id : shortId(id)}\n`).join('');
}

/** `--format json`: one line. */
export function historyJson(rows: readonly HistorySummary[]): string {
  return `${encodeJson(
    rows.map((row) => ({ ...document(row), Created: wholeSeconds(row) })),
    COMPACT_ESCAPED,
  )}\n`;
}

const HEADERS: Readonly<Record<string, string>> = {
  Comment: 'COMMENT',
  Created: 'CREATED',
  CreatedBy: 'CREATED BY',
  ID: 'ID',
  Size: 'SIZE',
  Tags: 'TAGS',
};
const MISSING = '<missing>';
const BY_WIDTH = 45;

function historyData(row: HistorySummary, cells: View<HistorySummary>['cells']): GoStruct {
  const { Comment: _comment, ...methods } = cells;
  const layer = new GoStruct('entities.ImageHistoryLayer', {
    ID: row.id ?? MISSING,
    Created: GoTime.parse(row.createdAt) ?? GoTime.zero(),
    CreatedBy: row.createdBy,
    Tags: row.tags,
    Size: row.sizeBytes,
    Comment: row.comment,
  });
  return new GoStruct(
    'images.historyReporter',
    { ImageHistoryLayer: layer },
    {
      methods: {
        ...Object.fromEntries(Object.entries(methods).map(([name, cell]) => [name, () => cell(row)])),
        CreatedAt: () => wholeSeconds(row),
        CreatedSince: () => cells['Created']!(row),
      },
      embedded: ['ImageHistoryLayer'],
      json: document(row),
    },
  );
}

function document(row: HistorySummary): Readonly<Record<string, unknown>> {
  return {
    id: row.id ?? MISSING,
    created: row.createdAt,
    CreatedBy: row.createdBy,
    tags: row.tags.length > 0 ? row.tags : undefined,
    size: row.sizeBytes,
    comment: row.comment === '' ? undefined : row.comment,
  };
}

/** `2026-11-22T05:35:32Z` */
function wholeSeconds(row: HistorySummary): string {
  return new GoTime(BigInt(unixSeconds(row.createdAt)) * 1_000_000_000n).toJSON();
}
