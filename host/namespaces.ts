/**
 * Network namespaces that outlive the process which made them.
 *
 * Node cannot make or visit one itself: setns(2) and unshare(2) would do, but the way back to the host's namespace, which belongs to
 * another user namespace, is closed to us.
 */
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { quote, shellLine } from '../core/shell.ts';
import { unmountAll } from './mount.ts';
import { programPath, runHelper } from './process.ts';

// Nobody else is on the link that the helpers make: without this an IPv6 address could not be used for a second (RFC 4862, duplicate
// address detection). A kernel without IPv6, or a read-only /proc/sys, is fine.
const PREPARE = 'echo 0 2>/dev/null >/proc/sys/net/ipv6/conf/default/accept_dad || true';

/** statfs(2) */
const NSFS_MAGIC = 0x6e73_6673;

/** Make one, kept alive by a bind mount at `path` (an empty file is made there). Loopback is down. Throws HELPER_MISSING, HELPER_FAILED. */
export async function createNetworkNamespace(path: string): Promise<void> {
  makeMountPoint(path);
  await runHelper('unshare', unshareArgs(path), { package: 'util-linux' });
}

/** The exit status of a shell from namespaceShell that could not make the namespace; what `unshare` said is on its stderr. */
export const NAMESPACE_FAILED = 124;

/**
 * argv of a shell that makes a namespace with `make` (namespaceCommand) and becomes `then`, which stays outside: saves a start of ours that has to
 * wait for the namespace.
 */
export function namespaceShell(make: readonly string[], then: readonly string[]): string[] {
  return ['/bin/sh', '-c', `${shellLine(make)} || exit ${NAMESPACE_FAILED}; exec "$@"`, 'sh', ...then];
}

/** argv that does what createNetworkNamespace does, at a `path` made by makeMountPoint. Throws HELPER_MISSING. */
export function namespaceCommand(path: string): string[] {
  return [programPath('unshare', 'util-linux'), ...unshareArgs(path)];
}

function unshareArgs(path: string): string[] {
  return [`--net=${path}`, '--', '/bin/sh', '-c', PREPARE];
}

/** An empty file for the namespace. Throws EEXIST. */
export function makeMountPoint(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
}

/** Is there a namespace at `path` by now? False for the empty file that is there before. */
export function isNamespace(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === NSFS_MAGIC;
}

/**
 * Set variables of sysctl(8) that belong to the network namespace at `path`, by their names with dots or slashes. Throws INVALID_ARGUMENT with what the
 * kernel said.
 */
export async function setNetworkSysctls(path: string, sysctls: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(sysctls).map(([name, value]) => {
    const file = name.includes('/') ? name : name.replaceAll('.', '/');
    return `printf %s ${quote(value)} >${quote(`/proc/sys/${file}`)} || exit`;
  });
  if (lines.length === 0) return;
  const { code, stderr } = await runHelper('nsenter', [`--net=${path}`, '--', '/bin/sh', '-c', lines.join('\n')], {
    okCodes: [0, 1, 2],
    package: 'util-linux',
  });
  if (code !== 0) throw new EngineError('INVALID_ARGUMENT', `sysctls of the container's network: ${stderr.trim()}`);
}

/** Let go of a namespace made by createNetworkNamespace: it ends with its last process. Idempotent. */
export function removeNetworkNamespace(path: string): void {
  unmountAll(path);
  rmSync(path, { force: true });
}
