/** An OCI image layout (see oci-layout.ts), written as a directory, where it may join images that are there already, or as a tar. */
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { Descriptor } from '../image.ts';
import { StagingDirectory } from '../layer/staging.ts';
import { INDEX_TYPES, MEDIA, parseDocument } from '../manifest.ts';
import type { DestinationTraits, ImageDestination } from './destination.ts';
import { OutputDirectory } from './output-directory.ts';
import { REF_NAME } from './oci-layout.ts';
import { openFileOutput, TarOutput, type Output } from './output.ts';

const INDEX = 'index.json';
const BLOBS = 'blobs/sha256';
const LAYOUT = JSON.stringify({ imageLayoutVersion: '1.0.0' });
const TRAITS: DestinationTraits = { format: 'oci', layers: 'gzip', sideBySide: true };

/** `name` becomes the ref.name of the entry; an entry that has it loses it. Throws ARCHIVE_UNSUPPORTED. */
export function openOciDirectoryWriter(path: string, name: string | undefined): ImageDestination {
  const label = `oci:${path}${name === undefined ? '' : `:${name}`}`;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory()) {
    throw new EngineError('ARCHIVE_UNSUPPORTED', `initializing destination ${label}: open ${path}/${INDEX}: not a directory`);
  }
  return new LayoutWriter(label, new OutputDirectory(path), name);
}

/** An archive takes the place of a file that is there. Blobs are put aside in `staging` first: a tar wants to know sizes before bytes. */
export function openOciArchiveWriter(path: string, name: string | undefined, staging: string): ImageDestination {
  return openOciArchiveTo(openFileOutput(path, { replace: true }), `oci-archive:${path}`, name, staging);
}

/** Owns `output`. */
export function openOciArchiveTo(output: Output, label: string, name: string | undefined, staging: string): ImageDestination {
  const aside = StagingDirectory.make(staging);
  const layout = new LayoutWriter(label, new OutputDirectory(aside.path), name);
  return {
    label,
    traits: TRAITS,
    hasBlob: layout.hasBlob.bind(layout),
    putBlob: layout.putBlob.bind(layout),
    putManifest: layout.putManifest.bind(layout),
    finish: async () => {
      await layout.finish();
      await archive(aside.path, output);
    },
    [Symbol.asyncDispose]: async () => {
      aside[Symbol.dispose]();
      await output[Symbol.asyncDispose]();
    },
  };
}

class LayoutWriter implements ImageDestination {
  readonly label: string;
  readonly traits = TRAITS;
  readonly #output: OutputDirectory;
  readonly #name: string | undefined;
  #entry: Descriptor | undefined;

  constructor(label: string, output: OutputDirectory, name: string | undefined) {
    this.label = label;
    this.#output = output;
    this.#name = name;
    output.directory(BLOBS);
  }

  async hasBlob(digest: Digest): Promise<number | undefined> {
    return this.#output.has(blobName(digest));
  }

  putBlob(blob: Parameters<ImageDestination['putBlob']>[0]): ReturnType<ImageDestination['putBlob']> {
    return this.#output.blob(BLOBS, blob);
  }

  async putManifest(
    { bytes, mediaType, digest }: Parameters<ImageDestination['putManifest']>[0],
    at: 'name' | 'digest' = 'name',
  ): Promise<void> {
    await this.#output.file(blobName(digest), bytes, { replace: false });
    if (at === 'digest') return;
    const annotations = this.#name === undefined ? {} : { annotations: { [REF_NAME]: this.#name } };
    this.#entry = { mediaType, digest, size: bytes.length, ...annotations };
  }

  async finish(): Promise<void> {
    if (this.#entry === undefined) throw new Error('no manifest was put');
    const entries = withEntry(readEntries(this.#output.path), this.#entry);
    await this.#output.file('oci-layout', Buffer.from(LAYOUT));
    const index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: entries };
    await this.#output.file(INDEX, Buffer.from(JSON.stringify(index)));
    this.#output.keep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#output[Symbol.dispose]();
  }
}

/** As containers/image: the name goes to the new entry, and an unnamed entry of the same manifest is replaced by it. Pure; for tests too. */
export function withEntry(entries: readonly Descriptor[], entry: Descriptor): readonly Descriptor[] {
  const name = entry.annotations?.[REF_NAME];
  const others =
    name === undefined ? entries : entries.map((other) => (other.annotations?.[REF_NAME] === name ? withoutName(other) : other));
  const at = others.findIndex((other) => other.digest === entry.digest && other.annotations?.[REF_NAME] === undefined);
  return at === -1 ? [...others, entry] : others.with(at, entry);
}

function withoutName({ annotations, ...entry }: Descriptor): Descriptor {
  const { [REF_NAME]: _, ...rest } = annotations ?? {};
  return { ...entry, ...(Object.keys(rest).length === 0 ? {} : { annotations: rest }) };
}

function readEntries(directory: string): readonly Descriptor[] {
  const path = join(directory, INDEX);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
  const document = parseDocument(readFileSync(path), INDEX_TYPES[0], path);
  if (document.kind !== 'index') throw new EngineError('IMAGE_CORRUPT', `${path}: is no index`);
  return document.index.manifests;
}

async function archive(directory: string, output: Output): Promise<void> {
  const tar = new TarOutput(output);
  await tar.directory('blobs/', 0o755);
  await tar.directory(`${BLOBS}/`, 0o755);
  const files = [
    ...readdirSync(join(directory, BLOBS))
      .toSorted()
      .map((name) => `${BLOBS}/${name}`),
    INDEX,
    'oci-layout',
  ];
  for (const name of files) {
    const path = join(directory, name);
    await tar.stream(name, createReadStream(path, { highWaterMark: 2 ** 20 }), statSync(path).size, 0o644);
  }
  await tar.finish();
}

function blobName(digest: Digest): string {
  return `${BLOBS}/${digestHex(digest)}`;
}
