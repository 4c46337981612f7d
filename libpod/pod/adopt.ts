/** A container that becomes one of a pod: what it was alone, or in another pod, gives way to what the pod shares (podman-container-clone(1), --pod). */
import { defaultNetworkMode } from '../container/network.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig, ContainerMount } from '../spec/container.ts';
import { invalid } from '../spec/parse/go.ts';
import { containerSysctls } from '../spec/sysctls.ts';
import type { NamespaceMode, NetworkMode, UserNamespaceMode } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import { SANDBOX, sharedMounts, userNamespace } from './join.ts';
import { podTable } from './rows.ts';

/** Network, IPC, host name and, where the pod shares it, processes are the pod's; ports are given up. Throws NO_SUCH_POD, AMBIGUOUS_ID, INVALID_ARGUMENT. */
export function adopt(engine: Engine, original: ContainerConfig, name: string): ContainerConfig {
  const pod = podTable(engine).find(name);
  const infra = pod.infraId === undefined ? undefined : engine.containers.get(pod.infraId);
  const sharesNetwork = infra !== undefined && pod.shared.includes('net');
  const alone = withoutPod(original, sharesNetwork ? { kind: 'container', container: infra.id } : defaultNetworkMode(engine, false));
  const config = infra === undefined ? alone : sharing(alone, pod, infra);
  return { ...config, pod: { id: pod.id, name: pod.name }, sysctls: sysctlsFor(engine, config) };
}

/** Those asked for, and of the defaults those that the namespaces allow. */
export function sysctlsFor(engine: Engine, { sysctls, network, namespaces, idMap }: ContainerConfig): ContainerConfig['sysctls'] {
  const defaults = engine.settings.defaults.sysctls;
  const asked = Object.entries(sysctls).filter(([key, value]) => defaults[key] !== value);
  return containerSysctls(Object.fromEntries(asked), defaults, { network: network.mode, ipc: namespaces.ipc, idMap });
}

/** As it would be with host name and IPC of its own, and that network. */
function withoutPod(original: ContainerConfig, mode: NetworkMode): ContainerConfig {
  const { hostname: _hostname, pod: _pod, idMap, ...config } = original;
  const { user, pid, cgroup } = config.namespaces;
  const own = <T extends NamespaceMode | UserNamespaceMode>(had: T, instead: T): T => (had.kind === 'container' ? instead : had);
  return {
    ...config,
    ...(idMap && user.kind !== 'container' && { idMap }),
    annotations: Object.fromEntries(Object.entries(config.annotations).filter(([key]) => key !== SANDBOX)),
    namespaces: {
      user: own<UserNamespaceMode>(user, { kind: 'host' }),
      pid: own<NamespaceMode>(pid, { kind: 'private' }),
      ipc: { kind: 'shareable' },
      uts: { kind: 'private' },
      cgroup: own<NamespaceMode>(cgroup, { kind: 'private' }),
    },
    network: { ...config.network, mode, ports: [] },
  };
}

function sharing(config: ContainerConfig, pod: PodConfig, infra: ContainerRecord): ContainerConfig {
  const { namespaces, network, annotations, security, devices, restart } = config;
  if (config.idMap !== undefined || namespaces.user.kind !== 'host')
    throw invalid('cannot set user namespace mode when joining pod with infra container: invalid argument');
  const mode = { kind: 'container', container: infra.id } as const;
  const shared = (['ipc', 'uts', 'pid', 'cgroup'] as const).filter(
    (kind) => pod.shared.includes(kind) && ['private', 'shareable'].includes(namespaces[kind].kind),
  );
  return {
    ...config,
    annotations: { ...annotations, [SANDBOX]: infra.id },
    security: security.asTyped.length > 0 ? security : infra.config.security,
    devices: [...infra.config.devices, ...devices],
    restart: restart.name === 'no' ? (pod.restart ?? restart) : restart,
    namespaces: { ...namespaces, ...Object.fromEntries(shared.map((kind) => [kind, mode])), ...userNamespace(infra) },
    ...(infra.config.idMap && { idMap: infra.config.idMap }),
    network: network.mode.kind === 'container' ? { ...network, dnsServers: [], dnsSearch: [], dnsOptions: [], addHosts: [] } : network,
    mounts: withMounts(config.mounts, sharedMounts(infra)),
  };
}

/** What the container has at a place stays there. */
export function withMounts(own: readonly ContainerMount[], shared: readonly ContainerMount[]): readonly ContainerMount[] {
  const more = shared.filter(({ target }) => own.every((mount) => mount.target !== target));
  return [...own, ...more].toSorted((a, b) => (a.target < b.target ? -1 : 1));
}
