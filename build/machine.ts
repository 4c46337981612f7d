/** What a build needs of the engine it runs in. Made by libpod/build. */
import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import type { ImageConfig, Platform } from '../storage/image.ts';
import type { AppliedLayer } from '../storage/layer/store.ts';
import type { TarMember } from '../storage/tar/read.ts';
import type { GitPlace } from './git-url.ts';

export interface BuildMachine {
  /** The image, pulled where that is asked for. Throws what a pull throws. */
  image(name: string, platform: Platform | undefined): Promise<BaseImage>;
  /** The layers as one read-only tree. At least one. */
  view(layers: readonly Digest[]): Promise<MountedTree>;
  /** The layers as one tree that can be written. */
  writable(layers: readonly Digest[]): Promise<WritableTree>;
  /** A layer of these members. `written`: see WritableTree. */
  addLayer(members: AsyncIterable<TarMember>, written?: string): Promise<AppliedLayer>;
  layerBytes(layer: Digest): number;
  /** Run a program in the tree; resolves with its exit status. Throws what an OCI runtime and the network throw. */
  run(request: RunRequest): Promise<number>;
  download(url: string): Promise<{ readonly stream: Readable } & Disposable>;
  /** The repository in a directory of its own, and the commit that it was checked out at. */
  checkOut(place: GitPlace, options: { readonly keepGitDirectory: boolean }): Promise<{ readonly path: string; readonly commit: string }>;
  /** What `place` leads to, a directory or a file, bound at a path of its own: whatever becomes of the place, that stays. */
  bind(place: string, kind: 'directory' | 'file'): Promise<MountedTree>;
  /** A view of a directory of this machine: what is written into it goes with the view. */
  overlay(directory: string): Promise<MountedTree>;
  /** The directory of cache mounts; it may not be there yet. */
  readonly caches: string;
  /** Where in the containers of steps the flags of the build mount something. */
  readonly mountTargets: readonly string[];
  readonly cache: StepCache;
  /** A directory for what lasts as long as the build. */
  readonly scratch: string;
  /** The same for secrets: not on the disk. */
  readonly memory: string;
}

export interface BaseImage {
  readonly id: string;
  /** `docker.io/library/alpine:latest`; absent where it was found by its id. */
  readonly name?: string | undefined;
  readonly manifestDigest: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly Digest[];
}

export interface MountedTree extends AsyncDisposable {
  readonly path: string;
}

export interface WritableTree extends MountedTree {
  /** What has been written, as members of a layer. */
  changes(): AsyncIterable<TarMember>;
  /** The directory that holds what was written, when no process of a step can outlive it and write more. */
  readonly written?: string | undefined;
}

export interface RunRequest {
  /** Counted from 0. */
  readonly stage: number;
  readonly root: string;
  /** Of the programs in it. */
  readonly architecture: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workdir: string;
  readonly network?: 'none' | 'host' | undefined;
  readonly mounts: readonly BoundMount[];
}

export interface BoundMount {
  readonly type: 'bind' | 'tmpfs';
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** What a step came to, by all that it depends on. Safe with builds side by side: whoever comes last wins, and either is right. */
export interface StepCache {
  find(key: string): CachedStep | undefined;
  keep(key: string, step: CachedStep): void;
}

export interface CachedStep {
  /** Absent: it changed no files. */
  readonly layer?: Digest | undefined;
  /** RFC 3339. */
  readonly created: string;
  /** When it was done, whatever `created` is told to be. */
  readonly madeMs: number;
}
