/** Configurations of the containers that are tested, from the one that they all begin with. */
import type { Bench } from './bench.ts';

export interface Config {
  readonly ociVersion?: unknown;
  readonly root?: object;
  readonly process?: object;
  readonly mounts?: readonly object[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly hooks?: object;
  readonly annotations?: object;
  readonly linux?: object;
  readonly [unknown: string]: unknown;
}

export const PATH = 'PATH=/bin';

export const PROC = { destination: '/proc', type: 'proc', source: 'proc' };
export const DEV = { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] };
export const DEVPTS = {
  destination: '/dev/pts',
  type: 'devpts',
  source: 'devpts',
  options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
};
export const SHM = {
  destination: '/dev/shm',
  type: 'tmpfs',
  source: 'shm',
  options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
};

/** All namespaces but the user namespace, which is there already. */
export const NAMESPACES = ['pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'].map((type) => ({ type }));

/** Root of busybox that runs `script`; a part that is given replaces that part, `process` and `linux` by their members. */
export function configFor(bench: Bench, id: string, script: string, changes: Config = {}): Config {
  const { process, linux, ...rest } = changes;
  return {
    ociVersion: '1.0.2',
    root: { path: bench.rootfs },
    mounts: [PROC, DEV, DEVPTS, SHM],
    ...rest,
    process: { user: { uid: 0, gid: 0 }, args: ['sh', '-c', script], env: [PATH], cwd: '/', ...process },
    linux: { namespaces: NAMESPACES, cgroupsPath: bench.cgroupOf(id), ...linux },
  };
}
