/** What is to be built, and who is told about it. */
import type { Platform } from '../storage/image.ts';
import type { SourceTree } from './copy/sources.ts';
import type { Dockerfile } from './dockerfile/parse.ts';
import type { HiddenThings } from './mounting.ts';

export interface BuildRequest {
  readonly dockerfile: Dockerfile;
  /** Absent: there is none. */
  readonly context: SourceTree | undefined;
  readonly contextName: string;
  /** `--build-context`: a directory, or the name of an image. */
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly target?: string | undefined;
  /** In place of the base of the first stage. */
  readonly from?: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly labels: Readonly<Record<string, string>>;
  /** Of each step's image. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly unsetEnv: readonly string[];
  readonly unsetLabels: readonly string[];
  readonly unsetAnnotations: readonly string[];
  readonly inheritLabels: boolean;
  /** `--os-version` */
  readonly osVersion?: string | undefined;
  readonly osFeatures: readonly string[];
  readonly format: 'oci' | 'docker';
  /** `each`: a layer for each step that changes files; `one`: all that was changed; `all`: that and the base. */
  readonly layers: 'each' | 'one' | 'all';
  readonly hidden: HiddenThings;
  readonly useCache: boolean;
  /** Stages, by name or number, that the cache is not used for. */
  readonly freshStages: readonly string[];
  /** How old a step may be that is found in the cache. */
  readonly cacheTtlMs?: number | undefined;
  readonly platform: Platform;
  readonly givenPlatform: boolean;
  /** Seconds since 1970: in place of the time of the build. */
  readonly timestamp?: number | undefined;
  /** Files of new layers have that time, too: all of them, or those that are younger. */
  readonly fileTimes?: 'all' | 'younger' | undefined;
  /** What RUN writes into volumes of the image is thrown away. */
  readonly keepsVolumes: boolean;
  readonly omitHistory: boolean;
  readonly createdAnnotation: boolean;
  readonly tell: (event: BuildEvent) => void;
  readonly warn: (line: string) => void;
}

export type NamedContext =
  | { readonly kind: 'tree'; readonly tree: SourceTree; readonly path: string }
  | { readonly kind: 'image'; readonly name: string };

/** Stages count from 0. */
export type BuildEvent =
  | { readonly kind: 'step'; readonly stage: number; readonly number: number; readonly of: number; readonly text: string }
  | { readonly kind: 'cached' | 'done'; readonly stage: number; readonly id: string; readonly isLast: boolean }
  /** A repository had the step. */
  | { readonly kind: 'fetched'; readonly stage: number; readonly from: string }
  | { readonly kind: 'sending'; readonly stage: number; readonly to: string }
  | { readonly kind: 'output'; readonly stage: number; readonly bytes: Buffer };
