/**
 * `--cgroups split`: the container below the cgroup of the service that starts it, and everything else of the service, the monitor too, in
 * another one beside it: a cgroup that holds processes can hand no controllers down (cgroups(7), "No internal processes"). Names are Podman's.
 */
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { log } from '../../core/log.ts';
import { CGROUP_ROOT, controllersIn, ownCgroup } from '../../host/cgroup.ts';
import type { StartFacts } from '../spec/container.ts';

const OTHERS = 'runtime';

/** The service's cgroup, ready for the container's. Undefined where it is not ours to divide (`Delegate=yes`): then the container stays in it. */
export function splitCgroup(): Pick<StartFacts, 'splitCgroup' | 'controllers'> | undefined {
  const own = ownCgroup();
  // Started again from within it.
  const service = basename(own) === OTHERS ? dirname(own) : own;
  const directory = `${CGROUP_ROOT}${service}`;
  if (service === '/' || service.split('/').includes('..')) return undefined;
  try {
    accessSync(`${directory}/cgroup.procs`, constants.W_OK);
    mkdirSync(`${directory}/${OTHERS}`, { recursive: true });
    for (const pid of readFileSync(`${directory}/cgroup.procs`, 'latin1').split('\n')) if (pid !== '' && pid !== '0') move(directory, pid);
    return { splitCgroup: service, controllers: controllersIn(directory) };
  } catch (error) {
    log.debug(() => `the cgroup ${service} cannot be divided: ${(error as Error).message}`);
    return undefined;
  }
}

function move(directory: string, pid: string): void {
  try {
    writeFileSync(`${directory}/${OTHERS}/cgroup.procs`, pid);
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
