/** What the runtime supports, as features.md has it. */
import { HOOK_KINDS, NAMESPACE_TYPES } from './config.ts';
import { CAPABILITY_NAMES } from './set-up/capabilities.ts';
import { MOUNT_WORDS } from './set-up/mount-options.ts';
import { OCI_VERSION } from './store.ts';

export function features(version: string): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: OCI_VERSION,
    hooks: HOOK_KINDS,
    mountOptions: MOUNT_WORDS,
    linux: {
      namespaces: NAMESPACE_TYPES,
      capabilities: CAPABILITY_NAMES,
      cgroup: { v1: false, v2: true, systemd: true, systemdUser: true, rdma: false },
      seccomp: { enabled: true },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: false },
      mountExtensions: { idmap: { enabled: true } },
    },
    annotations: { 'io.github.lichen.version': version },
  };
}
