/**
 * Network namespaces that outlive the process which made them.
 *
 * Node cannot make or visit one itself: setns(2) and unshare(2) would do, but the way back to the host's namespace, which belongs to
 * another user namespace, is closed to us.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { unmountAll } from './mount.ts';
import { runHelper } from './process.ts';

// Nobody else is on the link that the helpers make: without this an IPv6 address could not be used for a second (RFC 4862, duplicate
// address detection). A kernel without IPv6, or a read-only /proc/sys, is fine.
const PREPARE = 'echo 0 2>/dev/null >/proc/sys/net/ipv6/conf/default/accept_dad || true';

/** Make one, kept alive by a bind mount at `path` (an empty file is made there). Loopback is down. Throws HELPER_MISSING, HELPER_FAILED. */
export async function createNetworkNamespace(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  await runHelper('unshare', [`--net=${path}`, '--', '/bin/sh', '-c', PREPARE], { package: 'util-linux' });
}

/** Let go of a namespace made by createNetworkNamespace: it ends with its last process. Idempotent. */
export function removeNetworkNamespace(path: string): void {
  unmountAll(path);
  rmSync(path, { force: true });
}
