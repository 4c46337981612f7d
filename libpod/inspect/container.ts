/** `container inspect`: Podman's document, field by field and in its order. Pure. */
import type { Json, JsonObject } from '../../core/json.ts';
import { shortId } from '../../core/id.ts';
import { boundingCapabilities, containerCapabilities } from '../spec/capabilities.ts';
import { hasHealthcheck, type HealthRecord } from '../health/check.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { DEFAULTS, type Defaults } from '../spec/defaults.ts';
import { startAnnotations } from '../spec/annotations.ts';
import { OCI_VERSION } from '../spec/oci-types.ts';
import { startArgv } from '../spec/process.ts';
import { shownStatus, type ContainerRecord } from '../state/containers.ts';
import { hostConfig } from './host-config.ts';
import { inspectedMounts } from './mounts.ts';
import { networkSettings } from './network-settings.ts';
import { processConfig } from './process-config.ts';
import { goTime, NEVER } from './time.ts';

/** What inspect shows and the row does not hold. Paths are absolute; an absent one is shown empty. */
export interface ContainerInspectFacts {
  /** Where the container's lasting files lie, and where those of a run. */
  readonly directory: string;
  readonly runDirectory: string;
  readonly files: { readonly resolvConf?: string; readonly hostname?: string; readonly hosts?: string };
  /** As the container sees it, set or not. */
  readonly hostname: string;
  /** HOME of the last start. */
  readonly home?: string;
  readonly imageDigest?: string;
  readonly runtime: string;
  readonly cgroupManager: 'systemd' | 'cgroupfs' | 'disabled';
  readonly cgroupPath?: string;
  readonly driver: string;
  readonly layers: { readonly lower: readonly string[]; readonly upper: string; readonly work: string; readonly merged?: string };
  readonly volumePath: (name: string) => string;
  /** While it runs. */
  readonly netns?: string;
  /** By network name. */
  readonly networkIds: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly execIds: readonly string[];
  readonly health?: HealthState;
  /** `--size`, in bytes. */
  readonly size?: { readonly readWrite: number; readonly rootFs: number };
}

export type HealthState = Pick<HealthRecord, 'status' | 'failingStreak' | 'log'>;

export function inspectContainer(record: ContainerRecord, facts: ContainerInspectFacts, defaults: Defaults = DEFAULTS): JsonObject {
  const { config } = record;
  const argv = startArgv(config);
  const hasStarted = isStarted(record);
  const annotations = { ...config.annotations, ...(hasStarted && startAnnotations(config)) };
  return {
    Id: record.id,
    Created: config.createdAt,
    Path: argv[0] ?? '',
    // A command of one word is shown twice, as Podman does.
    Args: argv.length === 1 ? argv : argv.slice(1),
    State: stateOf(record, facts),
    Image: config.imageId ?? '',
    ImageDigest: facts.imageDigest ?? '',
    ImageName: config.imageName ?? '',
    Rootfs: config.rootfs?.path ?? '',
    Pod: config.pod?.id ?? '',
    ResolvConfPath: facts.files.resolvConf ?? '',
    HostnamePath: facts.files.hostname ?? '',
    HostsPath: facts.files.hosts ?? '',
    StaticDir: facts.directory,
    ...(hasStarted && { OCIConfigPath: `${facts.runDirectory}/config.json` }),
    OCIRuntime: facts.runtime,
    ConmonPidFile: config.monitorPidFile ?? `${facts.runDirectory}/conmon.pid`,
    PidFile: config.pidFile ?? `${facts.runDirectory}/pidfile`,
    Name: record.name,
    RestartCount: record.restartCount,
    Driver: facts.driver,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ...capabilities(config, defaults),
    ExecIDs: facts.execIds,
    GraphDriver: { Name: facts.driver, Data: graphData(facts) },
    ...(facts.size && { SizeRw: facts.size.readWrite, SizeRootFs: facts.size.rootFs }),
    Mounts: inspectedMounts(config, facts.volumePath),
    Dependencies: facts.dependencies,
    NetworkSettings: networkSettings(record, facts),
    Namespace: '',
    IsInfra: config.pod?.isInfra === true,
    IsService: false,
    KubeExitCodePropagation: 'invalid',
    lockNumber: 0,
    Config: processConfig(config, { hostname: facts.hostname, annotations, env: env(record, facts) }),
    HostConfig: hostConfig(config, { cgroupManager: facts.cgroupManager, annotations, defaults }),
    UseImageHosts: false,
    UseImageHostname: false,
  };
}

function stateOf(record: ContainerRecord, facts: ContainerInspectFacts): JsonObject {
  const isLive = record.process !== undefined;
  return {
    OciVersion: OCI_VERSION,
    Status: shownStatus(record.status),
    Running: record.status === 'running' || record.status === 'stopping',
    Paused: record.status === 'paused',
    Restarting: false,
    OOMKilled: record.oomKilled,
    Dead: false,
    Pid: record.process?.pid ?? 0,
    ...(record.monitor && { ConmonPid: record.monitor.pid }),
    ExitCode: record.exitCode ?? 0,
    Error: record.error ?? '',
    StartedAt: goTime(record.startedMs),
    FinishedAt: goTime(record.finishedMs),
    ...(hasHealthcheck(record.config) && { Health: health(facts.health) }),
    ...(isLive && facts.cgroupPath !== undefined && { CgroupPath: facts.cgroupPath }),
    CheckpointedAt: NEVER,
    RestoredAt: NEVER,
  };
}

function health(state: HealthState | undefined): JsonObject {
  const log = state?.log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output }));
  return { Status: state?.status ?? '', FailingStreak: state?.failingStreak ?? 0, Log: log && log.length > 0 ? log : null };
}

/** Of a process that is not root the effective set is shown as null when empty. */
function capabilities(config: ContainerConfig, defaults: Defaults): JsonObject {
  const wish = { ...config, base: defaults.capabilities };
  const { effective } = containerCapabilities(wish, runsAsRoot(config.user) ? 0 : 1);
  return { EffectiveCaps: effective ?? null, BoundingCaps: boundingCapabilities(wish) };
}

/** Told from the words alone: the container's passwd file may not be at hand. */
function runsAsRoot(user: string): boolean {
  return ['', '0', 'root'].includes(user.split(':', 1)[0] ?? '');
}

function graphData({ layers }: ContainerInspectFacts): JsonObject {
  return {
    ...(layers.lower.length > 0 && { LowerDir: layers.lower.join(':') }),
    ...(layers.merged !== undefined && { MergedDir: layers.merged }),
    UpperDir: layers.upper,
    WorkDir: layers.work,
  };
}

function env(record: ContainerRecord, facts: ContainerInspectFacts): Json {
  const { env: own, hostname } = record.config;
  const has = (name: string): boolean => own.some((variable) => variable.startsWith(`${name}=`));
  const hasStarted = isStarted(record);
  return [
    ...own,
    ...(hasStarted && facts.home !== undefined && !has('HOME') ? [`HOME=${facts.home}`] : []),
    ...((hasStarted || hostname !== undefined) && !has('HOSTNAME') ? [`HOSTNAME=${facts.hostname || shortId(record.id)}`] : []),
  ];
}

function isStarted(record: ContainerRecord): boolean {
  return record.startedMs !== undefined || record.process !== undefined;
}
