/**
 * What `docker save` writes (see docker-archive.ts), laid out as Podman lays it out: layers, configs, for each layer a directory as Docker 1.10 and
 * older want it, then manifest.json and `repositories`. One stream, written once from front to back; what several images share is in it once.
 */
import { digestHex, type Digest } from '../../core/digest.ts';
import type { Descriptor } from '../image.ts';
import { DOCUMENT_LIMIT_BYTES, parseManifest } from '../manifest.ts';
import { formatReference, repositoryOf, type Reference } from '../reference.ts';
import { collectBytes } from '../verify.ts';
import { BlobMeter } from './blob-hash.ts';
import type { DestinationTraits, ImageDestination, OutgoingBlob, WrittenBlob } from './destination.ts';
import { legacyLayers, type LegacyLayer } from './docker-legacy.ts';
import { openFileOutput, TarOutput, type Output } from './output.ts';

const MODE = 0o444;

/** An archive never takes the place of another, nor is it added to: as Podman. */
export const NO_MODIFYING = { replace: false, refusal: "docker-archive doesn't support modifying existing images" } as const;

/** An archive of one image. Throws ARCHIVE_UNSUPPORTED. */
export function openDockerArchiveWriter(path: string, names: readonly Reference[]): ImageDestination {
  const archive = new DockerArchiveWriter(openFileOutput(path, NO_MODIFYING), `docker-archive:${path}`);
  return { ...archive.image(names), finish: () => archive.finish(), [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose]() };
}

export class DockerArchiveWriter implements AsyncDisposable {
  readonly #output: Output;
  readonly #tar: TarOutput;
  readonly #label: string;
  readonly #blobs = new Map<Digest, number>();
  readonly #configs = new Map<Digest, Buffer>();
  readonly #legacy = new Set<string>();
  readonly #images = new Map<Digest, { readonly names: string[]; readonly layers: readonly Digest[] }>();
  readonly #repositories = new Map<string, Record<string, string>>();

  /** Owns `output`. */
  constructor(output: Output, label: string) {
    this.#output = output;
    this.#tar = new TarOutput(output);
    this.#label = label;
  }

  /** The next image, one at a time. `names` have tags. The same image may come again with other names. */
  image(names: readonly Reference[]): ImageDestination {
    const traits: DestinationTraits = { format: 'v2s2', layers: 'plain', sideBySide: false };
    return {
      label: this.#label,
      traits,
      hasBlob: async (digest) => this.#blobs.get(digest),
      putBlob: (blob) => this.#putBlob(blob),
      putManifest: async ({ bytes, mediaType }) => {
        const { config, layers } = parseManifest(bytes, mediaType, `manifest for ${this.#label}`);
        await this.#addImage(config, layers, names);
      },
      finish: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async finish(): Promise<void> {
    const manifest = [...this.#images].map(([config, { names, layers }]) => ({
      Config: configName(config),
      RepoTags: names,
      Layers: layers.map(layerName),
    }));
    await this.#tar.file('manifest.json', Buffer.from(JSON.stringify(manifest)), MODE);
    const repositories = Object.fromEntries([...this.#repositories].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    await this.#tar.file('repositories', Buffer.from(JSON.stringify(repositories)), MODE);
    await this.#tar.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output[Symbol.asyncDispose]();
  }

  async #putBlob(blob: OutgoingBlob): Promise<WrittenBlob> {
    const { digest, size, isConfig = false } = blob;
    if (digest === undefined || size === undefined) throw new Error('a docker-archive takes only blobs whose digest and size are known');
    const meter = new BlobMeter();
    const source = await blob.open();
    source.once('error', (error) => meter.destroy(error));
    try {
      if (isConfig) {
        const bytes = await collectBytes(source.pipe(meter), DOCUMENT_LIMIT_BYTES, `config ${digest}`);
        await this.#tar.file(configName(digest), bytes, MODE);
        this.#configs.set(digest, bytes);
      } else {
        await this.#tar.stream(layerName(digest), source.pipe(meter), size, MODE);
      }
      this.#blobs.set(digest, size);
      return meter.written(blob);
    } finally {
      source.destroy();
    }
  }

  async #addImage(config: Descriptor, layers: readonly Descriptor[], names: readonly Reference[]): Promise<void> {
    const bytes = this.#configs.get(config.digest);
    if (bytes === undefined) throw new Error(`the config ${config.digest} was not put`);
    const digests = layers.map(({ digest }) => digest);
    const legacy = legacyLayers(digests, bytes);
    for (const layer of legacy) await this.#addLegacy(layer);
    const image = this.#images.get(config.digest) ?? { names: [], layers: digests };
    this.#images.set(config.digest, image);
    for (const name of names) {
      const { tag = 'latest' } = name;
      image.names.push(formatReference(name));
      const last = legacy.at(-1);
      if (last !== undefined) this.#repositories.set(repositoryOf(name), { ...this.#repositories.get(repositoryOf(name)), [tag]: last.id });
    }
  }

  async #addLegacy({ id, layer, json }: LegacyLayer): Promise<void> {
    if (this.#legacy.has(id)) return;
    this.#legacy.add(id);
    await this.#tar.symlink(`${id}/layer.tar`, `../${layerName(layer)}`);
    await this.#tar.file(`${id}/VERSION`, Buffer.from('1.0'), MODE);
    await this.#tar.file(`${id}/json`, json, MODE);
  }
}

function layerName(digest: Digest): string {
  return `${digestHex(digest)}.tar`;
}

function configName(digest: Digest): string {
  return `${digestHex(digest)}.json`;
}
