/**
 * What lists show of containers, images, volumes and events: plain rows, made by libpod, turned into text by the doors.
 * Times are RFC 3339 with up to nine digits of a second; sizes are bytes.
 */
import type { PortMapping } from '../network/backend.ts';

export interface ContainerSummary {
  readonly id: string;
  readonly names: readonly string[];
  /** Full name of the image; empty for a root file system of the caller's own. */
  readonly image: string;
  readonly imageId: string;
  /** What runs, entrypoint included. */
  readonly command: readonly string[];
  readonly createdAt: string;
  /** Absent: never. */
  readonly startedAt?: string;
  readonly exitedAt?: string;
  readonly state: ContainerState;
  readonly health?: 'starting' | 'healthy' | 'unhealthy' | 'reset';
  readonly exitCode: number;
  /** 0 where nothing runs. */
  readonly pid: number;
  readonly restarts: number;
  readonly autoRemove: boolean;
  readonly isInfra: boolean;
  readonly cidFile: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Paths inside the container. */
  readonly mounts: readonly string[];
  readonly networks: readonly string[];
  readonly ports: readonly PortMapping[];
  /** `80/tcp`, of the image or asked for; published ones may be among them. */
  readonly exposed: readonly string[];
  /** The name may be empty where it was not asked for. */
  readonly pod?: { readonly id: string; readonly name: string };
  /** Inode numbers; only where asked for and running. */
  readonly namespaces?: NamespaceInodes;
  /** Only where asked for. */
  readonly size?: { readonly rwBytes: number; readonly rootFsBytes: number };
}

/** Podman's words for `ps`. */
export type ContainerState = 'created' | 'initialized' | 'running' | 'paused' | 'stopping' | 'stopped' | 'exited' | 'removing' | 'unknown';

export interface NamespaceInodes {
  readonly mnt: string;
  readonly cgroup: string;
  readonly ipc: string;
  readonly net: string;
  readonly pid: string;
  readonly uts: string;
  readonly user: string;
}

/** What `pod ps` shows. */
export interface PodSummary {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly status: PodStatus;
  /** Empty: none. */
  readonly infraId: string;
  readonly cgroup: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the infra container. */
  readonly networks: readonly string[];
  /** The oldest first. */
  readonly containers: readonly PodMember[];
}

export interface PodMember {
  readonly id: string;
  readonly name: string;
  readonly state: ContainerState;
  readonly restarts: number;
}

/** Podman's words. */
export const POD_STATUSES = ['Created', 'Running', 'Degraded', 'Paused', 'Exited', 'Stopped', 'Error'] as const;
export type PodStatus = (typeof POD_STATUSES)[number];

export interface ImageSummary {
  /** 64 hex characters. */
  readonly id: string;
  /** Empty: none here. */
  readonly parentId: string;
  /** Full names with tag, in the order they were given; none for a dangling image. */
  readonly names: readonly string[];
  /** Every name it ever had. */
  readonly history: readonly string[];
  readonly digest: string;
  readonly repoDigests: readonly string[];
  readonly createdAt: string;
  readonly sizeBytes: number;
  readonly sharedSizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** How many containers use it. */
  readonly containers: number;
  readonly readOnly: boolean;
  readonly isManifestList: boolean;
}

/** One line of `history`, newest first. */
export interface HistorySummary {
  /** Absent: a step whose image is not in the store. */
  readonly id?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly sizeBytes: number;
  readonly comment: string;
  readonly tags: readonly string[];
}

/** What `image tree` shows of an image. */
export interface ImageTreeSummary {
  readonly id: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly layers: readonly TreeLayer[];
}

export interface TreeLayer {
  readonly id: string;
  readonly sizeBytes: number;
  /** Names of the images that end with it. */
  readonly tags: readonly string[];
  /** Layers that images have on top of it, where they were asked for. */
  readonly children: readonly TreeLayer[];
}

export interface VolumeSummary {
  readonly name: string;
  readonly driver: string;
  readonly mountpoint: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly uid: number;
  readonly gid: number;
  readonly anonymous: boolean;
  readonly mountCount: number;
  readonly needsCopyUp: boolean;
  readonly needsChown: boolean;
  readonly lockNumber: number;
}

/** What `system df` shows. */
export interface DiskUsageSummary {
  readonly images: readonly ImageUsage[];
  /** Of all images together: what several of them share counts once. */
  readonly imageBytes: number;
  /** What removing every image without a container would give back. */
  readonly imageReclaimableBytes: number;
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  readonly caches: readonly CacheUsage[];
}

/** Of a cache mount of builds. */
export interface CacheUsage {
  /** As `RUN --mount=type=cache,id=` has it. */
  readonly id: string;
  /** By a build at this moment. */
  readonly isUsed: boolean;
  readonly sizeBytes: number;
}

export interface ImageUsage {
  readonly id: string;
  readonly names: readonly string[];
  readonly createdAt: string;
  readonly sizeBytes: number;
  /** Of layers that other images have too. */
  readonly sharedBytes: number;
  readonly uniqueBytes: number;
  readonly containers: number;
}

export interface ContainerUsage {
  readonly id: string;
  readonly imageId: string;
  readonly command: readonly string[];
  readonly volumes: number;
  /** What it has written. */
  readonly sizeBytes: number;
  readonly createdAt: string;
  readonly status: string;
  readonly name: string;
}

export interface VolumeUsage {
  readonly name: string;
  /** How many containers have it. */
  readonly links: number;
  readonly sizeBytes: number;
}

export interface EventRecord {
  readonly time: string;
  readonly type: 'container' | 'image' | 'network' | 'pod' | 'secret' | 'system' | 'volume';
  /** `create`, `died`, `exec_died` … */
  readonly status: string;
  readonly id?: string;
  readonly name?: string;
  readonly image?: string;
  readonly network?: string;
  readonly podId?: string;
  readonly containerExitCode?: number;
  readonly healthStatus?: string;
  readonly healthFailingStreak?: number;
  /** Of a container whose checks are logged among the events: the check as JSON. */
  readonly healthLog?: string;
  readonly error?: string;
  /** Labels of a container or pod, `driver` of a network; null for what has none. */
  readonly attributes: Readonly<Record<string, string>> | null;
}
