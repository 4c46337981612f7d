/**
 * Manifests, indexes and image configs from outside: the bytes are kept as they came, what we read of them is checked here.
 * Every mismatch of a document is listed in one error. See image-spec manifest.md, image-index.md, config.md.
 */
import * as v from 'valibot';
import { isDigest, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { parseJson, type Json } from '../core/json.ts';
import type { Descriptor, ImageConfig, ImageManifest } from './image.ts';
import { INDEX_TYPES, MANIFEST_TYPES, MEDIA } from './media.ts';

export { INDEX_TYPES, MANIFEST_TYPES, MEDIA } from './media.ts';

/** As containers/image: no real manifest or config comes near. */
export const DOCUMENT_LIMIT_BYTES = 4 * 2 ** 20;
/** OVL_MAX_STACK of the kernel: more lower directories cannot be mounted. */
const LAYER_LIMIT = 500;
/** Real descriptors have some 100 bytes each: more of them do not fit into a document. Each that is wrong costs memory for its error. */
const DESCRIPTOR_LIMIT = 40_000;

const CONFIG_TYPES: readonly string[] = [MEDIA.ociConfig, MEDIA.dockerConfig];
const LAYER_TYPES: readonly string[] = [
  ...['', '+gzip', '+zstd'].flatMap((suffix) =>
    [MEDIA.ociLayer, 'application/vnd.oci.image.layer.nondistributable.v1.tar'].map((type) => type + suffix),
  ),
  ...['', '.gzip', '.zstd'].map((suffix) => MEDIA.dockerLayer + suffix),
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
];

export interface ImageIndex {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

export type Document =
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest }
  | { readonly kind: 'index'; readonly index: ImageIndex };

/**
 * A manifest or an index, whichever the bytes are. `declaredType` is what the transport said (Content-Type, descriptor), if anything.
 * Throws IMAGE_CORRUPT: over the limit, malformed, or open to two readings (CVE-2021-41190).
 */
export function parseDocument(bytes: Uint8Array, declaredType: string | undefined, what: string): Document {
  const document = parseAnyDocument(bytes, declaredType, what);
  if (document.kind === 'manifest') checkManifest(document.manifest, what);
  return document;
}

/** The same, where the manifest may be of anything: config and layers of any type and number (artifacts). */
export function parseAnyDocument(bytes: Uint8Array, declaredType: string | undefined, what: string): Document {
  const parsed = parseLimited(bytes, what);
  const { json } = parsed;
  const { layers, manifests, fsLayers, mediaType, schemaVersion } = json;
  if (schemaVersion === 1 || fsLayers !== undefined) {
    throw new EngineError('IMAGE_CORRUPT', `${what}: unsupported schema version 1`, { hint: 'Push the image again with a current tool.' });
  }
  if (layers !== undefined && manifests !== undefined) throw corrupt(what, ['layers and manifests: only one of them may be there']);
  for (const [key, list] of Object.entries({ layers, manifests })) {
    if (Array.isArray(list) && list.length > DESCRIPTOR_LIMIT)
      throw corrupt(what, [`${key}: ${list.length}, more than ${DESCRIPTOR_LIMIT}`]);
  }
  const declared = isKnown(declaredType) ? declaredType : undefined;
  if (typeof mediaType === 'string' && declared !== undefined && mediaType !== declared) {
    throw corrupt(what, [`mediaType: is ${quote(mediaType)}, but was announced as ${quote(declared)}`]);
  }
  const type = typeof mediaType === 'string' ? mediaType : (declared ?? guessType(json));
  if (INDEX_TYPES.includes(type)) return { kind: 'index', index: { ...check(Index, parsed, what), mediaType: type } };
  if (!MANIFEST_TYPES.includes(type)) throw corrupt(what, [`mediaType: ${quote(type)} is not supported`]);
  return { kind: 'manifest', manifest: { ...check(Manifest, parsed, what), mediaType: type } };
}

/** An image manifest and nothing else. */
export function parseManifest(bytes: Uint8Array, declaredType: string | undefined, what: string): ImageManifest {
  const document = parseDocument(bytes, declaredType, what);
  if (document.kind === 'index') throw corrupt(what, ['an index where an image manifest was expected']);
  return document.manifest;
}

/** The config of an image whose manifest is known: as many diff_ids as layers. Throws IMAGE_CORRUPT. */
export function parseConfig(bytes: Uint8Array, manifest: ImageManifest, what: string): ImageConfig {
  const config: ImageConfig = check(Config, parseLimited(bytes, what), what);
  const found = config.rootfs.diff_ids.length;
  if (found !== manifest.layers.length) throw corrupt(what, [`rootfs.diff_ids: ${found} for ${manifest.layers.length} layers`]);
  return config;
}

/** The diff_ids alone: for archives that have no manifest to hold the config against. */
export function parseDiffIds(bytes: Uint8Array, what: string): readonly Digest[] {
  return check(Config, parseLimited(bytes, what), what).rootfs.diff_ids;
}

/** False for manifests of artifacts. */
export function isImageManifest({ config }: ImageManifest): boolean {
  return CONFIG_TYPES.includes(config.mediaType);
}

function checkManifest(manifest: ImageManifest, what: string): void {
  if (!isImageManifest(manifest)) {
    const type = JSON.stringify(manifest.config.mediaType.slice(0, 100));
    throw new EngineError('IMAGE_CORRUPT', `${what}: unsupported image-specific operation on artifact with type ${type}`);
  }
  const issues: string[] = [];
  if (manifest.config.size === 0) issues.push('config.size: must not be 0');
  if (manifest.config.size > DOCUMENT_LIMIT_BYTES) issues.push(`config.size: more than ${DOCUMENT_LIMIT_BYTES} bytes`);
  if (manifest.layers.length > LAYER_LIMIT) issues.push(`layers: ${manifest.layers.length}, more than ${LAYER_LIMIT}`);
  for (const [index, { mediaType }] of manifest.layers.entries()) {
    if (!LAYER_TYPES.includes(mediaType)) issues.push(`layers[${index}].mediaType: ${quote(mediaType)} is not supported`);
  }
  if (issues.length > 0) throw corrupt(what, issues);
}

const DigestText = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'must be sha256: and 64 hex digits');
const Size = v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(0, 'must not be negative'));
const TextMap = v.record(v.string(), v.string());
const Marks = v.record(v.string(), v.looseObject({}));
const Texts = v.array(v.string());

const PlatformSchema = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: v.exactOptional(v.string()),
  'os.version': v.exactOptional(v.string()),
  'os.features': v.exactOptional(Texts),
  features: v.exactOptional(Texts),
});

const DescriptorSchema = v.object({
  mediaType: v.string(),
  digest: DigestText,
  size: Size,
  annotations: v.exactOptional(TextMap),
  platform: v.exactOptional(PlatformSchema),
  urls: v.exactOptional(Texts),
  artifactType: v.exactOptional(v.string()),
  data: v.exactOptional(v.string()),
});

const Manifest = v.object({
  schemaVersion: v.literal(2),
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
  annotations: v.exactOptional(TextMap),
  artifactType: v.exactOptional(v.string()),
  subject: v.exactOptional(DescriptorSchema),
});

const Index = v.object({
  schemaVersion: v.literal(2),
  manifests: v.array(DescriptorSchema),
  annotations: v.exactOptional(TextMap),
  artifactType: v.exactOptional(v.string()),
  subject: v.exactOptional(DescriptorSchema),
});

const Config = v.object({
  created: v.exactOptional(v.string()),
  author: v.exactOptional(v.string()),
  architecture: v.string(),
  os: v.string(),
  variant: v.exactOptional(v.string()),
  'os.version': v.exactOptional(v.string()),
  'os.features': v.exactOptional(Texts),
  config: v.exactOptional(
    v.object({
      User: v.exactOptional(v.string()),
      ExposedPorts: v.exactOptional(Marks),
      Env: v.exactOptional(Texts),
      Entrypoint: v.exactOptional(Texts),
      Cmd: v.exactOptional(Texts),
      Volumes: v.exactOptional(Marks),
      WorkingDir: v.exactOptional(v.string()),
      Labels: v.exactOptional(TextMap),
      StopSignal: v.exactOptional(v.string()),
      Shell: v.exactOptional(Texts),
      OnBuild: v.exactOptional(Texts),
      Healthcheck: v.exactOptional(
        v.object({
          Test: v.exactOptional(Texts),
          Interval: v.exactOptional(v.number()),
          Timeout: v.exactOptional(v.number()),
          StartPeriod: v.exactOptional(v.number()),
          StartInterval: v.exactOptional(v.number()),
          Retries: v.exactOptional(v.number()),
        }),
      ),
    }),
  ),
  rootfs: v.object({ type: v.literal('layers'), diff_ids: v.array(DigestText) }),
  history: v.exactOptional(
    v.array(
      v.object({
        created: v.exactOptional(v.string()),
        created_by: v.exactOptional(v.string()),
        author: v.exactOptional(v.string()),
        comment: v.exactOptional(v.string()),
        empty_layer: v.exactOptional(v.boolean()),
      }),
    ),
  ),
});

/** A hostile document can be wrong in a million places. */
const ISSUES_SHOWN = 10;

/** Collecting a million mismatches takes half a minute: of a long document only the first counts. */
const LONG_DOCUMENT_BYTES = 64 * 1024;

function check<S extends v.GenericSchema>(schema: S, { json, isLong }: Parsed, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, withoutNulls(json), { abortEarly: isLong });
  if (result.success) return result.output;
  throw corrupt(
    what,
    result.issues.map((issue) => `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`),
  );
}

function corrupt(what: string, issues: readonly string[]): EngineError {
  const shown = issues.slice(0, ISSUES_SHOWN);
  const rest = issues.length - shown.length;
  return new EngineError('IMAGE_CORRUPT', `${what}: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`);
}

interface Parsed {
  readonly json: JsonRecord;
  readonly isLong: boolean;
}

type JsonRecord = Readonly<Record<string, Json | undefined>>;

function parseLimited(bytes: Uint8Array, what: string): Parsed {
  if (bytes.length > DOCUMENT_LIMIT_BYTES) throw corrupt(what, [`more than ${DOCUMENT_LIMIT_BYTES} bytes`]);
  const json = parseJson(bytes, what);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw corrupt(what, ['must be an object']);
  return { json: json as JsonRecord, isLong: bytes.length > LONG_DOCUMENT_BYTES };
}

/** Go's encoders write null for an empty slice or map; only the levels that the schemas know matter. */
function withoutNulls(value: Json | undefined, depth = 0): Json | undefined {
  if (typeof value !== 'object' || value === null || depth > 6) return value;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item as Json, depth + 1) as Json);
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item, depth + 1)]));
}

function guessType(json: JsonRecord): string {
  if (json['manifests'] !== undefined) return MEDIA.ociIndex;
  const config = json['config'];
  const configType = typeof config === 'object' && config !== null && 'mediaType' in config ? config.mediaType : undefined;
  return configType === MEDIA.dockerConfig ? MEDIA.dockerManifest : MEDIA.ociManifest;
}

function isKnown(type: string | undefined): type is string {
  return type !== undefined && (INDEX_TYPES.includes(type) || MANIFEST_TYPES.includes(type));
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
