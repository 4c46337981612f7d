/**
 * What `docker save` writes: a tar with manifest.json, which lists for each image its config, its names and its layers, lowest first.
 * A layer is a plain tar in the tar, or a link to one. There is no image manifest, so one is made as Podman makes it, to the same digest.
 */
import { Readable } from 'node:stream';
import * as v from 'valibot';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { Descriptor, ImageManifest } from '../image.ts';
import { DOCUMENT_LIMIT_BYTES, MEDIA, parseDiffIds } from '../manifest.ts';
import { formatReference, parseReference, withDefaultTag } from '../reference.ts';
import { digestOf } from '../verify.ts';
import { decompress, detectCompression, MAGIC_BYTES, type Compression } from './compression.ts';
import type { Files } from './files.ts';
import type { ImageSource, ManifestDocument } from './source.ts';

const MANIFEST = 'manifest.json';

export async function isDockerArchive(files: Files): Promise<boolean> {
  return (await files.sizeOf(MANIFEST)) !== undefined;
}

/** One source per image of the archive, in its order. Throws IMAGE_CORRUPT. `label` names the archive in messages. */
export async function openDockerArchive(files: Files, label: string): Promise<readonly ImageSource[]> {
  const listed = await readList(files);
  return listed.map((image) => new DockerArchiveImage(files, label, image));
}

class DockerArchiveImage implements ImageSource {
  readonly label: string;
  readonly origin: ImageSource['origin'];
  readonly names: readonly string[];
  readonly #files: Files;
  readonly #image: Listed;
  #contents: Promise<Contents> | undefined;

  constructor(files: Files, label: string, image: Listed) {
    this.label = label;
    this.origin = { transport: 'docker-archive', name: files.path };
    this.names = (image.RepoTags ?? []).map((name) => formatReference(withDefaultTag(parseReference(name))));
    this.#files = files;
    this.#image = image;
  }

  async manifest(): Promise<ManifestDocument> {
    return (await this.#open()).manifest;
  }

  async blob({ digest }: Descriptor): Promise<Readable> {
    const { config, configDigest, layers } = await this.#open();
    if (digest === configDigest) return Readable.from([config], { objectMode: false });
    const layer = layers.get(digest);
    if (layer === undefined) throw new EngineError('IMAGE_CORRUPT', `${this.label}: no blob ${digest}`);
    return decompress(await this.#files.stream(layer.name), layer.compression);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #open(): Promise<Contents> {
    return (this.#contents ??= readContents(this.#files, this.#image, this.label));
  }
}

interface Contents {
  readonly config: Buffer;
  readonly configDigest: Digest;
  readonly layers: ReadonlyMap<Digest, Layer>;
  readonly manifest: ManifestDocument;
}

interface Layer {
  readonly name: string;
  readonly compression: Compression | undefined;
  readonly sizeBytes: number;
}

type Listed = v.InferOutput<typeof List>[number];

const List = v.array(
  v.object({
    Config: v.string(),
    RepoTags: v.optional(v.nullable(v.array(v.string()))),
    Layers: v.optional(v.nullable(v.array(v.string()))),
  }),
);

async function readList(files: Files): Promise<readonly Listed[]> {
  const what = `${MANIFEST} of ${files.path}`;
  const result = v.safeParse(List, parseJson(await files.read(MANIFEST, DOCUMENT_LIMIT_BYTES), what));
  if (!result.success) {
    const issues = result.issues.slice(0, 10).map((issue) => `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
    throw new EngineError('IMAGE_CORRUPT', `${what}: ${issues.join('; ')}`);
  }
  if (result.output.length === 0) throw new EngineError('IMAGE_CORRUPT', `${what}: lists no image`);
  return result.output;
}

async function readContents(files: Files, image: Listed, label: string): Promise<Contents> {
  const config = await files.read(image.Config, DOCUMENT_LIMIT_BYTES);
  const diffIds = parseDiffIds(config, `config of ${label}`);
  const names = image.Layers ?? [];
  if (names.length !== diffIds.length) {
    throw new EngineError('IMAGE_CORRUPT', `${label}: ${names.length} layers are listed, the config names ${diffIds.length}`);
  }
  const layers = new Map<Digest, Layer>();
  for (const [index, diffId] of diffIds.entries()) {
    if (!layers.has(diffId)) layers.set(diffId, await readLayer(files, names[index]!));
  }
  const configDigest = digestOf(config);
  const bytes = formatManifest(
    { mediaType: MEDIA.dockerConfig, size: config.length, digest: configDigest },
    diffIds.map((diffId) => ({ mediaType: `${MEDIA.dockerLayer}.gzip`, size: layers.get(diffId)!.sizeBytes, digest: diffId })),
  );
  return { config, configDigest, layers, manifest: { bytes, mediaType: MEDIA.dockerManifest, digest: digestOf(bytes) } };
}

/** Some tools put compressed layers into the archive; the digests are of the plain tar all the same, and its size has to be counted. */
async function readLayer(files: Files, name: string): Promise<Layer> {
  const stored = await files.sizeOf(name);
  if (stored === undefined) throw new EngineError('IMAGE_CORRUPT', `file ${JSON.stringify(name.slice(0, 200))} not found in ${files.path}`);
  const compression = detectCompression(await firstOf(await files.stream(name)));
  if (compression === undefined) return { name, compression, sizeBytes: stored };
  let sizeBytes = 0;
  for await (const chunk of (await decompress(await files.stream(name), compression)) as AsyncIterable<Buffer>) sizeBytes += chunk.length;
  return { name, compression, sizeBytes };
}

async function firstOf(stream: Readable): Promise<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) return chunk.subarray(0, MAGIC_BYTES);
  return Buffer.alloc(0);
}

/** The order of the keys and the media type of plain layers are Podman's: the digest is shown as RepoDigest. */
function formatManifest(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: MEDIA.dockerManifest, config, layers };
  return Buffer.from(JSON.stringify(manifest));
}
