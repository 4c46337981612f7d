/** What must be gone from a host once its containers are removed: more than every test is checked for (test/host/leaks.ts). */
import { copyFileSync, existsSync, mkdtempDisposableSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestHost } from '../host/host.ts';

/** The monitor, its exit script and a network helper may need a moment after the command that removed their container. */
const SETTLE_MS = 10_000;
const STORE_DIRECTORIES = ['containers', 'tmp'];
const RUN_DIRECTORIES = ['c', 'netns', 'exits', 'locks', 'oci', 'pods'];
const TABLES = ['containers', 'pods', 'container_dependencies', 'exec_sessions', 'volume_uses', 'volumes', 'garbage', 'mounts'];

/** Remove every container, then expect no process, mount, file or row of any. */
export async function expectNothingLeft(host: TestHost): Promise<void> {
  await host.succeed(['rm', '--force', '--time', '0', '--all', '--volumes']);
  expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  expect(await remains(host)).toEqual([]);
}

/** One line for each thing that is still there after a while. */
export async function remains(host: TestHost, settleMs = SETTLE_MS): Promise<readonly string[]> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const found = [...(await host.leaks(0)), ...filesLeft(host), ...rowsLeft(host)];
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(50);
  }
}

function filesLeft(host: TestHost): string[] {
  const directories = [
    ...STORE_DIRECTORIES.map((name) => `${host.store}/${name}`),
    ...RUN_DIRECTORIES.map((name) => `${host.runDir}/${name}`),
  ];
  return directories.flatMap((directory) => {
    const path = host.path(directory);
    return existsSync(path) ? namesIn(path).map((name) => `file ${directory}/${name}`) : [];
  });
}

/** A fixed number of lock files for volumes and images stays for good. */
function namesIn(path: string): string[] {
  return readdirSync(path).filter((name) => !/^(volume|image)-[0-9a-f]{2}$/.test(name));
}

/** Rows that hang on containers, by table. */
function rowsLeft(host: TestHost): string[] {
  const counts = TABLES.map((table) => `SELECT '${table}' AS name, count(*) AS count FROM ${table}`).join(' UNION ALL ');
  return queryStore(host, counts).flatMap(({ name, count }) => (count === 0 ? [] : [`${String(count)} rows in ${String(name)}`]));
}

/** Ask a copy of the store's database, past the engine: SQLite itself cannot open a path that leads through /proc. Empty when there is none. */
export function queryStore(host: TestHost, sql: string): readonly Readonly<Record<string, unknown>>[] {
  const source = host.path(`${host.store}/db.sqlite`);
  if (!existsSync(source)) return [];
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lichen-store-'));
  const copy = join(directory.path, 'db.sqlite');
  for (const suffix of ['', '-wal']) if (existsSync(source + suffix)) copyFileSync(source + suffix, copy + suffix);
  const db = new DatabaseSync(copy);
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}
