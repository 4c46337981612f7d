/** What the container's kernel shows: host name, domain name, sysctls, the loopback device (config.md#hostname, config-linux.md#sysctl). */
import { constants } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { sysctlNamespace } from '../../core/sysctl.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import type { Config, NamespaceType } from '../config.ts';
import { AT_FDCWD, fileSystemOf, O_CLOEXEC, PROC_SUPER_MAGIC, type InnerRoot } from './inner-root.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP_RUNNING = 0x41;

/** Throws SYSCALL, INVALID_ARGUMENT. */
export function setNames({ deputy }: InnerRoot, { hostname, domainname, linux }: Config): void {
  for (const [call, name] of [
    ['sethostname', hostname],
    ['setdomainname', domainname],
  ] as const) {
    if (name === undefined || name === '') continue;
    if (!has(linux, 'uts')) throw new EngineError('INVALID_ARGUMENT', `${call.slice(3)} ${name}: needs a uts namespace of its own`);
    deputy.call(call, [name, Buffer.byteLength(name)]);
  }
}

/** In a network namespace that was just made, nobody else does. Throws SYSCALL. */
export function raiseLoopback({ deputy }: InnerRoot, { linux }: Config): void {
  if (linux?.namespaces?.some(({ type, path }) => type === 'network' && !path) !== true) return;
  const request = Buffer.alloc(40);
  request.write('lo');
  request.writeInt16LE(IFF_UP_RUNNING, 16);
  const fd = deputy.call('socket', [AF_INET, SOCK_DGRAM, 0]);
  deputy.call('ioctl', [fd, SIOCSIFFLAGS, request], 'loopback device');
  deputy.call('close', [fd]);
}

/** Throws SYSCALL, INVALID_ARGUMENT (one that is the whole machine's). */
export function setSysctls(root: InnerRoot, config: Config): void {
  for (const [name, value] of Object.entries(config.linux?.sysctl ?? {})) {
    const needed = namespaceOf(name, config);
    if (isForeign(needed, config)) continue;
    writeSysctl(root.deputy, root.open(`/proc/sys/${pathOf(name)}`, constants.O_WRONLY), name, value);
  }
}

/**
 * Those of namespaces that are joined, by a container with a user namespace of its own: once in that it has no right to them. The deputy is in the
 * former and not yet in the latter, and sees our /proc. Throws the same.
 */
export function setForeignSysctls(deputy: Deputy, config: Config): void {
  for (const [name, value] of Object.entries(config.linux?.sysctl ?? {})) {
    const needed = namespaceOf(name, config);
    if (!isForeign(needed, config)) continue;
    const path = `/proc/sys/${pathOf(name)}`;
    writeSysctl(deputy, deputy.call('openat', [AT_FDCWD, path, constants.O_WRONLY | O_CLOEXEC, 0]), name, value);
  }
}

function isForeign(needed: NamespaceType, { linux }: Config): boolean {
  return has(linux, 'user') && linux?.namespaces?.some(({ type, path }) => type === needed && path) === true;
}

function writeSysctl(deputy: Deputy, fd: number, name: string, value: string): void {
  if (fileSystemOf(deputy, fd) !== PROC_SUPER_MAGIC)
    throw new EngineError('INVALID_ARGUMENT', `sysctl ${name}: /proc/sys/${pathOf(name)} is not in proc`);
  deputy.call('write', [fd, Buffer.from(value), Buffer.byteLength(value)], `sysctl ${name}=${value}`);
  deputy.call('close', [fd]);
}

/** sysctl(8): dots stand between the parts, or slashes do; the other one belongs to a name. */
function pathOf(name: string): string {
  const firstSlash = name.indexOf('/');
  const firstDot = name.indexOf('.');
  if (firstSlash !== -1 && (firstDot === -1 || firstSlash < firstDot)) return name;
  return name.replaceAll(/[./]/g, (each) => (each === '.' ? '/' : '.'));
}

/** The namespace that a sysctl belongs to. */
function namespaceOf(name: string, { linux, hostname }: Config): NamespaceType {
  const plain = pathOf(name).replaceAll('/', '.');
  const needed = sysctlNamespace(plain);
  if (pathOf(name).split('/').includes('..')) throw new EngineError('INVALID_ARGUMENT', `sysctl ${name}: not a name`);
  if (needed === undefined) throw new EngineError('INVALID_ARGUMENT', `sysctl ${name} is not of one container alone`);
  if (!has(linux, needed)) throw new EngineError('INVALID_ARGUMENT', `sysctl ${name}: needs a namespace of its own (${needed})`);
  if (plain === 'kernel.hostname' && hostname) throw new EngineError('INVALID_ARGUMENT', `sysctl ${name} and hostname say the same`);
  return needed;
}

function has(linux: Config['linux'], type: NamespaceType): boolean {
  return linux?.namespaces?.some((each) => each.type === type) === true;
}
