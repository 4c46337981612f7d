import type { JsonObject } from '../../core/json.ts';
import { runHelper } from '../../host/process.ts';
import { hasSeccompFilter, namespaceLack, sysctl } from '../../host/user-namespace.ts';
import { lackOf, missing, ok, type Probe } from './probe.ts';

/** Made by unshare(1), as a session's are. Gates that are open now are told with the facts. */
export const userNamespace: Probe = {
  name: 'user-namespace',
  run: async ({ identity }) => {
    const facts = gates();
    if (!identity.rootless) return ok('none is needed: this is root', facts);
    try {
      const { code, stderr } = await runHelper('unshare', ['--user', '--map-root-user', '--mount', '--', 'true'], {
        okCodes: [0, 1],
        timeoutMs: 10_000,
        package: 'util-linux',
      });
      return code === 0
        ? ok('user and mount namespaces can be made', facts)
        : missing(namespaceLack(stderr), { ...facts, said: stderr.trim() });
    } catch (error) {
      return missing(lackOf(error, 'containers cannot be started'), facts);
    }
  },
};

function gates(): JsonObject {
  const number = (name: string): number | null => {
    const value = sysctl(name);
    return value === undefined ? null : Number(value);
  };
  return {
    maxUserNamespaces: number('user/max_user_namespaces'),
    unprivilegedUsernsClone: number('kernel/unprivileged_userns_clone'),
    apparmorRestricts: number('kernel/apparmor_restrict_unprivileged_userns'),
    seccompFilter: hasSeccompFilter(),
  };
}
