/**
 * What a caller asks for in `create` and `run`, parsed but not yet merged with the image and the configuration (Podman's SpecGenerator).
 * A field that is absent was not asked for. Built by the doors from flags or JSON; turned into a ContainerConfig by resolve.ts.
 */
import type { PortMapping } from '../../network/backend.ts';
import type { Healthcheck, Platform } from '../../storage/image.ts';

export interface ContainerWish {
  readonly image?: string;
  readonly rootfs?: RootfsWish;
  readonly name?: string;
  readonly replace?: boolean;
  readonly pull?: PullPolicy;
  readonly platform?: Partial<Platform>;
  /** The words after the image. */
  readonly command: readonly string[];
  /** `--entrypoint`; an empty array clears the image's. */
  readonly entrypoint?: readonly string[];
  /** Exactly the command line, for inspect's CreateCommand. */
  readonly createCommand: readonly string[];
  readonly pod?: PodMembership;

  /** In order; `KEY` without `=` has been resolved against the caller's environment. */
  readonly env: readonly (readonly [key: string, value: string])[];
  /** `KEY=word`, the word to be expanded with what the image and the defaults set. */
  readonly envMerge?: readonly string[];
  readonly unsetEnv?: readonly string[];
  readonly unsetEnvAll?: boolean;
  readonly httpProxy?: boolean;
  readonly workdir?: string;
  readonly user?: string;
  readonly groupAdd?: readonly string[];
  readonly accounts?: AccountsWish;
  readonly umask?: string;
  readonly timezone?: string;
  readonly hostname?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;

  readonly terminal: boolean;
  readonly stdinOpen: boolean;
  readonly autoRemove: boolean;
  /** `--rmi`: the image goes with the container unless others use it. */
  readonly removeImage?: boolean;
  readonly init?: boolean;
  readonly initPath?: string;
  readonly systemd?: 'true' | 'false' | 'always';
  readonly stopSignal?: number;
  readonly stopTimeoutSeconds?: number;
  /** `--timeout`: killed after so many seconds. */
  readonly timeoutSeconds?: number;
  readonly restart?: RestartPolicy;
  /** Names or ids of containers that are started before. */
  readonly requires?: readonly string[];
  /** Files that the pids of the container and of its monitor are written to. */
  readonly pidFile?: string;
  readonly monitorPidFile?: string;
  /** File that the id is written to by whoever asked for it. */
  readonly idFile?: string;
  /** `LINUX` or `LINUX32`: personality(2). */
  readonly personality?: string;
  readonly sdnotify?: Sdnotify;

  readonly health?: HealthWish;

  readonly privileged?: boolean;
  readonly readOnly?: boolean;
  /** tmpfs on /tmp, /run, /var/tmp of a read-only container; on unless said otherwise. */
  readonly readOnlyTmpfs?: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly security: SecurityWish;
  /** `image`: the profile is a label of the image. */
  readonly seccompPolicy?: 'default' | 'image';
  readonly devices: readonly DeviceWish[];
  /** `vendor.com/class=name`: devices of the Container Device Interface. */
  readonly cdiDevices?: readonly string[];
  readonly deviceRules?: readonly DeviceRule[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly Ulimit[];
  readonly hostUlimits?: boolean;
  readonly shmSizeBytes?: number;
  /** Size of each tmpfs that is made for systemd. */
  readonly systemdTmpfsBytes?: number;
  readonly oomScoreAdj?: number;
  readonly resources: Resources;
  readonly cgroupParent?: string;
  /** Class of Intel's Resource Director Technology. */
  readonly rdtClass?: string;
  readonly cgroups?: 'enabled' | 'disabled' | 'no-conmon' | 'split';

  readonly namespaces: NamespaceWishes;
  readonly idMap?: { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] };
  /** Names in /etc/subuid and /etc/subgid whose ids the container gets. */
  readonly subordinates?: { readonly uids: string; readonly gids: string };

  readonly mounts: readonly MountWish[];
  readonly secrets?: readonly SecretWish[];
  readonly imageVolumes?: 'anonymous' | 'bind' | 'tmpfs' | 'ignore';
  readonly volumesFrom?: readonly string[];
  /** Directories of the container that act as roots: hosts and resolv.conf are shown in them, too. */
  readonly chrootDirs?: readonly string[];

  readonly network: NetworkWish;
  readonly log: LogWish;
}

export interface PodMembership {
  /** Name or id. */
  readonly name: string;
  readonly init?: 'always' | 'once';
  /** Namespaces asked for as `pod`: shared even where those of the pod usually are not. */
  readonly joined: readonly SharedNamespace[];
}

export const SHARED_NAMESPACES = ['cgroup', 'ipc', 'net', 'pid', 'user', 'uts'] as const;
/** A namespace that containers of a pod may have in common. */
export type SharedNamespace = (typeof SHARED_NAMESPACES)[number];

/** What a caller asks for in `pod create`. */
export interface PodWish {
  readonly name?: string;
  readonly createCommand: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly exitPolicy: 'continue' | 'stop';
  /** What the containers of the pod have in common with its infra container. */
  readonly shared: readonly SharedNamespace[];
  /** False: the cgroups of the containers have no parent of the pod's own. */
  readonly shareParent: boolean;
  readonly hostname?: string;
  readonly cgroupParent?: string;
  /** Of all containers together. */
  readonly resources: Resources;
  /** Of containers that ask for none. */
  readonly restart?: RestartPolicy;
  /** Absent: the pod has no infra container. Without image or root file system it is of lichen's own make. */
  readonly infra?: ContainerWish;
}

export type PullPolicy = 'always' | 'missing' | 'never' | 'newer';

/** `--rootfs PATH[:O]`; an overlay view is thrown away with the container. */
export interface RootfsWish {
  readonly path: string;
  readonly overlay: boolean;
}

export interface RestartPolicy {
  readonly name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  readonly maxRetries?: number;
}

/** `--sdnotify`, and the socket of the service manager that the container was made under (NOTIFY_SOCKET). */
export interface Sdnotify {
  readonly mode: 'container' | 'conmon' | 'healthy' | 'ignore';
  readonly socket?: string;
}

export interface SecurityWish {
  readonly noNewPrivileges?: boolean;
  /** Path of a profile, or `unconfined`. */
  readonly seccomp?: string;
  readonly mask?: readonly string[];
  /** Paths, or `ALL`. */
  readonly unmask?: readonly string[];
  readonly procOpts?: readonly string[];
  /** `label=…` and `apparmor=…`, kept for inspect; nothing here enforces them on a kernel without the module. */
  readonly labels?: readonly string[];
  readonly apparmor?: string;
  /** As typed, for inspect. */
  readonly asTyped: readonly string[];
}

/** What is added to the container's /etc/passwd and /etc/group. */
export interface AccountsWish {
  /** `--passwd=false`: nothing at all. */
  readonly none?: boolean;
  /** Lines in place of the usual ones, with `$USERNAME`, `$UID` … in them. */
  readonly passwdEntry?: string;
  readonly groupEntry?: string;
  /** Users of this machine, by name or uid. */
  readonly hostUsers?: readonly string[];
}

/** A line of the cgroup's list of devices; a number that is absent stands for all. */
export interface DeviceRule {
  readonly type: 'a' | 'b' | 'c';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface DeviceWish {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Any of r, w, m. */
  readonly access: string;
}

export interface Ulimit {
  /** Lower case, without RLIMIT_: `nofile`. */
  readonly name: string;
  /** -1: unlimited. */
  readonly soft: number;
  readonly hard: number;
}

export interface Resources {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** memory + swap; -1: unlimited. */
  readonly memorySwapBytes?: number;
  readonly memorySwappiness?: number;
  readonly cpuShares?: number;
  readonly cpuPeriodMicros?: number;
  readonly cpuQuotaMicros?: number;
  readonly cpus?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** -1: unlimited; 0 is read as that too. */
  readonly pidsLimit?: number;
  readonly blkioWeight?: number;
  readonly oomKillDisable?: boolean;
  readonly blkioWeightDevices?: readonly DeviceLimit[];
  /** Bytes, and operations, per second. */
  readonly readBps?: readonly DeviceLimit[];
  readonly writeBps?: readonly DeviceLimit[];
  readonly readIops?: readonly DeviceLimit[];
  readonly writeIops?: readonly DeviceLimit[];
  /** Files of the container's cgroup: `memory.high`. */
  readonly cgroupFiles?: Readonly<Record<string, string>>;
}

export interface DeviceLimit {
  readonly path: string;
  readonly value: number;
}

export interface NamespaceWishes {
  readonly user?: UserNamespaceMode;
  readonly pid?: NamespaceMode;
  readonly ipc?: NamespaceMode | { readonly kind: 'shareable' } | { readonly kind: 'none' };
  readonly uts?: NamespaceMode;
  readonly cgroup?: NamespaceMode;
}

export type NamespaceMode =
  | { readonly kind: 'private' }
  | { readonly kind: 'host' }
  | { readonly kind: 'container'; readonly container: string }
  | { readonly kind: 'path'; readonly path: string };

export type UserNamespaceMode =
  | { readonly kind: 'host' }
  | { readonly kind: 'private' }
  | { readonly kind: 'keep-id'; readonly uid?: number; readonly gid?: number; readonly size?: number }
  | { readonly kind: 'nomap' }
  | { readonly kind: 'auto'; readonly size?: number; readonly uids?: readonly IdRange[]; readonly gids?: readonly IdRange[] }
  | { readonly kind: 'container'; readonly container: string }
  | { readonly kind: 'path'; readonly path: string };

/** One line of uid_map, counted inside the user namespace that lichen itself lives in (user_namespaces(7)). */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

export type MountWish =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly options: readonly string[] }
  | {
      readonly type: 'volume';
      readonly name?: string;
      readonly target: string;
      readonly options: readonly string[];
      readonly subpath?: string;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly options: readonly string[] }
  | { readonly type: 'ramfs'; readonly target: string; readonly options: readonly string[] }
  | { readonly type: 'devpts'; readonly target: string; readonly options: readonly string[] }
  | {
      readonly type: 'image';
      readonly source: string;
      readonly target: string;
      readonly options: readonly string[];
      readonly writable: boolean;
      /** Below the image's root. */
      readonly subpath?: string;
    }
  | {
      readonly type: 'artifact';
      readonly source: string;
      readonly target: string;
      readonly options: readonly string[];
      readonly title?: string;
      readonly digest?: string;
      /** In place of the blobs' own titles. */
      readonly fileName?: string;
    };

/** `type=glob`: a bind for each path that fits. */
export interface GlobWish {
  readonly type: 'glob';
  readonly pattern: string;
  /** The directory they appear in; absent: where they are. */
  readonly target?: string;
  readonly options: readonly string[];
}

/** `source`: name or id. Without a target it is a file, or a variable, of its own name. */
export type SecretWish =
  | {
      readonly kind: 'mount';
      readonly source: string;
      readonly target?: string;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  | { readonly kind: 'env'; readonly source: string; readonly target?: string };

export interface HealthWish {
  /** In place of the image's; one of `NONE` takes that away. */
  readonly check?: Healthcheck;
  readonly startup?: StartupCheck;
  readonly onFailure?: 'none' | 'kill' | 'restart' | 'stop';
  /** `local`, or a directory. */
  readonly logDestination?: string;
  /** 0: all. */
  readonly maxLogCount?: number;
  readonly maxLogSize?: number;
}

/** Run in place of the regular check until it has succeeded so often. `Retries` failures restart the container; 0: never. */
export interface StartupCheck extends Healthcheck {
  readonly Successes?: number;
}

export interface NetworkWish {
  /** Absent: the configured default (rootless: pasta). */
  readonly mode?: NetworkMode;
  readonly ports: readonly PortMappingWish[];
  readonly publishAll?: boolean;
  /** `80/tcp` */
  readonly expose: readonly string[];
  readonly dnsServers: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** `name:address`, address may be `host-gateway`. */
  readonly addHosts: readonly string[];
  readonly noHosts?: boolean;
  readonly hostsFile?: string;
  readonly noHostname?: boolean;
}

export type NetworkMode =
  | { readonly kind: 'pasta' | 'slirp4netns'; readonly options: readonly string[] }
  | { readonly kind: 'none' | 'host' | 'private' }
  | { readonly kind: 'container'; readonly container: string }
  | { readonly kind: 'path'; readonly path: string }
  /** Without any: the default network when the container is made, none at all once it has been taken from its last. */
  | { readonly kind: 'bridge'; readonly networks: readonly NetworkEndpoint[] };

/** What a container is to be in one network. */
export interface NetworkEndpoint {
  readonly name: string;
  /** Addresses asked for, at most one of each subnet; the others are given out at each start. */
  readonly ips: readonly string[];
  readonly mac?: string;
  readonly aliases: readonly string[];
  /** Absent: the first free `ethN`. */
  readonly interfaceName?: string;
  /** Of the driver. */
  readonly options?: Readonly<Record<string, string>>;
}

/** `hostPort` 0: any free port. */
export type PortMappingWish = PortMapping;

/** With the last two the container has the streams of whoever starts it, and nobody else sees what it says. */
export type LogDriver = 'k8s-file' | 'json-file' | 'journald' | 'none' | 'passthrough' | 'passthrough-tty';

export interface LogWish {
  readonly driver?: LogDriver;
  readonly path?: string;
  readonly maxSizeBytes?: number;
  readonly tag?: string;
  readonly options?: Readonly<Record<string, string>>;
}
