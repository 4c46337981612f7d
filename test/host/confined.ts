/** What a host's commands can be confined by (HostOptions.confined). Each begins as root, and becomes what follows. */
import type { TestHost } from './host.ts';

/** A seccomp filter as Docker's default profile has it. */
export const WITHOUT_UNSHARE: readonly string[] = ['sh', '/opt/lichen/scripts/node.sh', '/opt/lichen/test/host/without-unshare.ts'];

const LIMITED = '/run/limited';

/** A user namespace with every id as itself, in which no other can be made; limitNamespaces must have made it. */
export const AT_NAMESPACE_LIMIT: readonly string[] = ['nsenter', `--user=${LIMITED}`, '--preserve-credentials', '--'];

/** The limit holds for the namespace of whoever writes it, and for all below (user_namespaces(7)). */
export async function limitNamespaces(host: TestHost): Promise<void> {
  const script = `set -e
    touch ${LIMITED}
    unshare --user sleep 60 &
    while [ /proc/$!/ns/user -ef /proc/self/ns/user ]; do sleep 0.01; done
    for kind in uid gid; do echo 0 0 4294967295 > /proc/$!/\${kind}_map; done
    mount --bind /proc/$!/ns/user ${LIMITED}
    kill $!
    ${AT_NAMESPACE_LIMIT.join(' ')} sh -c 'echo 0 > /proc/sys/user/max_user_namespaces'`;
  const { exitCode, stderr } = await host.asRoot(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`the limit could not be set: ${stderr}`);
}
