/** Limits of the kernel that are per user, and that many containers reach. */
import { readIfThere } from '../../host/if-there.ts';
import { sysctl } from '../../host/user-namespace.ts';
import { degraded, ok, type Probe } from './probe.ts';

const INOTIFY = { instances: 128, watches: 8192 } as const;

export const inotify: Probe = {
  name: 'inotify',
  run: () => {
    const instances = Number(sysctl('fs/inotify/max_user_instances') ?? Infinity);
    const watches = Number(sysctl('fs/inotify/max_user_watches') ?? Infinity);
    const facts = { maxUserInstances: instances, maxUserWatches: watches };
    if (instances >= INOTIFY.instances && watches >= INOTIFY.watches) return ok(`${instances} instances, ${watches} watches`, facts);
    return degraded(
      {
        what: `only ${instances} inotify instances and ${watches} watches for each user`,
        loss: 'programs that watch files fail where several containers run',
        mend: [{ asRoot: `sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288` }],
      },
      facts,
    );
  },
};

/** Fewer than this many containers more. */
const FEW_KEYS = 20;

/** An OCI runtime makes a session keyring for each container (keyrings(7)). */
export const keyring: Probe = {
  name: 'keyring',
  run: ({ identity }) => {
    // UID: usage nkeys/nikeys qnkeys/maxkeys qnbytes/maxbytes (proc(5), /proc/key-users).
    const line = new RegExp(`^\\s*${identity.uid}:\\s+\\d+ \\d+/\\d+ (\\d+)/(\\d+)`, 'm').exec(readIfThere('/proc/key-users') ?? '');
    const most = Number(line?.[2] ?? sysctl(identity.uid === 0 ? 'kernel/keys/root_maxkeys' : 'kernel/keys/maxkeys') ?? Infinity);
    const used = Number(line?.[1] ?? 0);
    const facts = { used, most: Number.isFinite(most) ? most : null };
    if (most - used >= FEW_KEYS) return ok(Number.isFinite(most) ? `${used} of ${most} keys` : 'the kernel keeps no keys', facts);
    return degraded(
      {
        what: `${used} of ${most} keys are taken`,
        loss: 'further containers do not start: the runtime says "disk quota exceeded"',
        mend: [{ asRoot: 'sysctl -w kernel.keys.maxkeys=2000 kernel.keys.maxbytes=2000000' }],
      },
      facts,
    );
  },
};
