/** Files as one artifact in a manifest list (`manifest add --artifact`). */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { EMPTY_CONFIG, EMPTY_CONFIG_BYTES, formatArtifact, TITLE } from '../../storage/artifact/document.ts';
import { typeByExtension } from '../../storage/artifact/sniff.ts';
import type { Descriptor } from '../../storage/image.ts';
import { DOCUMENT_LIMIT_BYTES, MEDIA } from '../../storage/manifest.ts';
import { keepFile } from '../artifact/files.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import type { Listed } from './listed.ts';

export interface ArtifactOptions {
  readonly type?: string | undefined;
  /** File with the config; absent: the empty one. */
  readonly config?: string | undefined;
  readonly configType?: string | undefined;
  /** Of every file; absent: by name and content. */
  readonly layerType?: string | undefined;
  readonly excludeTitles: boolean;
  readonly subject?: string | undefined;
}

const UNKNOWN_TYPE = 'application/vnd.unknown.artifact.v1';
/** Larger configs are not repeated in the manifest. */
const INLINE_LIMIT_BYTES = 4096;

/** The files are copied into the store: what the list holds does not change when they do. The caller holds the lock of incoming copies. Throws INVALID_ARGUMENT. */
export async function artifactListed(engine: Engine, paths: readonly string[], options: ArtifactOptions): Promise<Listed> {
  const layers: Descriptor[] = [];
  for (const path of paths) layers.push(await layerOf(engine, path, options));
  const config = await configOf(engine, options);
  const artifactType = options.type || UNKNOWN_TYPE;
  const bytes = formatArtifact({ artifactType, config, layers });
  const digest = await imageBlobs(engine).put(bytes);
  const blobs = [...new Set([digest, config.digest, ...layers.map((layer) => layer.digest)])];
  return {
    entry: { mediaType: MEDIA.ociManifest, digest, size: bytes.length, artifactType },
    instance: { digest, blobs, layers: [], files: paths.map((path) => resolve(path)) },
  };
}

async function layerOf(engine: Engine, path: string, { layerType, excludeTitles }: ArtifactOptions): Promise<Descriptor> {
  const { digest, size, sniffedType } = await keepFile(engine, path).catch((error: unknown) => {
    throw error instanceof EngineError
      ? new EngineError(error.code, `reading ${JSON.stringify(path)} to determine its digest: ${error.message}`)
      : error;
  });
  const mediaType = layerType || (typeByExtension(path) ?? sniffedType.split(';')[0]!);
  return { mediaType, digest, size, ...(excludeTitles ? {} : { annotations: { [TITLE]: basename(path) } }) };
}

async function configOf(engine: Engine, { config, configType }: ArtifactOptions): Promise<Descriptor> {
  const bytes = config ? readConfig(config) : EMPTY_CONFIG_BYTES;
  const digest = await imageBlobs(engine).put(bytes);
  const mediaType = configType || (config ? MEDIA.ociConfig : EMPTY_CONFIG.mediaType);
  return { mediaType, digest, size: bytes.length, ...(bytes.length <= INLINE_LIMIT_BYTES ? { data: bytes.toString('base64') } : {}) };
}

function readConfig(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `reading ${JSON.stringify(path)}: open ${path}: ${systemWords(cause)}`, { cause });
  }
  if (bytes.length > DOCUMENT_LIMIT_BYTES)
    throw new EngineError('INVALID_ARGUMENT', `${path}: more than ${DOCUMENT_LIMIT_BYTES} bytes for a config`);
  return bytes;
}
