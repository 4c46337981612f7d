import type { Digest } from '../../core/digest.ts';
import type { Database } from './database.ts';

export interface BuildStep {
  readonly layer?: Digest | undefined;
  /** RFC 3339. */
  readonly created: string;
  readonly madeMs: number;
}

/** What steps of builds came to, by a key over all that they depend on. */
export class BuildStepTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(key: string): BuildStep | undefined {
    const row = this.#db.get('SELECT layer, created, used_ms FROM build_steps WHERE key = ?', key);
    if (row === undefined) return undefined;
    return {
      ...(row['layer'] === null ? {} : { layer: String(row['layer']) as Digest }),
      created: String(row['created']),
      madeMs: Number(row['used_ms']),
    };
  }

  keep(key: string, { layer, created, madeMs }: BuildStep): void {
    this.#db.run(
      'INSERT OR REPLACE INTO build_steps (key, layer, created, used_ms) VALUES (?, ?, ?, ?)',
      key,
      layer ?? null,
      created,
      madeMs,
    );
  }

  /** The layer is gone. */
  forget(layer: Digest): void {
    this.#db.run('DELETE FROM build_steps WHERE layer = ?', layer);
  }
}
