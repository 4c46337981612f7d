import type { Database } from './database.ts';

export type MountKind = 'container' | 'image';

/**
 * How often somebody asked for a root file system to be mounted (`mount`, `image mount`). A row is there before the mount and goes after it:
 * one without a mount was left by a killed command, or its namespace is gone.
 */
export class MountTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  count(kind: MountKind, id: string): number {
    return Number(this.#db.get('SELECT count FROM mounts WHERE kind = ? AND id = ?', kind, id)?.['count'] ?? 0);
  }

  add(kind: MountKind, id: string): void {
    this.#db.run('INSERT INTO mounts (kind, id, count) VALUES (?, ?, 1) ON CONFLICT (kind, id) DO UPDATE SET count = count + 1', kind, id);
  }

  /** One less, if there are several. */
  lessen(kind: MountKind, id: string): void {
    this.#db.run('UPDATE mounts SET count = count - 1 WHERE kind = ? AND id = ? AND count > 1', kind, id);
  }

  forget(kind: MountKind, id: string): void {
    this.#db.run('DELETE FROM mounts WHERE kind = ? AND id = ?', kind, id);
  }

  ids(kind: MountKind): string[] {
    return this.#db.all('SELECT id FROM mounts WHERE kind = ? ORDER BY id', kind).map((row) => String(row['id']));
  }

  isEmpty(): boolean {
    return this.#db.get('SELECT 1 FROM mounts LIMIT 1') === undefined;
  }
}
