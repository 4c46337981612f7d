/** `pod inspect`: Podman's document, field by field and in its order. */
import type { Json, JsonObject } from '../../core/json.ts';
import type { Engine } from '../engine.ts';
import { volumeData } from '../container/places.ts';
import { inspectedMounts } from '../inspect/mounts.ts';
import { portBindings } from '../inspect/network-settings.ts';
import { sorted } from '../inspect/sorted.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { cpuTime } from '../spec/cpu-time.ts';
import type { Resources } from '../spec/wish.ts';
import { type ContainerRecord, shownStatus } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import { podCgroupParent } from './cgroup.ts';
import { isInfra } from './life.ts';
import { membersOf } from './rows.ts';
import { podStatus } from './status.ts';

export async function inspectedPod(engine: Engine, pod: PodConfig): Promise<JsonObject> {
  const members = await membersOf(engine, pod);
  const infra = members.find(isInfra);
  const parent = podCgroupParent(engine, pod);
  return {
    Id: pod.id,
    Name: pod.name,
    Created: pod.createdAt,
    CreateCommand: pod.createCommand,
    ExitPolicy: pod.exitPolicy,
    State: podStatus(members),
    Hostname: pod.hostname ?? '',
    ...(Object.keys(pod.labels).length > 0 && { Labels: sorted(pod.labels) }),
    CreateCgroup: pod.shareParent,
    CgroupParent: parent,
    ...(pod.shareParent && { CgroupPath: `${parent}/${pod.id}` }),
    CreateInfra: pod.infraId !== undefined,
    ...(pod.infraId !== undefined && { InfraContainerID: pod.infraId }),
    ...(infra && { InfraConfig: infraConfig(infra.config, pod) }),
    ...(pod.shared.length > 0 && { SharedNamespaces: pod.shared }),
    NumContainers: members.length,
    ...(members.length > 0 && { Containers: members.map(member) }),
    ...cpuLimits(pod),
    ...(infra && shownOf(engine, infra.config)),
    ...otherLimits(pod),
    ...(pod.restart && { RestartPolicy: pod.restart.name }),
    LockNumber: 0,
  };
}

function member({ id, name, status }: ContainerRecord): JsonObject {
  return { Id: id, Name: name, State: shownStatus(status) };
}

function infraConfig(config: ContainerConfig, { resources }: PodConfig): JsonObject {
  const { network, namespaces } = config;
  const { mode } = network;
  const networks = mode.kind === 'bridge' ? mode.networks : [];
  const options = mode.kind === 'pasta' || mode.kind === 'slirp4netns' ? mode.options : [];
  return {
    PortBindings: portBindings(config),
    HostNetwork: mode.kind === 'host',
    // They belong to the networks, and Podman shows them nowhere.
    StaticIP: '',
    StaticMAC: '',
    NoManageResolvConf: network.dnsServers.includes('none'),
    DNSServer: orNull(network.dnsServers),
    DNSSearch: orNull(network.dnsSearch),
    DNSOption: orNull(network.dnsOptions),
    NoManageHostname: network.noHostname,
    NoManageHosts: network.noHosts,
    HostAdd: orNull(network.addHosts),
    HostsFile: network.hostsFile ?? '',
    Networks: orNull(networks.map(({ name }) => name)),
    NetworkOptions: options.length > 0 ? { [mode.kind]: options } : null,
    ...cpuShare(resources),
    ...(resources.cpusetCpus !== undefined && { cpuset_cpus: resources.cpusetCpus }),
    pid_ns: namespaces.pid.kind,
    userns: config.idMap === undefined ? namespaces.user.kind : 'private',
    uts_ns: namespaces.uts.kind,
  };
}

function cpuShare(resources: Resources): JsonObject {
  const { quota, period } = cpuTime(resources);
  return { ...(period !== undefined && { cpu_period: period }), ...(quota !== undefined && { cpu_quota: quota }) };
}

function cpuLimits({ resources }: PodConfig): JsonObject {
  return {
    ...cpuShare(resources),
    ...(resources.cpuShares !== undefined && { cpu_shares: resources.cpuShares }),
    ...(resources.cpusetCpus !== undefined && { cpuset_cpus: resources.cpusetCpus }),
    ...(resources.cpusetMems !== undefined && { cpuset_mems: resources.cpusetMems }),
  };
}

function shownOf(engine: Engine, config: ContainerConfig): JsonObject {
  const mounts = inspectedMounts(config, (name) => volumeData(engine, name));
  const { asTyped } = config.security;
  return { ...(mounts.length > 0 && { mounts }), ...(asTyped.length > 0 && { security_opt: asTyped }) };
}

function otherLimits({ resources }: PodConfig): JsonObject {
  return {
    ...(resources.memoryBytes !== undefined && { memory_limit: resources.memoryBytes }),
    ...(resources.memorySwapBytes !== undefined && { memory_swap: resources.memorySwapBytes }),
    ...(resources.blkioWeight !== undefined && { blkio_weight: resources.blkioWeight }),
  };
}

function orNull(list: readonly string[]): Json {
  return list.length > 0 ? [...list] : null;
}
