/** The pods table. What a pod does is told by its containers, so a row never changes. */
import { EngineError } from '../../core/errors.ts';
import type { ContainerId, PodId } from '../../core/id.ts';
import type { Resources, RestartPolicy, SharedNamespace } from '../spec/wish.ts';
import type { Database, Row } from './database.ts';

/** Everything decided at create time. Stored as one JSON document. */
export interface PodConfig {
  readonly id: PodId;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly createCommand: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** `stop`: with the last of its containers that runs, the infra container is stopped too. */
  readonly exitPolicy: 'continue' | 'stop';
  /** As asked for. */
  readonly hostname?: string;
  /** Absent: it has no infra container, and shares nothing. */
  readonly infraId?: ContainerId;
  /** In the order of the alphabet. */
  readonly shared: readonly SharedNamespace[];
  readonly shareParent: boolean;
  readonly cgroupParent?: string;
  readonly resources: Resources;
  readonly restart?: RestartPolicy;
}

export class PodTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Throws NAME_IN_USE. */
  insert(config: PodConfig, createdMs: number): void {
    if (this.hasName(config.name))
      throw new EngineError('NAME_IN_USE', `adding pod to state: name ${JSON.stringify(config.name)} is in use: pod already exists`);
    this.#db.run(
      'INSERT INTO pods (id, name, config, created_ms) VALUES (?, ?, ?, ?)',
      config.id,
      config.name,
      JSON.stringify(config),
      createdMs,
    );
  }

  hasName(name: string): boolean {
    return this.#db.get('SELECT 1 FROM pods WHERE name = ?', name) !== undefined;
  }

  get(id: PodId): PodConfig | undefined {
    const row = this.#db.get('SELECT config FROM pods WHERE id = ?', id);
    return row && fromRow(row);
  }

  /** By full id, name, or unambiguous id prefix. Throws NO_SUCH_POD, AMBIGUOUS_ID, INVALID_ARGUMENT (an empty name). */
  find(nameOrId: string): PodConfig {
    const row = this.#db.get('SELECT config FROM pods WHERE id = ?1 OR name = ?1', nameOrId);
    if (row) return fromRow(row);
    if (nameOrId === '') throw new EngineError('INVALID_ARGUMENT', 'name or ID cannot be empty');
    const matches = /^[0-9a-f]{1,64}$/.test(nameOrId)
      ? this.#db.all('SELECT config FROM pods WHERE id >= ? AND id < ? LIMIT 2', nameOrId, `${nameOrId}g`)
      : [];
    if (matches.length === 1) return fromRow(matches[0]!);
    if (matches.length > 1) {
      throw new EngineError('AMBIGUOUS_ID', `more than one result for ID or name ${nameOrId}: pod already exists`, {
        hint: 'Give more characters of the id, or the name.',
      });
    }
    throw new EngineError('NO_SUCH_POD', `no pod with name or ID ${nameOrId} found: no such pod`);
  }

  /** The newest last. */
  list(): PodConfig[] {
    return this.#db.all('SELECT config FROM pods ORDER BY created_ms, id').map(fromRow);
  }

  /** The one created last. Throws NO_SUCH_POD when there is none at all. */
  latest(): PodConfig {
    const latest = this.list().at(-1);
    if (latest === undefined) throw new EngineError('NO_SUCH_POD', 'no such pod');
    return latest;
  }

  /** Its containers must be gone. */
  remove(id: PodId): void {
    this.#db.run('DELETE FROM pods WHERE id = ?', id);
  }
}

function fromRow(row: Row): PodConfig {
  return JSON.parse(String(row['config'])) as PodConfig;
}
