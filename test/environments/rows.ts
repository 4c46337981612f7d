/** The environment matrix: machines with something taken away, and what lichen does there. docs/environments.md shows it beside Podman. */
import { AT_NAMESPACE_LIMIT, limitNamespaces, WITHOUT_UNSHARE } from '../host/confined.ts';
import type { HostOptions, TestHost } from '../host/host.ts';
import { nestIn } from './nested.ts';

export type Verdict = 'ok' | 'degraded' | 'missing';

export interface Row {
  readonly options: HostOptions;
  /** Done before the first command. */
  readonly prepare?: (host: TestHost) => Promise<unknown>;
  /** Argv before each command: it runs in something. */
  readonly within?: readonly string[];
  /** What the first command that makes a container says on stderr. */
  readonly says?: RegExp;
  /** What the first command of all says on stderr. */
  readonly saysFirst?: RegExp;
  /** False: containers have no network of their own, so no port is published. */
  readonly network?: false;
  /** No container can be started: each command that would ends with 125, and these words. */
  readonly refused?: RegExp;
  /** Verdicts of probes that are not `ok` everywhere; the others are not looked at. */
  readonly doctor: Readonly<Record<string, Verdict>>;
}

const WITHOUT_NETWORK = { network: false, says: /containers have no network: / } as const;
const ONE_ID = /only one user id can be used in containers: /;
const SU = [{ target: '/run/user/0', type: 'tmpfs', options: 'mode=700' }];
const V1_ONLY = [
  { target: '/sys/fs/cgroup', type: 'tmpfs', options: 'mode=755' },
  { target: '/sys/fs/cgroup/memory', type: 'cgroup', options: 'memory' },
  { target: '/sys/fs/cgroup/pids', type: 'cgroup', options: 'pids' },
];

const BESIDE_NODE =
  'crun runc conmon pasta slirp4netns netavark aardvark-dns fuse-overlayfs newuidmap catatonit tini docker-init iptables nft ip fuse tun'.split(
    ' ',
  );

export const ROWS: Readonly<Record<string, Row>> = {
  'all present': {
    options: {},
    doctor: {
      'user-namespace': 'ok',
      'user-ids': 'ok',
      runtime: 'ok',
      monitor: 'ok',
      overlay: 'ok',
      fuse: 'ok',
      pasta: 'ok',
      slirp4netns: 'ok',
      bridges: 'ok',
      database: 'ok',
      'run-directory': 'ok',
    },
  },
  'no crun, no runc': {
    options: { without: ['crun', 'runc'] },
    doctor: { runtime: 'degraded', monitor: 'ok' },
  },
  'no conmon': { options: { without: ['conmon'] }, doctor: { runtime: 'ok', monitor: 'degraded' } },
  'no runtime, no conmon': {
    options: { without: ['crun', 'runc', 'conmon'] },
    doctor: { runtime: 'degraded', monitor: 'degraded' },
  },
  'nothing but Node and util-linux': {
    options: { without: BESIDE_NODE },
    ...WITHOUT_NETWORK,
    saysFirst: ONE_ID,
    doctor: { 'user-namespace': 'ok', 'user-ids': 'degraded', runtime: 'degraded', monitor: 'degraded', pasta: 'degraded', init: 'ok' },
  },
  'no pasta': { options: { without: ['pasta'] }, doctor: { pasta: 'degraded', slirp4netns: 'ok' } },
  'no slirp4netns': { options: { without: ['slirp4netns'] }, doctor: { pasta: 'ok', slirp4netns: 'degraded' } },
  'no pasta, no slirp4netns': {
    options: { without: ['pasta', 'slirp4netns'] },
    ...WITHOUT_NETWORK,
    doctor: { pasta: 'degraded', slirp4netns: 'degraded', 'network-namespace': 'ok' },
  },
  'overlayfs refused, no fuse-overlayfs': {
    options: { home: 'overlay', without: ['fuse-overlayfs'] },
    says: /overlay does not work for .*: every container gets a full copy of its image/,
    doctor: { overlay: 'degraded', fuse: 'degraded' },
  },
  'no newuidmap': { options: { without: ['newuidmap'] }, saysFirst: ONE_ID, doctor: { 'user-ids': 'degraded' } },
  'no subordinate ids': { options: { without: ['subids'] }, saysFirst: ONE_ID, doctor: { 'user-ids': 'degraded' } },
  'no /dev/fuse': { options: { without: ['fuse'] }, doctor: { fuse: 'degraded', overlay: 'ok' } },
  'no /dev/net/tun': { options: { without: ['tun'] }, ...WITHOUT_NETWORK, doctor: { tun: 'degraded', pasta: 'degraded' } },
  'cgroups as they are': { options: { without: ['cgroup2'] }, doctor: { 'user-namespace': 'ok' } },
  'cgroup v1 alone': { options: { without: ['cgroup2'], mounts: V1_ONLY }, doctor: { cgroups: 'degraded' } },
  'cgroup v2 without controllers': { options: { bareUsr: true }, doctor: { cgroups: 'degraded' } },
  'no XDG_RUNTIME_DIR': { options: { without: ['runtime-dir'] }, doctor: { 'run-directory': 'degraded' } },
  'su without a login': {
    options: { without: ['runtime-dir'], env: { XDG_RUNTIME_DIR: '/run/user/0' }, mounts: SU },
    doctor: { 'run-directory': 'degraded' },
  },
  'HOME read-only, store elsewhere': {
    options: { home: 'read-only', env: { LICHEN_ROOT: '/var/tmp/store' } },
    doctor: { store: 'ok', overlay: 'ok' },
  },
  'HOME read-only': {
    options: { home: 'read-only' },
    refused: /^Error: mkdir .*: read-only file system\nChoose other/,
    doctor: { store: 'missing' },
  },
  'HOME on tmpfs': { options: { home: { sizeMib: 400 } }, doctor: { store: 'degraded', overlay: 'ok' } },
  'full disk': {
    options: { home: { sizeMib: 160 } },
    prepare: (host) => host.run(['sh', '-c', 'dd if=/dev/zero of=$HOME/filler bs=64k; dd if=/dev/zero of=$HOME/filler.rest bs=512; true']),
    refused: /^Error: .*(disk is full|no space left on device).*\nFree some space/,
    doctor: { disk: 'missing' },
  },
  'root, cgroups as they are': { options: { user: 'root', without: ['cgroup2'] }, doctor: { 'user-ids': 'ok', overlay: 'ok' } },
  'root without CAP_SYS_RESOURCE, cgroups as they are': {
    options: { user: 'root-without-cap-sys-resource', without: ['cgroup2'] },
    doctor: { 'user-ids': 'ok', overlay: 'ok' },
  },
  root: { options: { user: 'root' }, doctor: { 'user-namespace': 'ok', 'user-ids': 'ok', overlay: 'ok', pasta: 'ok' } },
  'root without CAP_SYS_RESOURCE': {
    options: { user: 'root-without-cap-sys-resource' },
    doctor: { 'user-namespace': 'ok', 'user-ids': 'ok', overlay: 'ok' },
  },
  'in a container of lichen': { options: {}, ...nestIn('lichen'), doctor: { 'user-namespace': 'ok', overlay: 'ok', cgroups: 'degraded' } },
  // Podman's own pause process stays.
  'in a container of Podman': {
    options: { allowLeaks: true },
    ...nestIn('podman'),
    doctor: { 'user-namespace': 'ok', overlay: 'ok', cgroups: 'degraded' },
  },
  'seccomp forbids unshare': {
    options: { confined: WITHOUT_UNSHARE },
    refused: /^Error: a user namespace cannot be made: a seccomp filter around this process forbids them .*\nStart it where/,
    doctor: { 'user-namespace': 'missing' },
  },
  'limit on user namespaces reached': {
    options: { confined: AT_NAMESPACE_LIMIT },
    prepare: limitNamespaces,
    refused:
      /^Error: a user namespace cannot be made: the limit on user namespaces .* is reached.*\nAs root: sysctl -w user\.max_user_namespaces=/,
    doctor: { 'user-namespace': 'missing' },
  },
  'noexec /tmp': { options: { mounts: [{ target: '/tmp', type: 'none', options: 'bind,noexec' }] }, doctor: { overlay: 'ok' } },
  'C locale': { options: { env: { LANG: 'C', LC_ALL: 'C' } }, doctor: { overlay: 'ok' } },
  'non-UTF-8 locale': { options: { env: { LANG: 'de_DE.ISO-8859-1', LC_ALL: 'de_DE.ISO-8859-1' } }, doctor: { overlay: 'ok' } },
};
