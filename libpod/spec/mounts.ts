/** What a container finds mounted (config.md#mounts): the kernel's file systems, the user's mounts, and files made for this start. */
import type { ContainerConfig, ResolvedMount, StartFacts } from './container.ts';
import { INIT_TARGET } from './process.ts';
import { isUnmasked } from './masks.ts';
import { runtimeOptions } from './mount-options.ts';
import { hasId } from './namespaces.ts';
import type { OciMount } from './oci-types.ts';

const SYSTEMD_TMPFS = ['/run', '/run/lock', '/tmp', '/var/log/journal'];
const READ_ONLY_TMPFS = ['/tmp', '/run', '/var/tmp'];
const OWN_FILE = ['bind', 'rprivate'];

/** Parents before children. A mount the user asked for takes the place of ours, and with one on /dev nothing of ours lies below it. */
export function mounts(config: ContainerConfig, facts: StartFacts, devices: readonly OciMount[]): OciMount[] {
  const asked = [...facts.mounts.map(userMount), ...devices];
  const targets = new Set(asked.map(({ destination }) => destination));
  const ours = [...kernelMounts(config, facts), ...tmpfsMounts(config), ...ownFiles(config, facts), ...sharedMemory(config, facts)];
  const kept = ours.filter(({ destination }) => !targets.has(destination) && !(targets.has('/dev') && destination.startsWith('/dev/')));
  return [...kept, ...asked].toSorted((a, b) => depth(a.destination) - depth(b.destination));
}

function kernelMounts(config: ContainerConfig, facts: StartFacts): OciMount[] {
  return [proc(config), dev(config), sys(config, facts), devpts(config, facts), ...mqueue(config, facts), cgroup(config)];
}

/** The host's processes can only be shown through the host's own /proc: a new procfs shows the pid namespace of whoever mounts it. */
function proc(config: ContainerConfig): OciMount {
  if (config.namespaces.pid.kind === 'host') return mount('/proc', 'bind', '/proc', ['rbind', 'nosuid', 'noexec', 'nodev', 'rprivate']);
  return mount('/proc', 'proc', 'proc', config.security.procOpts ?? ['nosuid', 'noexec', 'nodev']);
}

function dev(config: ContainerConfig): OciMount {
  return mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k', ...(isAllReadOnly(config) ? ['ro'] : [])]);
}

function sys(config: ContainerConfig, facts: StartFacts): OciMount {
  const access = config.privileged ? 'rw' : 'ro';
  if (facts.sysfsByBind) return mount('/sys', 'bind', '/sys', ['rprivate', 'nosuid', 'noexec', 'nodev', access, 'rbind']);
  if (config.privileged) return mount('/sys', 'sysfs', 'sysfs', ['rprivate', 'nosuid', 'noexec', 'nodev', access]);
  return mount('/sys', 'sysfs', 'sysfs', ['nosuid', 'noexec', 'nodev', access]);
}

function devpts(config: ContainerConfig, facts: StartFacts): OciMount {
  const options = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  // tty's group; the kernel refuses the mount where the id has no mapping.
  return mount('/dev/pts', 'devpts', 'devpts', hasId(config.idMap?.gids, facts.availableIds.gids, 5) ? [...options, 'gid=5'] : options);
}

/** The host's message queues belong to a namespace we have no rights over: bound where the host shows them, else left out. */
function mqueue(config: ContainerConfig, facts: StartFacts): OciMount[] {
  if (config.namespaces.ipc.kind !== 'host') return [mount('/dev/mqueue', 'mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev'])];
  return facts.existing('/dev/mqueue') ? [mount('/dev/mqueue', 'bind', '/dev/mqueue', ['bind', 'nosuid', 'noexec', 'nodev'])] : [];
}

function cgroup(config: ContainerConfig): OciMount {
  if (config.systemd) return mount('/sys/fs/cgroup', 'cgroup', 'cgroup', ['private', 'rw']);
  const writable =
    config.privileged ||
    isUnmasked(
      '/sys/fs/cgroup',
      (config.security.unmask ?? []).flatMap((entry) => entry.split(':')),
    );
  return mount('/sys/fs/cgroup', 'cgroup', 'cgroup', ['rprivate', 'nosuid', 'noexec', 'nodev', 'relatime', writable ? 'rw' : 'ro']);
}

function tmpfsMounts(config: ContainerConfig): OciMount[] {
  const targets = [...(config.systemd ? SYSTEMD_TMPFS : []), ...(config.readOnly && config.readOnlyTmpfs ? READ_ONLY_TMPFS : [])];
  const size = config.systemdTmpfsBytes === undefined ? [] : [`size=${config.systemdTmpfsBytes}`];
  return [...new Set(targets)].map((target) => {
    const own = config.systemd && SYSTEMD_TMPFS.includes(target) ? size : [];
    return mount(target, 'tmpfs', 'tmpfs', ['rw', 'rprivate', 'nosuid', 'nodev', 'tmpcopyup', ...own]);
  });
}

function ownFiles(config: ContainerConfig, facts: StartFacts): OciMount[] {
  const options = config.readOnly ? [...OWN_FILE, 'ro', 'nosuid', 'noexec', 'nodev'] : OWN_FILE;
  const files = Object.entries(facts.files).map(([target, source]) => mount(target, 'bind', source, options));
  return config.initPath === undefined ? files : [mount(INIT_TARGET, 'bind', config.initPath, ['bind', 'ro', 'private']), ...files];
}

/** Without a directory to share it from, the container's /dev/shm is a tmpfs nobody else sees. */
function sharedMemory(config: ContainerConfig, facts: StartFacts): OciMount[] {
  if (config.namespaces.ipc.kind === 'none') return [];
  const flags = [...(isAllReadOnly(config) ? ['ro'] : []), 'nosuid', 'noexec', 'nodev'];
  if (facts.shmPath !== undefined) return [mount('/dev/shm', 'bind', facts.shmPath, ['bind', 'rprivate', ...flags])];
  return [mount('/dev/shm', 'tmpfs', 'shm', [...flags, 'mode=1777', `size=${config.shmSizeBytes}`])];
}

/** `--read-only --read-only-tmpfs=false`: nothing of ours can be written. */
function isAllReadOnly(config: ContainerConfig): boolean {
  return config.readOnly && !config.readOnlyTmpfs;
}

function userMount({ type, source, target, options }: ResolvedMount): OciMount {
  return mount(target, type, type === 'bind' ? source : type, runtimeOptions(options));
}

function mount(destination: string, type: string, source: string, options: readonly string[]): OciMount {
  return { destination, type, source, options };
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}
