/** The containers table. Rows come out as records; a status changes only along NEXT. */
import { EngineError } from '../../core/errors.ts';
import { asId, type ContainerId, type PodId } from '../../core/id.ts';
import type { ProcessIdentity } from '../../host/pid.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import type { HealthRecord } from '../health/check.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { Database, Row } from './database.ts';

/**
 * `starting`, `stopping` and `removing` say that a process works on the container, holding its lock. Found without that lock held, they
 * were left by a killed one, and heal.ts finishes or undoes the work.
 */
export type ContainerStatus = 'configured' | 'starting' | 'initialized' | 'running' | 'paused' | 'stopping' | 'exited' | 'removing';

const NEXT: Readonly<Record<ContainerStatus, readonly ContainerStatus[]>> = {
  configured: ['starting', 'removing'],
  starting: ['initialized', 'running', 'configured', 'exited', 'removing'],
  initialized: ['running', 'stopping', 'exited', 'removing'],
  running: ['paused', 'stopping', 'exited', 'removing'],
  paused: ['running', 'stopping', 'exited', 'removing'],
  stopping: ['exited', 'running', 'removing'],
  exited: ['starting', 'removing'],
  removing: [],
};

/** Statuses in which a runtime container with processes should exist. */
export const LIVE: readonly ContainerStatus[] = ['initialized', 'running', 'paused', 'stopping'];
const UNDER_WAY = ['starting', 'stopping', 'removing'] as const;

export interface ContainerRecord {
  readonly id: ContainerId;
  readonly name: string;
  readonly config: ContainerConfig;
  readonly createdMs: number;
  readonly status: ContainerStatus;
  /** How often it was started: tells a late clean-up from a new run. */
  readonly runCount: number;
  readonly restartCount: number;
  readonly process: ProcessIdentity | undefined;
  readonly monitor: ProcessIdentity | undefined;
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
  readonly stoppedByUser: boolean;
  readonly error: string | undefined;
  readonly network: NetworkAttachment | undefined;
  /** Of this run, or the last one; absent without a health check. */
  readonly health: HealthRecord | undefined;
}

/** What may change along with a status. `undefined` clears. */
export interface ContainerChange {
  readonly process?: ProcessIdentity | undefined;
  readonly monitor?: ProcessIdentity | undefined;
  readonly startedMs?: number | undefined;
  readonly finishedMs?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean;
  readonly stoppedByUser?: boolean;
  readonly error?: string | undefined;
  readonly network?: NetworkAttachment | undefined;
  readonly health?: HealthRecord | undefined;
  readonly runCount?: number;
  readonly restartCount?: number;
}

export class ContainerTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Throws NAME_IN_USE, NO_SUCH_POD. `needs`: containers whose namespaces or volumes this one shares. */
  insert(config: ContainerConfig, status: ContainerStatus, createdMs: number, needs: readonly ContainerId[]): void {
    const other = this.#db.get('SELECT id FROM containers WHERE name = ?', config.name);
    if (other) {
      throw new EngineError(
        'NAME_IN_USE',
        `creating container storage: the container name "${config.name}" is already in use by ${String(other['id'])}. You have to remove that container to be able to reuse that name: that name is already in use, or use --replace to instruct lichen to do so.`,
      );
    }
    if (config.pod !== undefined && !this.#db.get('SELECT 1 FROM pods WHERE id = ?', config.pod.id))
      throw new EngineError('NO_SUCH_POD', `pod ${config.pod.id} does not exist in database: no such pod`);
    this.#db.run(
      'INSERT INTO containers (id, name, image_id, config, created_ms, status, pod_id) VALUES (?, ?, ?, ?, ?, ?, ?)',
      config.id,
      config.name,
      config.imageId ?? null,
      JSON.stringify(config),
      createdMs,
      status,
      config.pod?.id ?? null,
    );
    for (const need of new Set(needs))
      this.#db.run('INSERT INTO container_dependencies (container_id, needs_id) VALUES (?, ?)', config.id, need);
  }

  get(id: ContainerId): ContainerRecord | undefined {
    const row = this.#db.get('SELECT * FROM containers WHERE id = ?', id);
    return row && fromRow(row);
  }

  /** By full id, name, or unambiguous id prefix. Throws NO_SUCH_CONTAINER, AMBIGUOUS_ID. */
  find(nameOrId: string): ContainerRecord {
    const row = this.#db.get('SELECT * FROM containers WHERE id = ?1 OR name = ?1', nameOrId);
    if (row) return fromRow(row);
    const matches = /^[0-9a-f]{1,64}$/.test(nameOrId)
      ? this.#db.all('SELECT * FROM containers WHERE id >= ? AND id < ? LIMIT 2', nameOrId, `${nameOrId}g`)
      : [];
    if (matches.length === 1) return fromRow(matches[0]!);
    if (matches.length > 1) {
      throw new EngineError('AMBIGUOUS_ID', `more than one result for container name or ID prefix ${nameOrId}`, {
        hint: 'Give more characters of the id, or the name.',
      });
    }
    if (nameOrId === '') throw new EngineError('INVALID_ARGUMENT', 'name or ID cannot be empty');
    throw new EngineError('NO_SUCH_CONTAINER', `no container with name or ID "${nameOrId}" found: no such container`);
  }

  has(id: ContainerId): boolean {
    return this.#db.get('SELECT 1 FROM containers WHERE id = ?', id) !== undefined;
  }

  count(): number {
    return Number(this.#db.get('SELECT count(*) AS count FROM containers')?.['count']);
  }

  /** Newest last. */
  list(): ContainerRecord[] {
    return this.#db.all('SELECT * FROM containers ORDER BY created_ms, id').map(fromRow);
  }

  /** The newest last. */
  inPod(id: PodId): ContainerRecord[] {
    return this.#db.all('SELECT * FROM containers WHERE pod_id = ? ORDER BY created_ms, id', id).map(fromRow);
  }

  /** Whose name it is. */
  ownerOf(name: string): ContainerId | undefined {
    const row = this.#db.get('SELECT id FROM containers WHERE name = ?', name);
    return row && asId<ContainerId>(String(row['id']));
  }

  /** The one created last. */
  latest(): ContainerRecord | undefined {
    const row = this.#db.get('SELECT * FROM containers ORDER BY created_ms DESC, id DESC LIMIT 1');
    return row && fromRow(row);
  }

  withStatus(...statuses: readonly ContainerStatus[]): ContainerRecord[] {
    return this.#db.all(`SELECT * FROM containers WHERE status IN (${statuses.map(() => '?').join(',')})`, ...statuses).map(fromRow);
  }

  /** Ids of containers that a process works on, or did when it was killed. One indexed query: every command asks. */
  underWay(): ContainerId[] {
    return this.#db
      .all(`SELECT id FROM containers WHERE status IN ('${UNDER_WAY.join("','")}')`)
      .map((row) => asId<ContainerId>(String(row['id'])));
  }

  /** Of every container, without reading the rest of its row. */
  statuses(): ContainerStatus[] {
    return this.#db.all('SELECT status FROM containers').map((row) => row['status'] as ContainerStatus);
  }

  /** Of every container that has a network of its own now, without reading the rest of its row. */
  attachments(): NetworkAttachment[] {
    return this.#db
      .all('SELECT network FROM containers WHERE network IS NOT NULL')
      .map((row) => JSON.parse(String(row['network'])) as NetworkAttachment);
  }

  usingImage(imageId: string): ContainerRecord[] {
    return this.#db.all('SELECT * FROM containers WHERE image_id = ?', imageId).map(fromRow);
  }

  /** Containers with an image among their mounts, whichever. */
  mountingImages(): ContainerRecord[] {
    return this.#db
      .all(
        `SELECT * FROM containers WHERE EXISTS (SELECT 1 FROM json_each(config, '$.mounts') AS mount WHERE mount.value ->> 'type' = 'image')`,
      )
      .map(fromRow);
  }

  dependants(id: ContainerId): ContainerId[] {
    return this.#db
      .all('SELECT container_id FROM container_dependencies WHERE needs_id = ?', id)
      .map((row) => asId<ContainerId>(String(row['container_id'])));
  }

  dependencies(id: ContainerId): ContainerId[] {
    return this.#db
      .all('SELECT needs_id FROM container_dependencies WHERE container_id = ?', id)
      .map((row) => asId<ContainerId>(String(row['needs_id'])));
  }

  /** Change status, and with it what `change` names. Throws WRONG_STATE when the row is not in one of `from`, or the move is not legal. */
  move(id: ContainerId, from: ContainerStatus | readonly ContainerStatus[], to: ContainerStatus, change: ContainerChange = {}): void {
    const current = this.#db.get('SELECT status FROM containers WHERE id = ?', id)?.['status'] as ContainerStatus | undefined;
    if (current === undefined) throw new EngineError('NO_SUCH_CONTAINER', `no container with name or ID "${id}" found: no such container`);
    const allowed = typeof from === 'string' ? [from] : from;
    if (!allowed.includes(current))
      throw new EngineError('WRONG_STATE', `container ${id} is ${shownStatus(current)}: container state improper`);
    if (!NEXT[current].includes(to)) throw new Error(`illegal move of a container from ${current} to ${to}`);
    this.#update(id, { ...columns(change), status: to });
  }

  change(id: ContainerId, change: ContainerChange): void {
    this.#update(id, columns(change));
  }

  rename(id: ContainerId, name: string): void {
    const record = this.get(id);
    if (!record) return;
    this.#update(id, { name, config: JSON.stringify({ ...record.config, name }) });
  }

  /** For what can be changed of a container that exists: limits, restart policy, environment. */
  reconfigure(id: ContainerId, config: ContainerConfig): void {
    this.#update(id, { config: JSON.stringify(config) });
  }

  remove(id: ContainerId): void {
    this.#db.run('DELETE FROM containers WHERE id = ?', id);
  }

  #update(id: ContainerId, values: Record<string, string | number | null>): void {
    const names = Object.keys(values);
    if (names.length === 0) return;
    this.#db.run(`UPDATE containers SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`, ...Object.values(values), id);
  }
}

/** The words of `ps` and `inspect`: Podman calls `configured` created. */
export function shownStatus(status: ContainerStatus): string {
  return status === 'configured' || status === 'starting' ? 'created' : status;
}

function columns(change: ContainerChange): Record<string, string | number | null> {
  const out: Record<string, string | number | null> = {};
  if ('process' in change) [out['pid'], out['pid_start']] = [change.process?.pid ?? null, change.process?.startTime ?? null];
  if ('monitor' in change) [out['monitor_pid'], out['monitor_start']] = [change.monitor?.pid ?? null, change.monitor?.startTime ?? null];
  if ('startedMs' in change) out['started_ms'] = change.startedMs ?? null;
  if ('finishedMs' in change) out['finished_ms'] = change.finishedMs ?? null;
  if ('exitCode' in change) out['exit_code'] = change.exitCode ?? null;
  if ('error' in change) out['error'] = change.error ?? null;
  if ('network' in change) out['network'] = change.network === undefined ? null : JSON.stringify(change.network);
  if ('health' in change) out['health'] = change.health === undefined ? null : JSON.stringify(change.health);
  if (change.oomKilled !== undefined) out['oom_killed'] = Number(change.oomKilled);
  if (change.stoppedByUser !== undefined) out['stopped_by_user'] = Number(change.stoppedByUser);
  if (change.runCount !== undefined) out['run_count'] = change.runCount;
  if (change.restartCount !== undefined) out['restart_count'] = change.restartCount;
  return out;
}

function fromRow(row: Row): ContainerRecord {
  const config = JSON.parse(String(row['config'])) as ContainerConfig;
  return {
    id: config.id,
    name: String(row['name']),
    config,
    createdMs: Number(row['created_ms']),
    status: row['status'] as ContainerStatus,
    runCount: Number(row['run_count']),
    restartCount: Number(row['restart_count']),
    process: identity(row['pid'], row['pid_start']),
    monitor: identity(row['monitor_pid'], row['monitor_start']),
    startedMs: optional(row['started_ms']),
    finishedMs: optional(row['finished_ms']),
    exitCode: optional(row['exit_code']),
    oomKilled: row['oom_killed'] === 1,
    stoppedByUser: row['stopped_by_user'] === 1,
    error: row['error'] === null ? undefined : String(row['error']),
    health: typeof row['health'] === 'string' ? (JSON.parse(row['health']) as HealthRecord) : undefined,
    network: typeof row['network'] === 'string' ? (JSON.parse(row['network']) as NetworkAttachment) : undefined,
  };
}

function identity(pid: unknown, startTime: unknown): ProcessIdentity | undefined {
  return typeof pid === 'number' && typeof startTime === 'number' ? { pid, startTime } : undefined;
}

function optional(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
