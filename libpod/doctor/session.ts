/** The user's session: where what ends with it is kept, and who starts things for him. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDirectory } from '../../host/paths.ts';
import { managerScope, systemctlOutput } from '../../host/service-manager.ts';
import { lookUpUser } from '../../host/user.ts';
import { degraded, lackOf, missing, ok, type Probe } from './probe.ts';
import { nearestExisting, tryWriting } from './try-writing.ts';

export const runDirectory: Probe = {
  name: 'run-directory',
  run: ({ identity, env, paths }) => {
    const { run } = paths;
    const given = env['XDG_RUNTIME_DIR'] ?? null;
    const isThere = existsSync(run);
    const facts = { path: run, xdgRuntimeDir: given, exists: isThere };
    try {
      if (isThere) ensurePrivateDirectory(run);
      tryWriting(nearestExisting(run));
    } catch (error) {
      return missing(lackOf(error, 'no command of lichen works'), facts);
    }
    if (isThere && statSync(join(run, existsSync(join(run, 'pause')) ? 'pause' : '.')).mtimeMs < bootedMs()) {
      return degraded(
        {
          what: `${run} is left from before the last boot`,
          loss: 'containers that it tells of do not run any more',
          mend: [{ asUser: 'lichen ps' }],
        },
        facts,
      );
    }
    if (identity.uid === 0 || (given !== null && run.startsWith(`${given}/`))) return ok(run, facts);
    const why = given === null ? 'XDG_RUNTIME_DIR is not set' : `XDG_RUNTIME_DIR (${given}) is not a directory of yours`;
    return degraded(
      {
        what: `${why}: state is kept in ${run}`,
        loss: 'a cleaner of /tmp may take it away, and no service manager of the user is found',
        mend: [{ advice: 'log in at the console, by ssh or with machinectl shell instead of su or sudo' }],
      },
      facts,
    );
  },
};

export const serviceManager: Probe = {
  name: 'service-manager',
  run: async ({ identity, env }) => {
    const loss = 'units, timers of health checks and starts at boot are left to others';
    const scope = managerScope(identity, env);
    const booted = existsSync('/run/systemd/system');
    const facts = { systemd: booted, scope: identity.rootless ? 'user' : 'system', answers: false };
    if (scope === undefined) {
      const what = booted ? 'the systemd of this user does not run' : 'this machine is not run by systemd';
      return degraded({ what, loss, mend: booted ? [{ advice: 'log in at the console, by ssh or with machinectl shell' }] : [] }, facts);
    }
    try {
      const version = (await systemctlOutput(scope, ['show', '--property=Version', '--value'])).trim();
      return ok(`systemd ${version}`, { ...facts, answers: true, version });
    } catch (error) {
      return degraded(lackOf(error, loss), facts);
    }
  },
};

export const linger: Probe = {
  name: 'linger',
  run: ({ identity, env }) => {
    const name = lookUpUser(identity.uid)?.name ?? env['USER'] ?? String(identity.uid);
    const lingers = existsSync(`/var/lib/systemd/linger/${name}`);
    const isAsked = identity.rootless && existsSync(`/run/systemd/users/${identity.uid}`);
    const facts = { lingers, user: name };
    if (!isAsked) return ok(identity.rootless ? 'no login manager ends containers' : 'root needs none', facts);
    if (lingers) return ok(`${name} lingers`, facts);
    const lack = {
      what: `${name} does not linger`,
      loss: 'containers end with the last session',
      mend: [{ asUser: 'loginctl enable-linger' }],
    };
    return degraded(lack, facts);
  },
};

/** proc(5), /proc/stat. */
function bootedMs(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0) * 1000;
}

export const clock: Probe = {
  name: 'clock',
  run: () => {
    const nowMs = Date.now();
    const facts = { now: new Date(nowMs).toISOString(), boot: new Date(bootedMs()).toISOString() };
    // Whoever has this file has not got it from the future.
    const installedMs = statSync(process.argv[1]!).mtimeMs;
    if (nowMs + DAY_MS > installedMs) return ok(facts.now, facts);
    return degraded(
      {
        what: `the clock says ${facts.now}, before lichen was installed`,
        loss: 'certificates of registries are not valid yet',
        mend: [{ asRoot: 'timedatectl set-ntp true' }],
      },
      facts,
    );
  },
};

const DAY_MS = 86_400_000;
