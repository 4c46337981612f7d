/** The events of a store (podman-events(1)), kept in the database and bounded in number, or handed on. */
import { isEngineError } from '../../core/errors.ts';
import type { Database, Row } from './database.ts';

export interface EngineEvent {
  readonly seq: number;
  /** Nanoseconds since the epoch; the clock gives milliseconds, the rest keeps the order. */
  readonly timeNs: bigint;
  readonly type: 'container' | 'image' | 'volume' | 'network' | 'pod' | 'secret' | 'system';
  readonly status: string;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly exitCode: number | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of `health_status`. `log`: the check itself as JSON, where events are to have it. */
  readonly health?: { readonly status: string; readonly failingStreak: number; readonly log?: string };
}

/** One that a journal keeps has its place there. */
export type ToldEvent = Omit<EngineEvent, 'seq'>;

export type NewEvent = Pick<EngineEvent, 'type' | 'status' | 'id' | 'name'> &
  Partial<Pick<EngineEvent, 'image' | 'exitCode' | 'attributes' | 'health'>>;

const KEPT = 20_000;
const PRUNE_EVERY = 500;

export class EventTable {
  readonly #db: Database;
  readonly #tell: ((event: ToldEvent) => void) | undefined;

  /** `tell`: where events go instead of into the database. Must not throw. */
  constructor(db: Database, tell?: (event: ToldEvent) => void) {
    this.#db = db;
    this.#tell = tell;
  }

  /** Part of the caller's transaction, so an event is there exactly when the change is; told elsewhere it is when the change is kept. */
  add(event: NewEvent): void {
    if (this.#tell !== undefined) {
      const told = toldEvent(event);
      this.#db.whenKept(() => this.#tell!(told));
      return;
    }
    this.#db.run(
      'INSERT INTO events (time_ns, type, status, id, name, image, exit_code, attributes, health) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      nowNs(),
      event.type,
      event.status,
      event.id,
      event.name,
      event.image ?? '',
      event.exitCode ?? null,
      JSON.stringify(event.attributes ?? {}),
      event.health === undefined ? null : JSON.stringify(event.health),
    );
    const last = Number(this.#db.get('SELECT last_insert_rowid() AS seq')?.['seq']);
    if (last % PRUNE_EVERY === 0) this.#db.run('DELETE FROM events WHERE seq <= ?', last - KEPT);
  }

  /** An event that nothing hangs on: a full disk loses it, and its command goes on. */
  offer(event: NewEvent): void {
    try {
      this.add(event);
    } catch (error) {
      if (!isEngineError(error, 'STORE_FULL')) throw error;
    }
  }

  after(seq: number): EngineEvent[] {
    return this.#db
      .all(
        'SELECT seq, CAST(time_ns AS TEXT) AS time_ns, type, status, id, name, image, exit_code, attributes, health FROM events WHERE seq > ? ORDER BY seq',
        seq,
      )
      .map(fromRow);
  }

  lastSeq(): number {
    return Number(this.#db.get('SELECT max(seq) AS seq FROM events')?.['seq'] ?? 0);
  }
}

/** The event as it happens now. */
export function toldEvent(event: NewEvent): ToldEvent {
  return { image: '', exitCode: undefined, attributes: {}, ...event, timeNs: nowNs() };
}

let lastNs = 0n;

function nowNs(): bigint {
  const now = BigInt(Date.now()) * 1_000_000n;
  lastNs = now > lastNs ? now : lastNs + 1n;
  return lastNs;
}

function fromRow(row: Row): EngineEvent {
  return {
    seq: Number(row['seq']),
    timeNs: BigInt(String(row['time_ns'])),
    type: row['type'] as EngineEvent['type'],
    status: String(row['status']),
    id: String(row['id']),
    name: String(row['name']),
    image: String(row['image']),
    exitCode: row['exit_code'] === null ? undefined : Number(row['exit_code']),
    attributes: JSON.parse(String(row['attributes'])) as Record<string, string>,
    ...(typeof row['health'] === 'string' && { health: JSON.parse(row['health']) as NonNullable<EngineEvent['health']> }),
  };
}
