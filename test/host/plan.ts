/**
 * What a test host is made of, decided before anything is touched: directories and files below a fresh base directory,
 * the mounts of its private namespace in order (an fstab, so that one mount(8) carries them all out), device nodes, and what is taken away.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** A thing a poorer machine lacks. Any other word is the name of a program that is not to be found. */
export type Part = 'newuidmap' | 'subids' | 'fuse' | 'tun' | 'cgroup2' | 'runtime-dir' | (string & {});

export interface HostOptions {
  readonly without?: readonly Part[];
  /** Who runs the commands. Default `ordinary`. */
  readonly user?: 'ordinary' | 'root' | 'root-without-cap-sys-resource';
  /** Start a real `systemd --user` (see `canRunSystemd`). */
  readonly systemd?: boolean;
  /** Start a real `systemd-journald` (see `canRunJournal`). */
  readonly journal?: boolean;
  /** `disk` (default) is a directory on the machine's disk; a size makes it a tmpfs of so many MiB; no overlayfs can be mounted on an `overlay`. */
  readonly home?: 'disk' | 'read-only' | 'overlay' | { readonly sizeMib: number };
  /** Mounted after all others; `target` is made. */
  readonly mounts?: readonly { readonly target: string; readonly type: string; readonly options: string }[];
  /** Commands of the user are started by it, as root: it takes something from itself and becomes what follows. */
  readonly confined?: readonly string[];
  /** Added to the environment of every command; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** No mount below /usr: what other container programs have set there is seen. */
  readonly bareUsr?: boolean;
  /** Begin without the code that V8 compiled of the program on earlier hosts. */
  readonly cold?: boolean;
  /** Do not fail the test for what it leaves behind (it is ended and removed all the same). */
  readonly allowLeaks?: boolean;
}

export interface HostUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  readonly runtimeDir: string;
}

export interface HostPlan {
  readonly user: HostUser;
  readonly dropCapSysResource: boolean;
  readonly confined: readonly string[];
  /** Paths of directories, files and copies are relative to the base directory. */
  readonly directories: readonly { readonly path: string; readonly mode: number; readonly uid: number }[];
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: number }[];
  readonly copies: readonly { readonly from: string; readonly to: string }[];
  readonly fstab: string;
  /** Paths inside to remove once the mounts stand; the overlays on their directories turn this into whiteouts. */
  readonly hidden: readonly string[];
  readonly nodes: readonly string[];
  /** The delegated cgroup's name below /sys/fs/cgroup; absent: none. */
  readonly cgroup: string | undefined;
}

const SOURCE = 'lichen-test';
export const PROGRAM_PATH = '/opt/lichen/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ORDINARY: HostUser = { name: 'tester', uid: 2000, home: '/home/tester', runtimeDir: '/run/user/2000' };
const ROOT: HostUser = { name: 'root', uid: 0, home: '/root', runtimeDir: '/run/user/0' };
const SUBID_FIRST = 100_000;
const SUBID_COUNT = 65_536;

/** `base` is a fresh directory outside; `repository` and `fixtures` are shown inside as /opt/lichen and /opt/fixtures. */
export function planHost(base: string, repository: string, fixtures: string, options: HostOptions): HostPlan {
  const without = new Set(options.without);
  const user = (options.user ?? 'ordinary') === 'ordinary' ? ORDINARY : ROOT;
  const shown = shownEntries(repository);
  const removed = removedPrograms(without);
  const overlaid = ['/etc', ...new Set(removed.map((path) => path.slice(0, path.lastIndexOf('/'))))];
  const withRuntimeDir = !without.has('runtime-dir');

  return {
    user,
    dropCapSysResource: options.user === 'root-without-cap-sys-resource',
    confined: options.confined ?? [],
    directories: [
      ...shown.directories.map((name) => directory(`opt/lichen/${name}`)),
      directory('opt/fixtures'),
      ...overlaid.flatMap((path) => [directory(upperOf(path)), directory(`${upperOf(path)}.work`)]),
      directory('home/tester', 0o700, ORDINARY.uid),
      directory(upperOf(user.home), 0o700, user.uid),
      directory(`${upperOf(user.home)}.work`),
      directory('root', 0o700),
      directory('var-lib'),
      directory('var-tmp', 0o1777),
      directory('tmp', 0o1777),
    ],
    files: etcFiles(upperOf('/etc'), without),
    copies: shown.files.map((name) => ({ from: join(repository, name), to: `opt/lichen/${name}` })),
    fstab: [
      ...shown.directories.map((name) => fstabLine(join(repository, name), join(base, 'opt/lichen', name), 'none', 'bind,ro')),
      fstabLine(fixtures, join(base, 'opt/fixtures'), 'none', 'bind'),
      fstabLine(SOURCE, '/proc', 'proc', 'nosuid,nodev,noexec'),
      fstabLine(SOURCE, '/dev', 'tmpfs', 'nosuid,mode=755'),
      fstabLine(SOURCE, '/dev/pts', 'devpts', 'newinstance,ptmxmode=0666,mode=620,X-mount.mkdir'),
      fstabLine(SOURCE, '/dev/shm', 'tmpfs', 'nosuid,nodev,mode=1777,X-mount.mkdir'),
      fstabLine(SOURCE, '/run', 'tmpfs', 'nosuid,nodev,mode=755'),
      ...(withRuntimeDir ? [fstabLine(SOURCE, user.runtimeDir, 'tmpfs', `nosuid,nodev,mode=700,uid=${user.uid},X-mount.mkdir`)] : []),
      ...cgroupLines(without),
      ...(options.bareUsr === true ? [] : hiddenSettings()),
      ...overlaid.map((path) => overlayLine(base, path)),
      fstabLine(join(base, 'opt'), '/opt', 'none', 'rbind'),
      fstabLine(join(base, 'home'), '/home', 'none', 'bind'),
      fstabLine(join(base, 'root'), '/root', 'none', 'bind'),
      ...homeLines(base, user, options.home ?? 'disk'),
      fstabLine(join(base, 'var-lib'), '/var/lib', 'none', 'bind'),
      fstabLine(join(base, 'var-tmp'), '/var/tmp', 'none', 'bind'),
      fstabLine(join(base, 'tmp'), '/tmp', 'none', 'bind'),
      ...(options.mounts ?? []).map(({ target, type, options: words }) =>
        fstabLine(type === 'none' ? target : SOURCE, target, type, `${words},X-mount.mkdir`),
      ),
    ].join(''),
    hidden: ['/etc/containers', ...removed],
    nodes: deviceNodes(without),
    cgroup: without.has('cgroup2') ? undefined : base.slice(base.lastIndexOf('/') + 1),
  };
}

/** Only what an installed package has, and the rooms so that it can run unbuilt; a repository below a 0700 directory is reachable this way. */
function shownEntries(repository: string): { readonly directories: readonly string[]; readonly files: readonly string[] } {
  const entries = readdirSync(repository, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  return {
    directories: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
    files: entries.filter((entry) => entry.isFile()).map(({ name }) => name),
  };
}

function removedPrograms(without: ReadonlySet<Part>): readonly string[] {
  const programs = [...without].flatMap((part) => (part === 'newuidmap' ? ['newuidmap', 'newgidmap'] : [part]));
  const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/usr/lib/podman', '/usr/libexec/podman'];
  return directories
    .filter((path) => existsSync(path))
    .flatMap((path) => programs.map((program) => `${realpathSync(path)}/${program}`))
    .filter((path) => existsSync(path));
}

function etcFiles(etc: string, without: ReadonlySet<Part>): HostPlan['files'] {
  const { name, uid, home } = ORDINARY;
  const subids = without.has('subids') ? '' : `${name}:${SUBID_FIRST}:${SUBID_COUNT}\n`;
  const file = (path: string, content: string) => ({ path: `${etc}/${path}`, content, mode: 0o644 });
  return [
    file('passwd', `${accounts('/etc/passwd')}${name}:x:${uid}:${uid}:Test User:${home}:/bin/sh\n`),
    file('group', `${accounts('/etc/group')}${name}:x:${uid}:\n`),
    file('subuid', subids),
    file('subgid', subids),
    file('resolv.conf', readFileSync('/etc/resolv.conf', 'utf8')),
  ];
}

/** The machine's accounts without the ones that would stand in the way of the test user. */
function accounts(path: string): string {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && line.split(':')[0] !== ORDINARY.name && line.split(':')[2] !== String(ORDINARY.uid))
    .map((line) => `${line}\n`)
    .join('');
}

function deviceNodes(without: ReadonlySet<Part>): readonly string[] {
  return [
    'null 1 3',
    'zero 1 5',
    'full 1 7',
    'random 1 8',
    'urandom 1 9',
    'tty 5 0',
    ...(without.has('fuse') ? [] : ['fuse 10 229']),
    ...(without.has('tun') ? [] : ['net/tun 10 200']),
  ];
}

/** A machine with pure v2 can only lose it; one with v1 or both keeps what it has, which is the poorer machine already. */
function cgroupLines(without: ReadonlySet<Part>): readonly string[] {
  if (!without.has('cgroup2')) return [fstabLine(SOURCE, '/sys/fs/cgroup', 'cgroup2', 'nosuid,nodev,noexec')];
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? [fstabLine(SOURCE, '/sys/fs/cgroup', 'tmpfs', 'mode=755')] : [];
}

/** Of Podman and its like, which lichen would read. */
function hiddenSettings(): readonly string[] {
  const path = '/usr/share/containers';
  return existsSync(path) ? [fstabLine(SOURCE, path, 'tmpfs', 'ro,mode=755')] : [];
}

function homeLines(base: string, user: HostUser, home: NonNullable<HostOptions['home']>): readonly string[] {
  if (home === 'disk') return [];
  if (home === 'overlay') return [overlayLine(base, user.home)];
  if (home === 'read-only') return [fstabLine(user.home, user.home, 'none', 'bind,ro')];
  return [fstabLine(SOURCE, user.home, 'tmpfs', `size=${home.sizeMib}m,mode=700,uid=${user.uid}`)];
}

function overlayLine(base: string, path: string): string {
  const [upper, work] = [join(base, upperOf(path)), join(base, `${upperOf(path)}.work`)];
  return fstabLine(SOURCE, path, 'overlay', `volatile,lowerdir=${path},upperdir=${upper},workdir=${work}`);
}

function directory(path: string, mode = 0o755, uid = 0): HostPlan['directories'][number] {
  return { path, mode, uid };
}

function upperOf(path: string): string {
  return `upper${path.replaceAll('/', '-')}`;
}

function fstabLine(source: string, target: string, type: string, options: string): string {
  return `${[source, target, type, options].map((field) => field.replaceAll(' ', '\\040')).join(' ')} 0 0\n`;
}
