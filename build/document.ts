/** The documents of an image: config and manifest. */
import { plainManifest } from '../storage/convert.ts';
import type { Digest } from '../core/digest.ts';
import type { ContainerDefaults, HistoryEntry } from '../storage/image.ts';
import { log } from '../core/log.ts';
import type { BuildRequest } from './request.ts';
import type { StageState } from './state.ts';

export interface ImageDocuments {
  readonly config: Buffer;
  readonly manifest: Buffer;
  readonly mediaType: string;
}

type DocumentRequest = Pick<
  BuildRequest,
  | 'format'
  | 'labels'
  | 'annotations'
  | 'unsetEnv'
  | 'unsetLabels'
  | 'unsetAnnotations'
  | 'omitHistory'
  | 'timestamp'
  | 'createdAnnotation'
  | 'osVersion'
  | 'osFeatures'
>;

/** `sizes`: of the layers' tars. Pure but for warnings of what the format has no word for. */
export function imageDocuments(state: StageState, sizes: readonly number[], request: DocumentRequest): ImageDocuments {
  const { format } = request;
  const { author, platform, layers, history } = state;
  const created =
    request.timestamp === undefined ? state.created || new Date().toISOString() : new Date(request.timestamp * 1000).toISOString();
  const config = Buffer.from(
    JSON.stringify({
      created,
      ...(author === undefined ? {} : { author }),
      ...platform,
      ...(request.osVersion === undefined ? {} : { 'os.version': request.osVersion }),
      ...(request.osFeatures.length === 0 ? {} : { 'os.features': request.osFeatures }),
      config: finalConfig(state.config, request),
      rootfs: { type: 'layers', diff_ids: layers },
      ...(request.omitHistory ? {} : { history }),
    }),
  );
  const { bytes: manifest, mediaType } = plainManifest(format, {
    config,
    layers: layers.map((digest, index) => ({ digest, size: sizes[index]! })),
    annotations: format === 'oci' ? annotationsOf(state, created, request) : undefined,
  });
  return { config, manifest, mediaType };
}

/** One layer in the place of several: the steps stay in the history, the last has the layer. */
export function squashed(state: StageState, layer: Digest, kept: number): StageState {
  const own = state.history.slice(state.baseHistory);
  const history: HistoryEntry[] = own.map(({ empty_layer: _empty, ...entry }, index) =>
    index === own.length - 1 ? entry : { ...entry, empty_layer: true },
  );
  return { ...state, layers: [...state.layers.slice(0, kept), layer], history: [...state.history.slice(0, state.baseHistory), ...history] };
}

/** In the order in which Podman writes the settings. */
function finalConfig(config: ContainerDefaults, { format, labels, unsetEnv, unsetLabels }: DocumentRequest): ContainerDefaults {
  const env = (config.Env ?? []).filter((variable) => !unsetEnv.includes(variable.slice(0, variable.indexOf('='))));
  const allLabels = Object.entries({ ...config.Labels, ...labels }).filter(
    ([name]) => !unsetLabels.includes(name) || Object.hasOwn(labels, name),
  );
  const sortedLabels = Object.fromEntries(allLabels.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const docker = { Healthcheck: config.Healthcheck, Shell: config.Shell, OnBuild: config.OnBuild };
  if (format === 'oci') warnOfDocker(docker);
  const all = {
    User: config.User || undefined,
    ExposedPorts: config.ExposedPorts,
    Env: env.length > 0 ? env : undefined,
    Entrypoint: config.Entrypoint,
    Cmd: config.Cmd,
    Volumes: config.Volumes,
    WorkingDir: config.WorkingDir || undefined,
    Labels: allLabels.length > 0 ? sortedLabels : undefined,
    StopSignal: config.StopSignal,
    ...(format === 'docker' ? docker : {}),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function warnOfDocker({
  Healthcheck,
  Shell,
  OnBuild,
}: { readonly [K in 'Healthcheck' | 'Shell' | 'OnBuild']: ContainerDefaults[K] | undefined }): void {
  const lost = (what: string): void =>
    log.warn(`${what} is not supported for OCI image format and will be ignored. Must use \`docker\` format`);
  if (Healthcheck !== undefined) lost('HEALTHCHECK');
  if (Shell !== undefined) lost('SHELL');
  if (OnBuild !== undefined && OnBuild.length > 0) lost('ONBUILD');
}

function annotationsOf({ base }: StageState, created: string, request: DocumentRequest): Record<string, string> {
  const all = {
    ...(base === undefined ? {} : { 'org.opencontainers.image.base.digest': base.manifestDigest }),
    ...(base?.name === undefined ? {} : { 'org.opencontainers.image.base.name': base.name }),
    ...(request.createdAnnotation ? { 'org.opencontainers.image.created': created } : {}),
  };
  const kept = Object.entries(all).filter(([name]) => !request.unsetAnnotations.includes(name));
  return { ...Object.fromEntries(kept), ...request.annotations };
}
