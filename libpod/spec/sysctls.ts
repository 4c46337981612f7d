/** Which sysctl(8) variables may be set for a container: those that belong to a namespace it has to itself. */
import { EngineError } from '../../core/errors.ts';
import { sysctlNamespace } from '../../core/sysctl.ts';
import type { ContainerConfig } from './container.ts';
import type { NetworkMode } from './wish.ts';

const PING_GROUPS = 'net.ipv4.ping_group_range';

type NamespaceWord = 'Network' | 'IPC';

/** The configured defaults that apply, and what was asked for. Throws INVALID_ARGUMENT where a variable would be the host's. */
export function containerSysctls(
  asked: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>>,
  namespaces: {
    readonly network: NetworkMode;
    readonly ipc: ContainerConfig['namespaces']['ipc'];
    readonly idMap: ContainerConfig['idMap'];
  },
): Readonly<Record<string, string>> {
  const kinds: Readonly<Record<NamespaceWord, string>> = { Network: namespaces.network.kind, IPC: namespaces.ipc.kind };
  for (const [name, value] of Object.entries(asked)) {
    const namespace = namespaceOf(name);
    if (namespace === undefined) throw new EngineError('INVALID_ARGUMENT', `sysctl '${name}' is not allowed`);
    if (kinds[namespace] === 'host') {
      throw new EngineError(
        'INVALID_ARGUMENT',
        `sysctl ${name}=${value} can't be set since ${namespace} Namespace set to host: invalid argument`,
      );
    }
  }
  const applicable = Object.entries(defaults).filter(([name]) => {
    const namespace = namespaceOf(name);
    // A range of groups, which must exist: the usual one is that of root.
    if (name === PING_GROUPS && namespaces.idMap?.gids.every(({ containerId }) => containerId > 0) === true) return false;
    return namespace !== undefined && !['host', 'container', 'path'].includes(kinds[namespace]);
  });
  return { ...Object.fromEntries(applicable), ...asked };
}

/**
 * Those of the network for a container that has a user namespace of its own in a network namespace that was there before: its root may not set them,
 * and newer runtimes (crun 1.28) set them as its root. So they are not the runtime's to set.
 */
export function foreignSysctls(
  { sysctls, idMap }: Pick<ContainerConfig, 'sysctls' | 'idMap'>,
  netns: string | undefined,
): Readonly<Record<string, string>> {
  if (idMap === undefined || netns === undefined) return {};
  return Object.fromEntries(Object.entries(sysctls).filter(([name]) => namespaceOf(name) === 'Network'));
}

function namespaceOf(name: string): NamespaceWord | undefined {
  const owner = sysctlNamespace(name.replaceAll('/', '.'));
  if (owner === 'network') return 'Network';
  return owner === 'ipc' ? 'IPC' : undefined;
}
