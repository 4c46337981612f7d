/**
 * A user who does not linger loses his containers with his last session: systemd-logind ends his service manager, in whose cgroups they are, and
 * removes /run/user/UID, where their state is. (KillUserProcesses= of logind.conf(5) is only about processes in the cgroup of the session itself.)
 */
import { existsSync } from 'node:fs';
import { lookUpUser } from '../../host/user.ts';
import type { Engine } from '../engine.ts';

const TOLD = 'linger-told';

/**
 * Tell it who starts a container that is to run on, once in the life of a store, and only where `canTell`. Without systemd-logind nothing ends.
 * Usually a look at one file.
 */
export function tellOfLinger(engine: Engine, canTell: () => boolean, tell: (line: string) => void): void {
  const { db, identity, paths, options } = engine;
  const { uid, rootless } = identity;
  if (!rootless || !paths.run.startsWith(`/run/user/${uid}/`) || !existsSync(`/run/systemd/users/${uid}`)) return;
  if (db.get('SELECT 1 FROM meta WHERE key = ?', TOLD) !== undefined) return;
  const name = lookUpUser(uid)?.name ?? options.env['USER'];
  if (name === undefined || existsSync(`/var/lib/systemd/linger/${name}`) || !canTell()) return;
  tell(`Containers of ${name} end with the last session, unless lingering is enabled: loginctl enable-linger`);
  db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', TOLD, String(Date.now()));
}
