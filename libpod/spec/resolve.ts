/** From what was asked for, the image and the configuration to the container as it is kept. */
import { posix } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { ContainerId, ImageId } from '../../core/id.ts';
import { parseSignal } from '../../core/signal.ts';
import type { ContainerDefaults, Healthcheck } from '../../storage/image.ts';
import type { ContainerConfig, ContainerPod, ContainerSecret } from './container.ts';
import type { ContainerWish, NetworkMode } from './wish.ts';
import { parseCapability } from './capabilities.ts';
import { hasHealthcheck } from '../health/check.ts';
import { checkConflicts, checkName, checkWordSizes, checkZeroBytes } from './conflicts.ts';
import { DEFAULTS, type Defaults } from './defaults.ts';
import { defined } from './defined.ts';
import { parseLogDriver } from './parse/words.ts';
import { containerEnv, type ExpandWord } from './environment.ts';
import { containerPorts, type PortFacts } from './ports.ts';
import { containerUlimits, type HostRlimits } from './rlimits.ts';
import { containerSysctls } from './sysctls.ts';
import { formatUserNamespace, keptId, resolveIdMap, type UserNamespaceFacts } from './userns.ts';
import { containerMounts, type VolumeFacts } from './volumes.ts';

/** What is known, made or looked up when a container is created. The callbacks decide what the outside world decides. */
export interface CreateFacts extends VolumeFacts, PortFacts, UserNamespaceFacts {
  readonly id: ContainerId;
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string;
  /** These three are absent with --rootfs. */
  readonly imageId?: ImageId;
  readonly imageName?: string;
  readonly imageConfig?: ContainerDefaults;
  /** Diff-ids, base first; empty with --rootfs. */
  readonly layers: readonly string[];
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly hostRlimits: HostRlimits;
  /** Where the log goes unless asked for elsewhere. */
  readonly logPath: string;
  readonly secrets?: readonly ContainerSecret[];
  readonly secretEnv?: Readonly<Record<string, string>>;
  readonly pod?: ContainerPod;
  /** Ids of the containers that are required. */
  readonly requires?: readonly string[];
  /** Expands `--env-merge`: `$NAME` and its kin, quotes. Throws INVALID_ARGUMENT. */
  readonly expandWord?: ExpandWord;
  /** An init program found on this machine. */
  readonly initPath?: string;
}

const SIGTERM = 15;
/** SIGRTMIN+3: systemd's "shut down" (systemd(1), Signals). */
const SYSTEMD_STOP_SIGNAL = 37;

/** Pure, but for the callbacks. Throws INVALID_NAME, INVALID_ARGUMENT, HELPER_MISSING (init), SUBID_RANGE_MISSING, IMAGE_CORRUPT. */
export function resolveContainer(wish: ContainerWish, facts: CreateFacts, defaults: Defaults = DEFAULTS): ContainerConfig {
  checkName(facts.name);
  checkConflicts(wish);
  const image = facts.imageConfig;
  const { entrypoint, command } = commandLine(wish, image);
  const argv = [...entrypoint, ...command];
  const systemd = isSystemd(wish, argv);
  const network = networkMode(wish, facts, defaults);
  const namespaces = {
    user: wish.namespaces.user ?? (wish.idMap ? ({ kind: 'private' } as const) : ({ kind: 'host' } as const)),
    pid: wish.namespaces.pid ?? ({ kind: 'private' } as const),
    ipc: wish.namespaces.ipc ?? ({ kind: 'shareable' } as const),
    uts: wish.namespaces.uts ?? ({ kind: 'private' } as const),
    cgroup: wish.namespaces.cgroup ?? ({ kind: 'private' } as const),
  };
  const idMap = wish.idMap ?? resolveIdMap(namespaces.user, facts);
  const env = containerEnv(wish, image, facts, defaults);
  const workdir = wish.workdir ?? posix.join('/', image?.WorkingDir ?? '');
  checkZeroBytes([...argv, ...env, workdir]);
  const ulimits = wish.hostUlimits === true ? [] : containerUlimits(wish.ulimits, defaults.ulimits, facts.hostRlimits);
  checkWordSizes(argv, env, (ulimits.find(({ name }) => name === 'stack') ?? facts.hostRlimits['stack'])?.soft ?? -1);
  const { ports, expose } = containerPorts(wish.network, network, image, facts);
  return {
    id: facts.id,
    name: facts.name,
    createdAt: facts.createdAt,
    createCommand: wish.createCommand,
    ...defined({ imageId: facts.imageId, imageName: facts.imageName, rootfs: wish.rootfs }),
    layers: facts.layers,

    argv,
    entrypoint,
    command,
    env,
    workdir,
    workdirAsked: wish.workdir !== undefined,
    user: user(wish, image, facts),
    groupAdd: wish.groupAdd ?? [],
    ...defined({ accounts: wish.accounts }),
    umask: wish.umask ?? defaults.umask,
    ...defined({ timezone: wish.timezone ?? defaults.timezone, hostname: wish.hostname === '' ? undefined : wish.hostname }),
    labels: { ...image?.Labels, ...wish.labels },
    annotations: annotations(wish, facts, defaults),
    ...health(wish, image),

    terminal: wish.terminal,
    stdinOpen: wish.stdinOpen,
    autoRemove: wish.autoRemove,
    ...defined({
      removeImage: wish.removeImage,
      pod: facts.pod,
      requires: facts.requires,
      pidFile: wish.pidFile,
      monitorPidFile: wish.monitorPidFile,
      idFile: wish.idFile,
      personality: wish.personality,
      initPath: initPath(wish, facts, defaults),
    }),
    systemd,
    stopSignal: wish.stopSignal ?? imageStopSignal(image) ?? (systemd ? SYSTEMD_STOP_SIGNAL : SIGTERM),
    stopTimeoutSeconds: wish.stopTimeoutSeconds ?? defaults.stopTimeoutSeconds,
    ...defined({ timeoutSeconds: wish.timeoutSeconds, sdnotify: sdnotify(wish, image) }),
    restart: wish.restart ?? { name: 'no' },

    privileged: wish.privileged ?? false,
    readOnly: wish.readOnly ?? defaults.readOnly,
    readOnlyTmpfs: wish.readOnlyTmpfs ?? true,
    capAdd: wish.capAdd.map(parseCapability),
    capDrop: wish.capDrop.map(parseCapability),
    security: wish.security,
    ...defined({ imageSeccomp: wish.seccompPolicy === 'image' ? imageSeccomp(image) : undefined }),
    devices: wish.devices,
    ...defined({ cdiDevices: wish.cdiDevices, deviceRules: deviceRules(wish, facts) }),
    sysctls: containerSysctls(wish.sysctls, defaults.sysctls, { network, ipc: namespaces.ipc, idMap }),
    ulimits,
    hostUlimits: wish.hostUlimits ?? false,
    shmSizeBytes: wish.shmSizeBytes ?? defaults.shmSizeBytes,
    ...defined({
      systemdTmpfsBytes: wish.systemdTmpfsBytes,
      oomScoreAdj: wish.oomScoreAdj,
      cgroupParent: wish.cgroupParent,
      rdtClass: wish.rdtClass,
    }),
    resources: wish.resources,
    cgroups: wish.cgroups ?? 'enabled',

    namespaces,
    ...defined({ idMap }),

    mounts: containerMounts(wish, image, wish.imageVolumes ?? defaults.imageVolumes, facts),
    ...defined({ secrets: facts.secrets, secretEnv: facts.secretEnv, chrootDirs: wish.chrootDirs }),
    network: {
      mode: network,
      ports,
      expose,
      dnsServers: wish.network.dnsServers,
      dnsSearch: wish.network.dnsSearch,
      dnsOptions: wish.network.dnsOptions,
      addHosts: wish.network.addHosts,
      noHosts: wish.network.noHosts ?? false,
      ...defined({ hostsFile: wish.network.hostsFile }),
      noHostname: wish.network.noHostname ?? false,
    },
    log: log(wish, facts, defaults),
  };
}

const SECCOMP_LABEL = 'io.containers.seccomp.profile';

function imageSeccomp(image: ContainerDefaults | undefined): string {
  const profile = image?.Labels?.[SECCOMP_LABEL];
  if (profile === undefined || profile === '') throw new EngineError('INVALID_ARGUMENT', 'no seccomp policy defined by image');
  return profile;
}

/** The kernel lets nobody but the machine's root filter devices. */
function deviceRules({ deviceRules: rules }: ContainerWish, { rootless }: CreateFacts): ContainerConfig['deviceRules'] {
  if (rules !== undefined && rootless) {
    throw new EngineError('NOT_SUPPORTED', 'device cgroup rules are not supported in rootless mode or in a user namespace');
  }
  return rules;
}

/** A new entrypoint makes the image's command meaningless; one of [''] clears it. */
function commandLine(
  wish: ContainerWish,
  image: ContainerDefaults | undefined,
): { entrypoint: readonly string[]; command: readonly string[] } {
  const asked = wish.entrypoint;
  const entrypoint = asked === undefined ? (image?.Entrypoint ?? []) : asked.length === 1 && asked[0] === '' ? [] : asked;
  const isImageCommand = wish.command.length === 0 && asked === undefined;
  return { entrypoint, command: isImageCommand ? (image?.Cmd ?? []) : wish.command };
}

/** `--systemd=true`, the default, looks at what runs; a shell that the image puts before it is looked through. */
function isSystemd({ systemd = 'true' }: ContainerWish, argv: readonly string[]): boolean {
  if (systemd !== 'true') return systemd === 'always';
  const program = argv.length > 2 && argv[0] === '/bin/sh' && argv[1] === '-c' ? argv[2] : argv[0];
  if (program === undefined) return false;
  return ['/sbin/init', '/usr/sbin/init', '/usr/local/sbin/init'].includes(program) || posix.basename(program) === 'systemd';
}

function networkMode(wish: ContainerWish, { rootless }: CreateFacts, defaults: Defaults): NetworkMode {
  const { mode } = wish.network;
  if (mode !== undefined && mode.kind !== 'private') return mode;
  return rootless ? { kind: defaults.rootlessNetwork, options: [] } : { kind: 'bridge', networks: [] };
}

/** keep-id runs as the caller unless told otherwise. */
function user(wish: ContainerWish, image: ContainerDefaults | undefined, facts: CreateFacts): string {
  if (wish.user !== undefined) return wish.user;
  if (wish.namespaces.user?.kind === 'keep-id') {
    const { uid, gid } = keptId(wish.namespaces.user, facts.caller);
    return `${uid}:${gid}`;
  }
  return image?.User ?? '';
}

/** Podman keeps here what inspect has to tell and the OCI configuration has no place for. */
function annotations(wish: ContainerWish, { pod }: CreateFacts, defaults: Defaults): Readonly<Record<string, string>> {
  const { security, resources } = wish;
  const userNamespace = wish.namespaces.user ?? (wish.idMap ? { kind: 'private' as const } : undefined);
  const isPods = pod !== undefined && userNamespace?.kind === 'container';
  const own = {
    'cid-file': wish.idFile,
    autoremove: wish.autoRemove ? 'TRUE' : undefined,
    init: (wish.init ?? defaults.init) ? 'TRUE' : undefined,
    privileged: wish.privileged === true ? 'TRUE' : undefined,
    'publish-all': wish.network.publishAll === true ? 'TRUE' : undefined,
    userns: userNamespace && !isPods ? formatUserNamespace(userNamespace) : undefined,
    seccomp: security.seccomp,
    apparmor: security.apparmor,
    label: security.labels && security.labels.length > 0 ? security.labels.join(',') : undefined,
    'pids-limit': resources.pidsLimit?.toString(),
    cpuset: resources.cpusetCpus,
    'volumes-from': wish.volumesFrom && wish.volumesFrom.length > 0 ? wish.volumesFrom.join(',') : undefined,
  };
  const named = Object.entries(defined(own)).map(([name, value]) => [`io.podman.annotations.${name}`, value]);
  return { ...defaults.annotations, ...wish.annotations, ...Object.fromEntries(named) };
}

function health({ health: wish }: ContainerWish, image: ContainerDefaults | undefined): Partial<ContainerConfig> {
  const { check: asked, ...rest } = wish ?? {};
  const check = asked ?? healthcheck(image);
  const isChecked = check !== undefined && check.Test?.[0] !== 'NONE';
  if (rest.onFailure !== undefined && rest.onFailure !== 'none' && !isChecked) {
    throw new EngineError('INVALID_ARGUMENT', `cannot set on-failure action to ${rest.onFailure} without a health check`);
  }
  if (rest.startup !== undefined && !isChecked) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot set a startup healthcheck when there is no regular healthcheck: invalid argument');
  }
  return defined({
    healthcheck: check,
    healthFromImage: check !== undefined && asked === undefined ? true : undefined,
    health: Object.keys(rest).length > 0 ? rest : undefined,
  });
}

function healthcheck(image: ContainerDefaults | undefined): Healthcheck | undefined {
  const check = image?.Healthcheck;
  return check?.Test && check.Test.length > 0 && check.Test[0] !== 'NONE' ? check : undefined;
}

function initPath(wish: ContainerWish, facts: CreateFacts, defaults: Defaults): string | undefined {
  if (!(wish.init ?? defaults.init)) return undefined;
  const path = wish.initPath ?? defaults.initPath ?? facts.initPath;
  if (path !== undefined) return path;
  throw new EngineError('HELPER_MISSING', 'container-init binary not found on the host', {
    hint: 'Install catatonit, or name another with --init-path.',
  });
}

function sdnotify(wish: ContainerWish, image: ContainerDefaults | undefined): ContainerWish['sdnotify'] {
  if (wish.sdnotify?.mode === 'healthy' && !hasHealthcheck(health(wish, image)))
    throw new EngineError('INVALID_ARGUMENT', 'invalid argument: sdnotify policy "healthy" requires a healthcheck to be set');
  return wish.sdnotify;
}

function imageStopSignal(image: ContainerDefaults | undefined): number | undefined {
  return image?.StopSignal === undefined || image.StopSignal === '' ? undefined : parseSignal(image.StopSignal);
}

function log({ log: asked }: ContainerWish, facts: CreateFacts, defaults: Defaults): ContainerConfig['log'] {
  const maxSizeBytes = asked.maxSizeBytes ?? (defaults.logMaxSizeBytes > 0 ? defaults.logMaxSizeBytes : undefined);
  const driver = asked.driver ?? parseLogDriver(defaults.logDriver);
  return {
    ...asked,
    driver,
    // The journal has files of its own; what was asked for is shown all the same, as Podman does.
    path: asked.path ?? (driver === 'journald' ? '' : facts.logPath),
    ...defined({ maxSizeBytes, tag: asked.tag ?? (defaults.logTag === '' ? undefined : defaults.logTag) }),
  };
}
