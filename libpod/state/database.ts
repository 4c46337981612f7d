/**
 * The one database of a store (design D5). Transactions are short and synchronous: nothing is awaited inside.
 * WAL with synchronous=NORMAL: a crash of the machine may lose the last commits, never the order or the integrity of what is there.
 */
import { chmodSync, existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { EngineError } from '../../core/errors.ts';
import { MIGRATIONS } from './migrations.ts';

/** Our tables hold no blobs, and integers that JavaScript holds exactly (times in nanoseconds are cast to text). */
export type Row = Readonly<Record<string, string | number | null>>;

/** How long a writer waits for another one. Transactions take under a millisecond, so this is only for a stopped process. */
const BUSY_TIMEOUT_MS = 30_000;

export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  #owed: (() => void)[] = [];

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Throws STORE_CORRUPT, STORE_NEWER, STORE_FULL, STORE_OWNER, LOCKED. */
  static open(path: string): Database {
    const fresh = !existsSync(path);
    const db = translate(path, () => new DatabaseSync(path));
    if (fresh) chmodSync(path, 0o600);
    const database = new Database(db);
    translate(path, () => {
      db.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
      switchToWal(db);
      // Who comes next and is alone reads the whole log: 200 pages take it a millisecond.
      db.exec('PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=200');
      migrate(database, path);
    });
    return database;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return translate(sql, () => this.#prepare(sql).all(...values) as Row[]);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return translate(sql, () => this.#prepare(sql).get(...values) as Row | undefined);
  }

  /** The number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return translate(sql, () => Number(this.#prepare(sql).run(...values).changes));
  }

  /** All or nothing. `work` is synchronous; a transaction inside a transaction is part of the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.run('BEGIN IMMEDIATE');
    this.#depth++;
    let result: T;
    try {
      result = work();
      this.run('COMMIT');
    } catch (error) {
      this.#owed = [];
      // A full disk ends the transaction by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth--;
    }
    for (const owed of this.#owed.splice(0)) owed();
    return result;
  }

  /** For what is done outside of the database: when the transaction under way is kept, and not at all if it is undone. Must not throw. */
  whenKept(work: () => void): void {
    if (this.#depth > 0) this.#owed.push(work);
    else work();
  }

  /** Let what is written next take the place of what the write-ahead log holds already, instead of making it longer. Waits for nobody. */
  rewindLog(): void {
    try {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      // It needs a little room itself; without, the log grows as it would have.
      if (resultCode(error) !== SQLITE_FULL) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

/**
 * Read the database at `path` through, without a change to it; returns its schema.
 * Throws STORE_CORRUPT, STORE_NEWER, STORE_OWNER, LOCKED.
 */
export function examineDatabase(path: string): number {
  return translate(path, () => {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const problems = db
        .prepare('PRAGMA quick_check')
        .all()
        .map((row) => String(row['quick_check']))
        .filter((word) => word !== 'ok');
      if (problems.length > 0) throw new EngineError('STORE_CORRUPT', `the database is damaged: ${problems[0]}`, { hint: MOVE_AWAY });
      const schema = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
      if (schema > MIGRATIONS.length) throw newerStore(path, schema);
      return schema;
    } finally {
      db.close();
    }
  });
}

const MOVE_AWAY = 'Move db.sqlite away to start afresh; layers and volumes are kept as directories.';

function newerStore(path: string, schema: number): EngineError {
  return new EngineError('STORE_NEWER', `${path} has schema ${schema}, this lichen knows ${MIGRATIONS.length}`, {
    hint: 'Use the newer lichen, or another --root.',
  });
}

/** Several processes that begin a store at once: this is the one lock that SQLite does not wait for. */
function switchToWal(db: DatabaseSync): void {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode=WAL');
      return;
    } catch (error) {
      if (resultCode(error) !== SQLITE_BUSY || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function migrate(db: Database, path: string): void {
  const version = () => Number(db.get('PRAGMA user_version')?.['user_version'] ?? 0);
  const current = version();
  if (current === MIGRATIONS.length) return;
  if (current > MIGRATIONS.length) {
    throw newerStore(path, current);
  }
  db.transaction(() => {
    for (const [index, migration] of MIGRATIONS.entries()) {
      // Another process may have migrated while we waited for the write lock.
      if (index < version()) continue;
      for (const statement of migration) db.run(statement);
      db.run(`PRAGMA user_version=${index + 1}`);
    }
  });
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_READONLY = 8;
const SQLITE_CANTOPEN = 14;

function translate<T>(subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = resultCode(error);
    const message = error instanceof Error ? error.message : String(error);
    if (code === SQLITE_BUSY) throw new EngineError('LOCKED', `another process holds the store: ${message}`, { cause: error });
    if (code === SQLITE_FULL)
      throw new EngineError('STORE_FULL', `the store cannot be written: ${message}`, {
        cause: error,
        hint: 'Free some space, for example with: lichen system prune',
      });
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
      throw new EngineError('STORE_CORRUPT', `the database cannot be read (${subject}): ${message}`, {
        cause: error,
        hint: MOVE_AWAY,
      });
    }
    if (code === SQLITE_READONLY || code === SQLITE_CANTOPEN) {
      throw new EngineError('STORE_OWNER', `the database cannot be opened or written (${subject}): ${message}`, { cause: error });
    }
    throw error;
  }
}

/** The primary result code of an SQLite error. */
function resultCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}
