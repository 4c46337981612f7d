/** The secrets of a store, without their data, and the copies that containers were given. */
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Database, Row } from './database.ts';

export interface SecretRecord {
  /** 25 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: SecretDriverName;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export type SecretDriverName = 'file' | 'pass' | 'shell';

export class SecretTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Throws NAME_IN_USE. */
  insert(secret: SecretRecord): void {
    if (this.byName(secret.name)) throw new EngineError('NAME_IN_USE', `${secret.name}: secret name in use`);
    this.#db.run(
      'INSERT INTO secrets (id, name, driver, options, labels, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
      secret.id,
      secret.name,
      secret.driver,
      JSON.stringify(secret.options),
      JSON.stringify(secret.labels),
      secret.createdMs,
      secret.updatedMs,
    );
  }

  byName(name: string): SecretRecord | undefined {
    const row = this.#db.get('SELECT * FROM secrets WHERE name = ?', name);
    return row && fromRow(row);
  }

  /** By name, full id, or unambiguous id prefix. Throws NO_SUCH_SECRET, AMBIGUOUS_ID. */
  find(nameOrId: string): SecretRecord {
    const named = this.byName(nameOrId);
    if (named) return named;
    const matches = nameOrId === '' ? [] : this.list().filter(({ id }) => id.startsWith(nameOrId));
    if (matches.length > 1) {
      throw new EngineError('AMBIGUOUS_ID', `more than one result secret with prefix ${nameOrId}: secret is ambiguous`);
    }
    if (matches[0]) return matches[0];
    throw new EngineError('NO_SUCH_SECRET', `no secret with name or id ${JSON.stringify(nameOrId)}: no such secret`);
  }

  /** By name. */
  list(): SecretRecord[] {
    return this.#db.all('SELECT * FROM secrets ORDER BY name').map(fromRow);
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM secrets WHERE id = ?', id);
  }

  /** A container keeps what the secret was when it was made. Part of the caller's transaction; goes with the container. */
  giveTo(container: ContainerId, secretId: string, data: Buffer): void {
    this.#db.run(
      'INSERT OR REPLACE INTO container_secrets (container_id, secret_id, data) VALUES (?, ?, ?)',
      container,
      secretId,
      data.toString('base64'),
    );
  }

  givenTo(container: ContainerId, secretId: string): Buffer | undefined {
    const row = this.#db.get('SELECT data FROM container_secrets WHERE container_id = ? AND secret_id = ?', container, secretId);
    return row && Buffer.from(String(row['data']), 'base64');
  }
}

function fromRow(row: Row): SecretRecord {
  return {
    id: String(row['id']),
    name: String(row['name']),
    driver: row['driver'] as SecretDriverName,
    options: JSON.parse(String(row['options'])) as Record<string, string>,
    labels: JSON.parse(String(row['labels'])) as Record<string, string>,
    createdMs: Number(row['created_ms']),
    updatedMs: Number(row['updated_ms']),
  };
}
