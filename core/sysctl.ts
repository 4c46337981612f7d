export type SysctlNamespace = 'ipc' | 'network' | 'user' | 'uts';

/** Those of the ipc namespace (runc's list). */
const IPC: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** The kind of namespace that a sysctl(8) variable belongs to, by its name with dots; undefined: it is the machine's. */
export function sysctlNamespace(name: string): SysctlNamespace | undefined {
  if (name.startsWith('net.')) return 'network';
  if (IPC.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  if (name.startsWith('user.')) return 'user';
  return name === 'kernel.domainname' || name === 'kernel.hostname' ? 'uts' : undefined;
}
