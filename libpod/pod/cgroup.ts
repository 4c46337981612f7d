import type { Engine } from '../engine.ts';
import type { PodConfig } from '../state/pods.ts';

/** What the cgroups of pods lie below, in Podman's words. */
export function podCgroupParent({ cgroupManager, identity }: Engine, { cgroupParent }: Pick<PodConfig, 'cgroupParent'>): string {
  if (cgroupParent !== undefined) return cgroupParent;
  if (cgroupManager !== 'systemd') return '/libpod_parent';
  return identity.rootless ? 'user.slice' : 'machine.slice';
}
