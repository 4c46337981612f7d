/**
 * The container as it is kept: everything decided at create time, nothing that changes later. Stored as one JSON document.
 * `oci.ts` turns it (with the facts of the moment) into an OCI configuration; `inspect.ts` shows it.
 */
import type { ContainerId, ImageId, PodId } from '../../core/id.ts';
import type {
  DeviceWish,
  HealthWish,
  IdRange,
  LogDriver,
  LogWish,
  NamespaceMode,
  NetworkMode,
  Resources,
  RestartPolicy,
  Sdnotify,
  SecurityWish,
  AccountsWish,
  DeviceRule,
  Ulimit,
  UserNamespaceMode,
} from './wish.ts';
import type { PortMapping } from '../../network/backend.ts';
import type { Healthcheck } from '../../storage/image.ts';
import type { OciHooks } from './oci-types.ts';

export interface ContainerConfig {
  readonly id: ContainerId;
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string;
  readonly createCommand: readonly string[];
  /** The OCI runtime it was made for: a name, a path, or `embedded`. */
  readonly runtime?: string;

  readonly imageId?: ImageId;
  /** The name the image was found under: `docker.io/library/alpine:latest`. */
  readonly imageName?: string;
  /** Diff-ids of the image's layers, base first; empty with rootfs. */
  readonly layers: readonly string[];
  readonly rootfs?: { readonly path: string; readonly overlay: boolean };

  /** Entrypoint and command put together: what runs. */
  readonly argv: readonly string[];
  readonly entrypoint: readonly string[];
  /** What inspect shows as Cmd. */
  readonly command: readonly string[];
  /** The whole environment, in order, HOME and HOSTNAME excepted (they are known at start). */
  readonly env: readonly string[];
  readonly workdir: string;
  /** True if workdir came from the command line: then a missing one is an error, not made. */
  readonly workdirAsked: boolean;
  readonly user: string;
  readonly groupAdd: readonly string[];
  readonly accounts?: AccountsWish;
  readonly umask: string;
  readonly timezone?: string;
  /** Absent: the short id (private UTS namespace) or the host's. */
  readonly hostname?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly healthcheck?: Healthcheck;
  /** What is not said in it has the engine's defaults. */
  readonly healthFromImage?: boolean;
  readonly health?: Omit<HealthWish, 'check'>;

  readonly terminal: boolean;
  readonly stdinOpen: boolean;
  readonly autoRemove: boolean;
  readonly removeImage?: boolean;
  /** Path of an init on the host that becomes pid 1, where --init was asked for. */
  readonly initPath?: string;
  readonly systemd: boolean;
  readonly stopSignal: number;
  readonly stopTimeoutSeconds: number;
  readonly timeoutSeconds?: number;
  readonly restart: RestartPolicy;
  readonly pod?: ContainerPod;
  /** Ids of containers that are started before. */
  readonly requires?: readonly string[];
  /** Absolute paths. */
  readonly pidFile?: string;
  /** Has the id in it for as long as the container is there. */
  readonly idFile?: string;
  readonly monitorPidFile?: string;
  readonly personality?: string;
  /** Absent: `container`, and no service manager. */
  readonly sdnotify?: Sdnotify;

  readonly privileged: boolean;
  readonly readOnly: boolean;
  readonly readOnlyTmpfs: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly security: SecurityWish;
  /** A seccomp profile that the image brought, as JSON. */
  readonly imageSeccomp?: string;
  readonly devices: readonly DeviceWish[];
  readonly cdiDevices?: readonly string[];
  readonly deviceRules?: readonly DeviceRule[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly Ulimit[];
  readonly hostUlimits: boolean;
  readonly shmSizeBytes: number;
  readonly systemdTmpfsBytes?: number;
  readonly oomScoreAdj?: number;
  readonly resources: Resources;
  readonly cgroupParent?: string;
  readonly rdtClass?: string;
  readonly cgroups: 'enabled' | 'disabled' | 'no-conmon' | 'split';

  readonly namespaces: {
    readonly user: UserNamespaceMode;
    readonly pid: NamespaceMode;
    readonly ipc: NamespaceMode | { readonly kind: 'shareable' } | { readonly kind: 'none' };
    readonly uts: NamespaceMode;
    readonly cgroup: NamespaceMode;
  };
  /** Present where the container has a user namespace of its own, inside lichen's. */
  readonly idMap?: { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] };

  readonly mounts: readonly ContainerMount[];
  /** Files; their data is kept beside the row. */
  readonly secrets?: readonly ContainerSecret[];
  /** Variable → name or id of the secret that is its value, looked up at each start. */
  readonly secretEnv?: Readonly<Record<string, string>>;
  readonly chrootDirs?: readonly string[];
  readonly network: ContainerNetwork;
  readonly log: LogWish & { readonly driver: LogDriver; readonly path: string };
}

/** Of a container that is in a pod. */
export interface ContainerPod {
  readonly id: PodId;
  readonly name: string;
  /** It is the one whose namespaces the others share. */
  readonly isInfra?: boolean;
  /** It runs to its end before the others start: with each start of the pod, or with the first alone, after which it is removed. */
  readonly init?: 'always' | 'once';
}

/** Does it have the streams of whoever starts it? Then there is nothing to attach to, and no log. */
export function passesStreamsThrough({ log: { driver } }: Pick<ContainerConfig, 'log'>): boolean {
  return driver === 'passthrough' || driver === 'passthrough-tty';
}

/** A mount the user or the image asked for; the default ones (/proc, /dev …) are the generator's. Sorted by target. */
export type ContainerMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly options: readonly string[] }
  | {
      readonly type: 'volume';
      readonly name: string;
      readonly anonymous: boolean;
      readonly target: string;
      readonly options: readonly string[];
      readonly subpath?: string;
    }
  | { readonly type: 'tmpfs' | 'ramfs' | 'devpts'; readonly target: string; readonly options: readonly string[] }
  | {
      readonly type: 'image';
      readonly source: string;
      readonly target: string;
      readonly options: readonly string[];
      readonly writable: boolean;
      readonly subpath?: string;
    }
  | {
      readonly type: 'artifact';
      readonly source: string;
      readonly target: string;
      readonly options: readonly string[];
      readonly title?: string;
      readonly digest?: string;
      readonly fileName?: string;
    };

export interface ContainerSecret {
  readonly id: string;
  readonly name: string;
  readonly target?: string;
  /** As the container counts ids. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface ContainerNetwork {
  readonly mode: NetworkMode;
  /** Host ports are all known (random ones picked at create, as Podman). */
  readonly ports: readonly PortMapping[];
  readonly expose: readonly string[];
  readonly dnsServers: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly addHosts: readonly string[];
  readonly noHosts: boolean;
  readonly hostsFile?: string;
  readonly noHostname: boolean;
}

/** What is known only when a container starts. All paths absolute, as lichen's mount namespace sees them. */
export interface StartFacts {
  readonly rootless: boolean;
  /** The merged root file system. */
  readonly rootfs: string;
  readonly rootfsReadOnly: boolean;
  readonly bundle: string;
  /** The network namespace to join; absent for `host`, and for `none` where the runtime makes one. */
  readonly netns?: string;
  /** Namespaces of other containers to join, resolved to /proc/PID/ns/X. */
  readonly joined: Partial<Record<'pid' | 'ipc' | 'uts' | 'cgroup' | 'user', string>>;
  readonly hostname: string;
  /** Files made for this start, bind mounted where the user has not mounted something else: /etc/hosts → …/hosts. */
  readonly files: Readonly<Record<string, string>>;
  /** The tmpfs for /dev/shm, or /dev/shm of the host or of another container. */
  readonly shmPath?: string;
  /** `mounts` with volumes and images resolved to directories. */
  readonly mounts: readonly ResolvedMount[];
  readonly process: ProcessIdentity;
  readonly hostRlimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  /** Size of lichen's own id maps: ids at or above do not exist here. */
  readonly availableIds: { readonly uids: number; readonly gids: number };
  /** Where the ranges of those maps begin: no range of a container's map may reach from one into the next (user_namespaces(7)). Default: one range. */
  readonly idBoundaries?: { readonly uids: readonly number[]; readonly gids: readonly number[] };
  /** Controllers that can be used for this container's cgroup: cpu, memory, pids, io, cpuset. */
  readonly controllers: readonly string[];
  readonly cgroupManager: 'systemd' | 'cgroupfs' | 'disabled';
  /** The cgroup below which a container without systemd has its own, where the caller may make one. */
  readonly cgroupParent?: string;
  /** The cgroup, or the slice, of the pod that the container is in. */
  readonly podCgroup?: string;
  /** The cgroup of the service that the container is to be below (`--cgroups split`). */
  readonly splitCgroup?: string;
  /** A fresh sysfs may not be mounted (the network is none of the container's user namespace): bind the one that is there. */
  readonly sysfsByBind: boolean;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Variables that are secrets. */
  readonly secretEnv?: readonly (readonly [name: string, value: string])[];
  /** False for root that may not lift RLIMIT_MEMLOCK (CAP_SYS_RESOURCE): a runtime cannot load the program that filters devices then. */
  readonly deviceRules: boolean;
  /** The device behind a path; 0:0 where there is none. */
  readonly deviceNumber: (path: string) => { readonly major: number; readonly minor: number };
  /** What the devices of the Container Device Interface bring besides devices and mounts. */
  readonly cdi?: CdiEdits;
  /** stat(2) of the devices asked for. */
  readonly devices: readonly HostDevice[];
  readonly seccomp: SeccompChoice;
  /** Paths that exist on this kernel, of those the default masks name (a missing one is left out as Podman does). */
  readonly existing: (path: string) => boolean;
}

export interface CdiEdits {
  readonly env: readonly (readonly [key: string, value: string])[];
  readonly hooks: OciHooks;
  readonly additionalGids: readonly number[];
  readonly rdtClass?: string;
}

export interface ResolvedMount {
  readonly type: 'bind' | 'tmpfs' | 'ramfs' | 'devpts';
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** The user looked up in the container's passwd and group files. */
export interface ProcessIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

export interface HostDevice {
  readonly path: string;
  readonly hostPath: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
  readonly access: string;
}

/** `profile` is a document in containers/common's seccomp.json format, not yet filtered by capability and architecture. */
export type SeccompChoice =
  | { readonly kind: 'unconfined' }
  | { readonly kind: 'profile'; readonly document: unknown; readonly path: string };
