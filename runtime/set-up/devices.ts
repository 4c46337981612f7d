/** /dev: the devices every container has (config-linux.md#default-devices), those of the configuration, and the links that programs expect. */
import { statSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { ANY, argumentOf, type Step } from '../../host/deputy/layout.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import { O_PATH } from '../../host/root.ts';
import type { Device } from '../config.ts';
import { AT_EMPTY_PATH, type InnerRoot } from './inner-root.ts';
import { attachFile } from './mounts.ts';

const DEFAULTS: readonly Device[] = [
  { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666 },
  { path: '/dev/zero', type: 'c', major: 1, minor: 5, fileMode: 0o666 },
  { path: '/dev/full', type: 'c', major: 1, minor: 7, fileMode: 0o666 },
  { path: '/dev/tty', type: 'c', major: 5, minor: 0, fileMode: 0o666 },
  { path: '/dev/random', type: 'c', major: 1, minor: 8, fileMode: 0o666 },
  { path: '/dev/urandom', type: 'c', major: 1, minor: 9, fileMode: 0o666 },
];

const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['core', '/proc/kcore'],
  ['ptmx', 'pts/ptmx'],
];

const FILE_TYPES: Readonly<Record<string, number>> = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 };
const S_IFMT = 0o170000;

/**
 * `areBound`: nodes may not be made, as in every user namespace; the host's are put there instead. `withConsole`: a terminal will need the
 * place of /dev/console when /dev may be read-only. Throws SYSCALL, INVALID_ARGUMENT.
 */
export function makeDevices(
  root: InnerRoot,
  devices: readonly Device[],
  options: { readonly areBound: boolean; readonly withConsole: boolean },
): void {
  const own = new Set(devices.map(({ path }) => path));
  root.make('/dev', 'directory');
  for (const device of [...DEFAULTS.filter(({ path }) => !own.has(path)), ...devices]) {
    if (isThere(root, device)) continue;
    if (options.areBound && device.type !== 'p') bindDevice(root, device);
    else makeNode(root, device);
  }
  makeLinks(root);
  if (options.withConsole) root.make('/dev/console', 'file');
}

/** The device itself. Throws where something else has its place: whoever writes to it would write to that (CVE-2025-31133). */
function isThere(root: InnerRoot, device: Device): boolean {
  const fd = root.openIfThere(device.path, O_PATH, { noLinks: true });
  if (fd === undefined) return false;
  const stat = root.stat(fd);
  root.deputy.call('close', [fd]);
  const isSame =
    (stat.mode & S_IFMT) === FILE_TYPES[device.type] &&
    (device.type === 'p' || (stat.major === device.major && stat.minor === device.minor));
  if (isSame) return true;
  throw new EngineError('INVALID_ARGUMENT', `${device.path} is in the root file system and is not that device`);
}

function bindDevice(root: InnerRoot, device: Device): void {
  const source = device.path;
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined) throw new EngineError('INVALID_ARGUMENT', `device ${source}: no such file or directory`);
  attachFile(root, source, device.path);
}

function makeNode(root: InnerRoot, device: Device): void {
  const slash = device.path.lastIndexOf('/');
  const [directory, name] = [device.path.slice(0, slash) || '/', device.path.slice(slash + 1)];
  if (directory !== '/dev') root.make(directory, 'directory');
  const { major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = device;
  const number = device.type === 'p' ? 0 : deviceNumber(major, minor);
  const { failed } = root.deputy.calls([
    { ...root.opening(directory), store: argumentOf(1, 0) },
    { call: 'mknodat', args: [0, name, FILE_TYPES[device.type]! | fileMode, number] },
    { ...root.opening(device.path, O_PATH, { noLinks: true }), store: argumentOf(3, 0) },
    { call: 'fchownat', args: [0, '', uid, gid, AT_EMPTY_PATH] },
    { ...root.opening(directory), store: argumentOf(5, 0) },
    { call: 'fchmodat', args: [0, name, fileMode] },
  ]);
  if (failed === undefined) return;
  if (failed.call === 'mknodat' && failed.errno === ERRNO.EPERM && device.type !== 'p') bindDevice(root, device);
  else throw syscallError(failed.call, device.path, failed.errno);
}

/** The kernel's own encoding of both numbers in 32 bits. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** What has the name already stays. */
function makeLinks(root: InnerRoot): void {
  const fd = root.open('/dev');
  root.deputy.mustCall(
    [...LINKS.map(([name, target]): Step => ({ call: 'symlinkat', args: [target, fd, name], least: ANY })), { call: 'close', args: [fd] }],
    '/dev',
  );
}
