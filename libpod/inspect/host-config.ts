/** HostConfig of `container inspect`: what the container gets from its host. Fields that nothing sets are there for Docker's sake. */
import type { Json, JsonObject } from '../../core/json.ts';
import { humanSize } from '../../core/size.ts';
import { boundingCapabilities } from '../spec/capabilities.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { Defaults } from '../spec/defaults.ts';
import { cpuTime } from '../spec/cpu-time.ts';
import { rlimitType } from '../spec/rlimits.ts';
import type { IdRange, NetworkMode, Resources } from '../spec/wish.ts';
import { binds, tmpfs } from './mounts.ts';
import { portBindings } from './network-settings.ts';
import { sorted } from './sorted.ts';

export interface HostView {
  readonly cgroupManager: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly defaults: Defaults;
}

export function hostConfig(config: ContainerConfig, view: HostView): JsonObject {
  const { namespaces, network, resources } = config;
  return {
    Binds: binds(config),
    CgroupManager: view.cgroupManager,
    CgroupMode: namespaceWord(namespaces.cgroup),
    ContainerIDFile: view.annotations['io.podman.annotations.cid-file'] ?? '',
    LogConfig: logConfig(config),
    NetworkMode: networkWord(network.mode),
    PortBindings: portBindings(config),
    RestartPolicy: { Name: config.restart.name, MaximumRetryCount: config.restart.maxRetries ?? 0 },
    AutoRemove: config.autoRemove,
    AutoRemoveImage: config.removeImage ?? false,
    Annotations: Object.keys(view.annotations).length > 0 ? sorted(view.annotations) : null,
    VolumeDriver: '',
    VolumesFrom: view.annotations['io.podman.annotations.volumes-from']?.split(',') ?? null,
    ...capabilityChanges(config, view.defaults),
    Dns: network.dnsServers,
    DnsOptions: network.dnsOptions,
    DnsSearch: network.dnsSearch,
    ExtraHosts: network.addHosts,
    HostsFile: network.hostsFile ?? '',
    GroupAdd: config.groupAdd,
    IpcMode: namespaceWord(namespaces.ipc),
    Cgroup: '',
    Cgroups: config.cgroups === 'enabled' ? 'default' : config.cgroups,
    Links: null,
    OomScoreAdj: config.oomScoreAdj ?? 0,
    PidMode: namespaceWord(namespaces.pid),
    Privileged: config.privileged,
    PublishAllPorts: view.annotations['io.podman.annotations.publish-all'] === 'TRUE',
    ReadonlyRootfs: config.readOnly,
    SecurityOpt: securityOptions(config),
    Tmpfs: tmpfs(config),
    UTSMode: namespaceWord(namespaces.uts),
    UsernsMode: config.idMap && namespaces.user.kind !== 'container' ? 'private' : namespaceWord(namespaces.user, ''),
    ...(config.idMap && { IDMappings: { UidMap: config.idMap.uids.map(idRange), GidMap: config.idMap.gids.map(idRange) } }),
    ShmSize: config.shmSizeBytes,
    Runtime: 'oci',
    ConsoleSize: [0, 0],
    Isolation: '',
    ...limits(config, resources),
    Ulimits: config.ulimits.map(({ name, soft, hard }) => ({ Name: rlimitType(name), Soft: soft, Hard: hard })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    CgroupConf: resources.cgroupFiles ? sorted(resources.cgroupFiles) : null,
    ...(config.rdtClass !== undefined && { IntelRdtClosID: config.rdtClass }),
  };
}

function limits(config: ContainerConfig, resources: Resources): JsonObject {
  const isBlockLimited = hasBlockLimit(resources);
  const shown = (asked: Resources['readBps'], name: 'Weight' | 'Rate'): Json =>
    isBlockLimited ? (asked ?? []).map(({ path, value }) => ({ Path: path, [name]: value })) : null;
  const { quota = 0, period = 0 } = cpuTime(resources);
  return {
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: quota > 0 && period > 0 ? Math.round((quota / period) * 1e9) : 0,
    CgroupParent: config.cgroupParent ?? '',
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: shown(resources.blkioWeightDevices, 'Weight'),
    BlkioDeviceReadBps: shown(resources.readBps, 'Rate'),
    BlkioDeviceWriteBps: shown(resources.writeBps, 'Rate'),
    BlkioDeviceReadIOps: shown(resources.readIops, 'Rate'),
    BlkioDeviceWriteIOps: shown(resources.writeIops, 'Rate'),
    CpuPeriod: period,
    CpuQuota: quota,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: resources.cpusetCpus ?? '',
    CpusetMems: resources.cpusetMems ?? '',
    Devices: [],
    DiskQuota: 0,
    KernelMemory: 0,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? (hasMemoryLimit(resources) ? -1 : 0),
    OomKillDisable: resources.oomKillDisable ?? false,
    ...(config.initPath !== undefined && { Init: true }),
    PidsLimit: resources.pidsLimit ?? 0,
  };
}

function hasBlockLimit({ blkioWeight, blkioWeightDevices, readBps, writeBps, readIops, writeIops }: Resources): boolean {
  return [blkioWeight, blkioWeightDevices, readBps, writeBps, readIops, writeIops].some((limit) => limit !== undefined);
}

function hasMemoryLimit({ memoryBytes, memoryReservationBytes, memorySwapBytes }: Resources): boolean {
  return [memoryBytes, memoryReservationBytes, memorySwapBytes].some((bytes) => bytes !== undefined);
}

/** Against the default set, whatever words led there. */
function capabilityChanges(config: ContainerConfig, defaults: Defaults): JsonObject {
  if (config.privileged) return { CapAdd: [], CapDrop: [] };
  const base = defaults.capabilities;
  const bounding = boundingCapabilities({ ...config, base });
  return { CapAdd: bounding.filter((name) => !base.includes(name)), CapDrop: base.filter((name) => !bounding.includes(name)).toSorted() };
}

function securityOptions({ security, privileged }: ContainerConfig): string[] {
  return [
    ...(security.noNewPrivileges === true ? ['no-new-privileges'] : []),
    ...(security.labels ?? []).map((label) => `label=${label}`),
    ...(security.seccomp === undefined ? [] : [`seccomp=${security.seccomp}`]),
    ...(security.apparmor === undefined ? [] : [`apparmor=${security.apparmor}`]),
    ...(privileged ? ['unmask=all'] : []),
  ];
}

function logConfig({ log }: ContainerConfig): JsonObject {
  return {
    Type: log.driver,
    Config: null,
    Path: log.driver === 'none' || log.driver === 'passthrough' ? '' : log.path,
    Tag: log.tag ?? '',
    Size: log.maxSizeBytes === undefined ? '-1B' : humanSize(log.maxSizeBytes),
  };
}

interface Mode {
  readonly kind: string;
  readonly container?: string;
  readonly path?: string;
}

/** `private`, `host`, `container:ID`, `ns:PATH`; for namespaces not set apart `host`. */
function namespaceWord(mode: Mode, host = 'host'): Json {
  if (mode.kind === 'container') return `container:${mode.container}`;
  if (mode.kind === 'path') return `ns:${mode.path}`;
  return mode.kind === 'host' ? host : mode.kind;
}

function networkWord(mode: NetworkMode): Json {
  return namespaceWord(mode);
}

function idRange({ containerId, hostId, size }: IdRange): string {
  return `${containerId}:${hostId}:${size}`;
}
