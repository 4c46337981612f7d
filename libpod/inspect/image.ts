/** `image inspect`: Podman's document, field by field and in its order. Pure. */
import type { Json, JsonObject } from '../../core/json.ts';
import type { ContainerDefaults, HistoryEntry, ImageConfig } from '../../storage/image.ts';
import { inspectedHealthcheck } from './process-config.ts';
import { sorted } from './sorted.ts';
import { NEVER } from './time.ts';

export interface ImageView {
  /** 64 hex digits. */
  readonly id: string;
  /** Of the manifest, with `sha256:`. */
  readonly digest: string;
  readonly manifestType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly config: ImageConfig & { readonly comment?: string; readonly docker_version?: string };
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  /** Id of the local image this one was built on, '' if none. */
  readonly parent: string;
  readonly sizeBytes: number;
  readonly driver: string;
  /** Directories of the layers, topmost first. */
  readonly layers: readonly string[];
  readonly workDir: string;
  /** Where it is mounted, if it is. */
  readonly mergedDir?: string | undefined;
  /** Names it has or had, newest first. */
  readonly namesHistory: readonly string[];
}

export function inspectImage(view: ImageView): JsonObject {
  const { config } = view;
  const [upper = '', ...lower] = view.layers;
  const isDocker = view.manifestType.startsWith('application/vnd.docker.');
  const defaults = config.config ?? {};
  const labels = defaults.Labels;
  return {
    Id: view.id,
    Digest: view.digest,
    RepoTags: view.repoTags,
    RepoDigests: view.repoDigests,
    Parent: view.parent,
    // Only Docker's configuration has a comment of its own; Podman takes that of the oldest step for OCI images.
    Comment: (isDocker ? config.comment : config.history?.[0]?.comment) ?? '',
    Created: config.created ?? NEVER,
    Config: shownDefaults(defaults),
    Version: config.docker_version ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Os: config.os,
    Size: view.sizeBytes,
    VirtualSize: view.sizeBytes,
    GraphDriver: {
      Name: view.driver,
      Data: {
        ...(lower.length > 0 && { LowerDir: lower.join(':') }),
        ...(view.mergedDir !== undefined && { MergedDir: view.mergedDir }),
        UpperDir: upper,
        WorkDir: view.workDir,
      },
    },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Labels: labels && Object.keys(labels).length > 0 ? sorted(labels) : null,
    Annotations: sorted(view.annotations),
    ManifestType: view.manifestType,
    User: defaults.User ?? '',
    History: (config.history ?? []).map(shownStep),
    NamesHistory: view.namesHistory.length > 0 ? view.namesHistory : null,
    ...(isDocker && defaults.Healthcheck && { Healthcheck: inspectedHealthcheck(defaults.Healthcheck) }),
  };
}

function shownDefaults(defaults: ContainerDefaults): JsonObject {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal } = defaults;
  const shown: Record<string, Json | undefined> = {
    User,
    ExposedPorts: keys(ExposedPorts),
    Env,
    Entrypoint,
    Cmd,
    Volumes: keys(Volumes),
    WorkingDir,
    Labels: Labels && sorted(Labels),
    StopSignal,
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => !isEmpty(value)));
}

function shownStep({ created, created_by, author, comment, empty_layer }: HistoryEntry): JsonObject {
  const step: Record<string, Json | undefined> = { created, created_by, author, comment, empty_layer };
  return Object.fromEntries(Object.entries(step).filter(([, value]) => !isEmpty(value)));
}

function keys(map: Readonly<Record<string, object>> | undefined): JsonObject | undefined {
  return map && sorted(Object.fromEntries(Object.keys(map).map((key) => [key, {}])));
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
