/**
 * The cgroup that those of a pod's containers lie below, with the limits of them all. With systemd it is a slice, which systemd makes itself.
 * Without, it lies where the first start finds that one may be made; that is noted in the run directory, since the next command may be called from
 * another place. Removed with the pod.
 */
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { CGROUP_ROOT } from '../../host/cgroup.ts';
import { readIfThere } from '../../host/if-there.ts';
import { managerScope, systemctl } from '../../host/service-manager.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig, StartFacts } from '../spec/container.ts';
import { resources } from '../spec/resources.ts';
import type { PodConfig } from '../state/pods.ts';
import { cgroupFiles, sliceProperties } from './limits.ts';
import { podOf } from './rows.ts';

/** What the cgroups of pods lie below, in Podman's words. */
export function podCgroupParent({ cgroupManager, identity }: Engine, { cgroupParent }: Pick<PodConfig, 'cgroupParent'>): string {
  if (cgroupParent !== undefined) return cgroupParent;
  if (cgroupManager !== 'systemd') return '/libpod_parent';
  return identity.rootless ? 'user.slice' : 'machine.slice';
}

/** Called at each start of a container of a pod. Throws CGROUP_UNAVAILABLE where a limit of the pod cannot be kept. */
export async function podCgroup(engine: Engine, config: ContainerConfig, facts: StartFacts): Promise<Pick<StartFacts, 'podCgroup'>> {
  const pod = podOf(engine, { config });
  if (pod === undefined || !pod.shareParent || config.cgroups === 'disabled' || facts.cgroupManager === 'disabled') return {};
  const limits = resources({ ...config, resources: pod.resources }, facts, 0);
  const isLimited = Object.keys(limits).length > 0;
  if (facts.cgroupManager === 'systemd') {
    const slice = sliceOf(engine, pod);
    const scope = managerScope(engine.identity, engine.options.env);
    if (isLimited && scope !== undefined) await systemctl(scope, ['set-property', '--runtime', slice, ...sliceProperties(limits)]);
    return { podCgroup: slice };
  }
  const parent = pod.cgroupParent ?? (facts.rootless ? facts.cgroupParent : '/libpod_parent');
  if (parent === undefined) return {};
  const path = readIfThere(notePath(engine, pod)) ?? note(engine, pod, `${parent.replace(/\/+$/, '')}/libpod-pod-${pod.id}`);
  if (isLimited) writeFiles(path, cgroupFiles(limits));
  return { podCgroup: path };
}

/** When all containers are gone. Idempotent. */
export async function removePodCgroup(engine: Engine, pod: PodConfig): Promise<void> {
  if (engine.cgroupManager === 'systemd') {
    const scope = managerScope(engine.identity, engine.options.env);
    // One that was never made, or a systemd that is gone, leaves nothing to end.
    if (scope !== undefined && pod.shareParent) await systemctl(scope, ['stop', sliceOf(engine, pod)]).catch(() => undefined);
    return;
  }
  const path = readIfThere(notePath(engine, pod));
  if (path === undefined) return;
  try {
    rmdirSync(`${CGROUP_ROOT}${path}`);
  } catch (error) {
    // Gone with the boot or the service it was in, or somebody else lives in it.
    if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  rmSync(notePath(engine, pod), { force: true });
}

function sliceOf(engine: Engine, pod: PodConfig): string {
  return `${podCgroupParent(engine, pod).replace(/\.slice$/, '')}-libpod_pod_${pod.id}.slice`;
}

function notePath({ paths }: Engine, { id }: PodConfig): string {
  return join(paths.run, 'pods', id);
}

function note(engine: Engine, pod: PodConfig, path: string): string {
  const file = notePath(engine, pod);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, path, { mode: 0o600 });
  return path;
}

function writeFiles(path: string, files: Readonly<Record<string, string>>): void {
  const directory = `${CGROUP_ROOT}${path}`;
  try {
    mkdirSync(directory, { recursive: true });
    const controllers = new Set(Object.keys(files).map((name) => name.slice(0, name.indexOf('.'))));
    writeFileSync(join(dirname(directory), 'cgroup.subtree_control'), [...controllers].map((name) => `+${name}`).join(' '));
    for (const [name, value] of Object.entries(files)) for (const line of value.split('\n')) writeFileSync(join(directory, name), line);
  } catch (cause) {
    throw new EngineError('CGROUP_UNAVAILABLE', `the limits of the pod cannot be set in ${directory}: ${systemWords(cause)}`, { cause });
  }
}
