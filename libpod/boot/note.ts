/** What the database knows of boots: the one it was last used in, and whether containers are still to be started after it. */
import { bootId } from '../../host/boot.ts';
import type { Database } from '../state/database.ts';

export interface BootNote {
  readonly isNewBoot: boolean;
  readonly isStartDue: boolean;
}

export function readBootNote(db: Database): BootNote {
  const rows = db.all(`SELECT key, value FROM meta WHERE key IN ('boot', 'boot-start')`);
  const valueOf = (wanted: string): unknown => rows.find(({ key }) => key === wanted)?.['value'];
  return { isNewBoot: valueOf('boot') !== bootId(), isStartDue: valueOf('boot-start') !== undefined };
}

/** Within the transaction that puts the old boot to rest. */
export function noteBoot(db: Database, isStartDue: boolean): void {
  db.run(`INSERT OR REPLACE INTO meta (key, value) VALUES ('boot', ?)`, bootId());
  if (isStartDue) db.run(`INSERT OR REPLACE INTO meta (key, value) VALUES ('boot-start', ?)`, bootId());
}

export function noteStarted(db: Database): void {
  db.run(`DELETE FROM meta WHERE key = 'boot-start'`);
}
