/** From what is asked of a container that is to be in a pod to what is asked of one that shares the infra container's namespaces. */
import type { Engine } from '../engine.ts';
import { invalid } from '../spec/parse/go.ts';
import type { ContainerMount, ContainerPod } from '../spec/container.ts';
import type { ContainerWish, NamespaceWishes, NetworkWish, PodMembership, SharedNamespace } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import { podTable } from './rows.ts';

/** Names the infra container, for tools that look for a sandbox. */
export const SANDBOX = 'io.kubernetes.cri-o.SandboxID';

export interface JoinedPod {
  readonly wish: ContainerWish;
  readonly pod: ContainerPod;
  /** Those of the infra container, which all containers of the pod have. */
  readonly mounts: readonly ContainerMount[];
}

/** Throws NO_SUCH_POD, AMBIGUOUS_ID, INVALID_ARGUMENT. */
export function joinPod(engine: Engine, wish: ContainerWish, membership: PodMembership): JoinedPod {
  const pod = podTable(engine).find(membership.name);
  const infra = pod.infraId === undefined ? undefined : engine.containers.get(pod.infraId);
  const restart = wish.restart ?? (wish.autoRemove ? undefined : pod.restart);
  const member = {
    pod: { id: pod.id, name: pod.name, ...(membership.init === undefined ? {} : { init: membership.init }) },
    wish: restart === undefined ? wish : { ...wish, restart },
  };
  if (infra === undefined) {
    if (membership.joined.length > 0)
      throw invalid('cannot use pod namespace as container is not joining a pod or pod has no infra container: invalid argument');
    return { ...member, mounts: [] };
  }
  return { ...member, wish: sharing(member.wish, pod, infra, membership.joined), mounts: sharedMounts(infra) };
}

/** What cannot be changed of a namespace that others have made is refused; what says nothing about it goes its own way. */
function sharing(wish: ContainerWish, pod: PodConfig, infra: ContainerRecord, joined: readonly SharedNamespace[]): ContainerWish {
  const shares = (kind: SharedNamespace): boolean => pod.shared.includes(kind) || joined.includes(kind);
  const { user: users } = wish.namespaces;
  if ((users !== undefined && users.kind !== 'host') || wish.idMap !== undefined || wish.subordinates !== undefined)
    throw invalid('cannot set user namespace mode when joining pod with infra container: invalid argument');
  const mode = { kind: 'container', container: infra.id } as const;
  const isNetworkShared = shares('net') && wish.network.mode === undefined;
  const sharesName = shares('uts') && wish.namespaces.uts === undefined;
  if (sharesName && wish.hostname !== undefined && wish.hostname !== '')
    throw invalid('invalid config provided: cannot set hostname when joining the pod UTS namespace: invalid configuration');
  const { security } = infra.config;
  return {
    ...wish,
    annotations: { ...wish.annotations, [SANDBOX]: infra.id },
    security: wish.security.asTyped.length > 0 ? wish.security : security,
    devices: [...infra.config.devices, ...wish.devices],
    namespaces: {
      ...wish.namespaces,
      ...Object.fromEntries(
        (['cgroup', 'ipc', 'pid', 'uts'] as const)
          .filter((kind) => shares(kind) && wish.namespaces[kind] === undefined)
          .map((kind) => [kind, mode]),
      ),
      ...(users === undefined && userNamespace(infra)),
    },
    ...(users === undefined && keptUser(wish, infra)),
    network: isNetworkShared ? sharedNetwork(wish.network, mode) : wish.network,
  };
}

/** With ids of its own the infra container has a user namespace, which owns the others that it has. */
export function userNamespace({ id, config }: ContainerRecord): Pick<NamespaceWishes, 'user'> {
  const { user } = config.namespaces;
  if (config.idMap !== undefined) return { user: { kind: 'container', container: id } };
  return user.kind === 'host' ? {} : { user };
}

/** In a keep-id pod everybody is the caller, unless told otherwise. */
function keptUser({ user }: ContainerWish, { config }: ContainerRecord): Pick<ContainerWish, 'user'> {
  return user === undefined && config.namespaces.user.kind === 'keep-id' ? { user: config.user } : {};
}

const SHARED = 'network cannot be configured when it is shared with a pod';

function sharedNetwork(asked: NetworkWish, mode: { readonly kind: 'container'; readonly container: string }): NetworkWish {
  if (asked.ports.length > 0 || asked.publishAll)
    throw invalid(`invalid config provided: published or exposed ports must be defined when the pod is created: ${SHARED}`);
  if (asked.addHosts.length > 0) throw invalid(`invalid config provided: extra host entries must be specified on the pod: ${SHARED}`);
  return { ...asked, mode, ports: [], dnsServers: [], dnsSearch: [], dnsOptions: [] };
}

export function sharedMounts({ config: { mounts } }: ContainerRecord): ContainerMount[] {
  return mounts.filter(({ type }) => type === 'bind' || type === 'volume');
}
