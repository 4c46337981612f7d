/** `secret ls` and `secret inspect`. */
import { goTime } from '../../../libpod/inspect/time.ts';
import type { SecretRecord } from '../../../libpod/state/secrets.ts';
import { formatAgo } from '../human.ts';
import { encodeJson, FOUR_SPACES } from '../json.ts';
import type { View } from '../report.ts';
import { GoTime } from '../template/time.ts';
import { compareText } from '../../../core/compare-text.ts';
import { GoStruct } from '../template/value.ts';

export interface ShownSecret extends SecretRecord {
  /** With --showsecret. */
  readonly data?: string;
}

export const SECRET_COLUMNS = ['ID', 'Name', 'Driver', 'CreatedAt', 'UpdatedAt'] as const;

export function secretsView(nowMs: number): View<SecretRecord> {
  const fields = (row: SecretRecord) => ({
    ID: row.id,
    Name: row.name,
    Driver: row.driver,
    CreatedAt: formatAgo(row.createdMs, nowMs),
    UpdatedAt: formatAgo(row.updatedMs, nowMs),
  });
  return {
    name: 'ls',
    headers: { ID: 'ID', Name: 'NAME', Driver: 'DRIVER', CreatedAt: 'CREATED', UpdatedAt: 'UPDATED' },
    cells: {
      ID: (row) => row.id,
      Name: (row) => row.name,
      Driver: (row) => row.driver,
      CreatedAt: (row) => fields(row).CreatedAt,
      UpdatedAt: (row) => fields(row).UpdatedAt,
    },
    data: (row) => new GoStruct('*types.SecretListReport', fields(row)),
  };
}

/** `secret inspect` without a format. */
export function secretsInspectJson(rows: readonly ShownSecret[]): string {
  return `${encodeJson(rows.map(document), FOUR_SPACES)}\n`;
}

/** A secret as `secret inspect --format` sees it (formatEach). */
export function secretInfo(row: ShownSecret): GoStruct {
  const driver = new GoStruct('types.SecretDriverSpec', { Name: row.driver, Options: new Map(Object.entries(row.options)) });
  const spec = new GoStruct('types.SecretSpec', { Name: row.name, Driver: driver, Labels: new Map(Object.entries(row.labels)) });
  const fields = { ID: row.id, CreatedAt: time(row.createdMs), UpdatedAt: time(row.updatedMs), Spec: spec, SecretData: row.data ?? '' };
  return new GoStruct('*types.SecretInfoReport', fields, { json: document(row) });
}

/** `secret inspect --pretty`: the widths are Podman's. */
export function secretPretty(row: ShownSecret): string {
  const labels = Object.entries(row.labels).toSorted(([a], [b]) => compareText(a, b));
  return [
    `ID:              ${row.id}`,
    `Name:              ${row.name}`,
    ...(labels.length > 0 ? ['Labels:', ...labels.map(([key, value]) => ` - ${key}${value === '' ? '' : `=${value}`}`)] : []),
    `Driver:            ${row.driver}`,
    `Created at:        ${time(row.createdMs).toString()}`,
    `Updated at:        ${time(row.updatedMs).toString()}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function document(row: ShownSecret): Readonly<Record<string, unknown>> {
  return {
    ID: row.id,
    CreatedAt: goTime(row.createdMs),
    UpdatedAt: goTime(row.updatedMs),
    Spec: {
      Name: row.name,
      Driver: { Name: row.driver, Options: new Map(Object.entries(row.options)) },
      Labels: new Map(Object.entries(row.labels)),
    },
    SecretData: row.data === '' ? undefined : row.data,
  };
}

function time(ms: number): GoTime {
  return GoTime.parse(goTime(ms)) ?? GoTime.zero();
}
