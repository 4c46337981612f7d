/** Control groups, inside the session's namespaces: may a container have one, and which controllers can limit it. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { noControllers } from '../../core/lack.ts';
import { CGROUP_ROOT, controllersIn, isCgroup2, ownCgroup } from '../../host/cgroup.ts';
import { cgroupParent } from '../container/facts.ts';
import { degraded, lackOf, ok, type Probe } from './probe.ts';

/** Those that flags of `run` need. */
const USED = ['cpu', 'cpuset', 'io', 'memory', 'pids'] as const;

export const cgroups: Probe = {
  name: 'cgroups',
  run: ({ identity }) => {
    const loss = 'containers have no cgroup of their own: pause and limits do not work, and stop looks for processes one by one';
    const hybrid = readFileSync('/proc/self/cgroup', 'latin1')
      .split('\n')
      .some((line) => line !== '' && !line.startsWith('0::'));
    if (!isCgroup2()) return degraded({ what: 'cgroup v2 cannot be used here', loss, mend: BOOT }, { version: 1, hybrid });
    const parent = identity.rootless ? cgroupParent().cgroupParent : '/';
    const facts = { version: 2, hybrid, own: ownCgroup(), parent: parent ?? null };
    if (parent === undefined)
      return degraded(
        { what: `no cgroup can be made in or beside ${ownCgroup()}`, loss, mend: hybrid ? BOOT : noControllers(USED, true).mend },
        facts,
      );
    const directory = join(CGROUP_ROOT, parent);
    try {
      const path = join(directory, `lichen-doctor-${process.pid}`);
      mkdirSync(path);
      rmdirSync(path);
    } catch (error) {
      return degraded(lackOf(error, loss), facts);
    }
    const there = controllersIn(directory);
    const absent = USED.filter((name) => !there.includes(name));
    const told = { ...facts, controllers: there, absent };
    if (absent.length === 0) return ok(`cgroup v2 with ${there.join(', ')}`, told);
    const lack = noControllers(absent, identity.rootless);
    return degraded(hybrid ? { ...lack, what: `${lack.what}: they are in cgroup v1`, mend: BOOT } : lack, told);
  },
};

const BOOT = [{ advice: 'boot with systemd.unified_cgroup_hierarchy=1 on the command line of the kernel' }];
