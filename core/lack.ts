/**
 * What a machine can lack, in the words that errors, warnings and `doctor` share: the cause, what is lost by it, and what mends it.
 */
import { type Distribution, installWords } from './distribution.ts';

export interface Lack {
  /** The cause: `newuidmap and newgidmap are not installed`. */
  readonly what: string;
  /** What it costs: `only one user id can be used in containers`. */
  readonly loss: string;
  readonly mend: readonly Mend[];
}

export type Mend =
  /** Debian's names of packages, blanks between. */
  | { readonly install: string }
  /** A shell command. */
  | { readonly asRoot: string }
  | { readonly asUser: string }
  /** For what no command can do. */
  | { readonly advice: string };

/** One sentence: `LOSS: WHAT (MEND)`. */
export function lackSentence(lack: Lack, distribution: Pick<Distribution, 'family'>): string {
  const words = mendText(lack, distribution);
  return `${lack.loss}: ${lack.what}${words === '' ? '' : ` (${words})`}`;
}

/** As a hint, a sentence of its own: `As root: modprobe tun`. */
export function mendHint(lack: Pick<Lack, 'mend'>, distribution: Pick<Distribution, 'family'>): string {
  const text = mendText(lack, distribution);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** For the middle of a sentence: `as root: modprobe tun`. */
export function mendText({ mend }: Pick<Lack, 'mend'>, distribution: Pick<Distribution, 'family'>): string {
  return mend.map((one) => mendWords(one, distribution)).join('; ');
}

function mendWords(mend: Mend, distribution: Pick<Distribution, 'family'>): string {
  if ('install' in mend) return installWords(distribution, mend.install);
  if ('asRoot' in mend) return `as root: ${mend.asRoot}`;
  return 'asUser' in mend ? mend.asUser : mend.advice;
}

const ONE_ID = 'only one user id can be used in containers';
const NO_NETWORK = 'containers have no network';
const NO_NAMESPACE = 'a user namespace cannot be made';

export const NO_ID_HELPERS: Lack = {
  what: 'newuidmap and newgidmap are not installed',
  loss: ONE_ID,
  mend: [{ install: 'uidmap' }],
};

export function noSubordinateIds(user: string): Lack {
  return {
    what: `there are no subordinate ids for ${user} in /etc/subuid and /etc/subgid`,
    loss: ONE_ID,
    mend: [{ asRoot: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}` }],
  };
}

export const NO_NETWORK_HELPER: Lack = {
  what: 'neither pasta nor slirp4netns is installed',
  loss: NO_NETWORK,
  mend: [{ install: 'passt' }],
};

export const TUN = '/dev/net/tun';
export const NO_TUN: Lack = { what: `${TUN} is missing`, loss: NO_NETWORK, mend: [{ asRoot: 'modprobe tun' }] };
export const CLOSED_TUN: Lack = { what: `${TUN} may not be opened`, loss: NO_NETWORK, mend: [{ asRoot: `chmod 666 ${TUN}` }] };

export const NO_RUNTIME: Lack = {
  what: 'neither crun nor runc is installed',
  loss: 'containers start more slowly: the OCI runtime of lichen takes its place',
  mend: [{ install: 'crun' }],
};

/** Of lichen's own; test/system/monitor.contract.test.ts measures it. */
export const MONITOR_MEMORY = '15 to 20 MB';

export const NO_MONITOR: Lack = {
  what: 'conmon is not installed',
  loss: `each container that runs holds ${MONITOR_MEMORY} more: the monitor of lichen takes its place`,
  mend: [{ install: 'conmon' }],
};

export const NO_FUSE_OVERLAY: Lack = {
  what: 'fuse-overlayfs is not installed',
  loss: 'images cannot be used with other ids (--userns, --uidmap), nor on file systems that overlayfs refuses without full copies',
  mend: [{ install: 'fuse-overlayfs' }],
};

export const NO_BRIDGES: Lack = {
  what: 'netavark is not installed',
  loss: 'there are no bridge networks',
  mend: [{ install: 'netavark aardvark-dns iptables' }],
};

export const NO_NAMES: Lack = {
  what: 'aardvark-dns is not installed',
  loss: 'containers do not find each other by name',
  mend: [{ install: 'aardvark-dns' }],
};

/** What forbids user namespaces, by what the machine's files say (see host/user-namespace.ts). */
export const NAMESPACES_FORBIDDEN = {
  limit: {
    what: 'the limit on user namespaces (/proc/sys/user/max_user_namespaces) is reached',
    loss: NO_NAMESPACE,
    mend: [{ asRoot: 'sysctl -w user.max_user_namespaces=28633' }],
  },
  clone: {
    what: 'unprivileged user namespaces are switched off (kernel.unprivileged_userns_clone is 0)',
    loss: NO_NAMESPACE,
    mend: [{ asRoot: 'sysctl -w kernel.unprivileged_userns_clone=1' }],
  },
  apparmor: {
    what: 'AppArmor restricts unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)',
    loss: NO_NAMESPACE,
    mend: [{ asRoot: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' }],
  },
  seccomp: {
    what: 'a seccomp filter around this process forbids them',
    loss: NO_NAMESPACE,
    mend: [{ advice: 'start it where unshare(2) is allowed: in Docker or Podman with --security-opt seccomp=unconfined or --privileged' }],
  },
  chroot: {
    what: 'this process runs in a chroot',
    loss: NO_NAMESPACE,
    mend: [{ advice: 'start it outside, or in a mount namespace whose root it is: unshare --mount with pivot_root' }],
  },
  unknown: {
    what: 'the kernel refuses it',
    loss: NO_NAMESPACE,
    mend: [{ advice: 'check /proc/sys/user/max_user_namespaces and the kernel option CONFIG_USER_NS' }],
  },
} as const satisfies Readonly<Record<string, Lack>>;

/** `names`: cgroup controllers. */
export function noControllers(names: readonly string[], rootless: boolean): Lack {
  const what = `the cgroup controller${names.length === 1 ? '' : 's'} ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not available`;
  const enable: Mend = { asRoot: `echo '${names.map((name) => `+${name}`).join(' ')}' > /sys/fs/cgroup/cgroup.subtree_control` };
  return { what, loss: 'limits that need them cannot be set', mend: rootless ? DELEGATE : [enable] };
}

/** For all users of a machine with systemd. */
const DELEGATE: readonly Mend[] = [
  {
    asRoot:
      'mkdir -p /etc/systemd/system/user@.service.d && ' +
      "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && " +
      'systemctl daemon-reload',
  },
  { advice: 'log out and in again' },
];
