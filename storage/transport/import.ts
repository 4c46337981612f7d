/**
 * A root file system in a tar, made into an image of one layer.
 * The diff-id must stand in the config before the layer is unpacked, so the file is read twice: once to hash it (as it is, and decompressed),
 * once to unpack it. If it changes in between, the second reading does not match the first and the image is refused.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { ContainerDefaults, Descriptor, ImageConfig, ImageManifest, Platform } from '../image.ts';
import { MEDIA } from '../manifest.ts';
import { digestOf } from '../verify.ts';
import { applyChanges } from './changes.ts';
import { decompress, detectCompression, type Compression } from './compression.ts';
import type { ImageSource } from './source.ts';
import { firstBytes, plainFile, spool, type Spooled } from './spool.ts';

export interface ImportRequest {
  /** A file to read in place, or a stream that is put aside first. */
  readonly input: { readonly path: string } | { readonly stream: Readable; readonly name: string };
  readonly staging: string;
  readonly platform: Platform;
  readonly changes?: readonly string[];
  readonly message?: string | undefined;
  /** Default: the age of the file, so that it gives the same image whenever it is imported; now for a stream. */
  readonly created?: Date;
  readonly signal?: AbortSignal | undefined;
}

/** Throws INVALID_ARGUMENT for a bad change before anything is read. The image has no name: that is the caller's. */
export async function openRootfs(request: ImportRequest): Promise<ImageSource> {
  const defaults = applyChanges({}, request.changes ?? []);
  const file = await receive(request);
  try {
    const layer = await measure(file.path, request.signal);
    const config = formatConfig(request, defaults, layer.diffId);
    const manifest = formatManifest(config, layer);
    const label = `tarball:${'path' in request.input ? request.input.path : request.input.name}`;
    return {
      label,
      origin: { transport: 'tarball', name: '' },
      names: [],
      manifest: async () => ({ bytes: manifest, mediaType: MEDIA.ociManifest, digest: digestOf(manifest) }),
      blob: async ({ digest }) =>
        digest === layer.digest ? createReadStream(file.path, { highWaterMark: 2 ** 20 }) : Readable.from([config], { objectMode: false }),
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

interface MeasuredLayer extends Descriptor {
  readonly diffId: Digest;
}

/** gzip and zstd layers stay as they are; registries know no xz or bzip2, so those are unpacked. */
async function receive({ input, staging, signal }: ImportRequest): Promise<Spooled> {
  if ('stream' in input) {
    const received = await spool(input.stream, staging, signal);
    if (isLayerCompression(detectCompression(await firstBytes(received.path)))) return received;
    const plain = await plainFile(received.path, staging, signal);
    return {
      path: plain.path,
      [Symbol.asyncDispose]: async () => {
        await plain[Symbol.asyncDispose]();
        await received[Symbol.asyncDispose]();
      },
    };
  }
  const { path } = input;
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new EngineError('ARCHIVE_UNSUPPORTED', `error opening ${JSON.stringify(path)}: open ${path}: no such file or directory`);
  }
  if (isLayerCompression(detectCompression(await firstBytes(path)))) return { path, [Symbol.asyncDispose]: async () => undefined };
  return plainFile(path, staging, signal);
}

const SUFFIX = { gzip: '+gzip', zstd: '+zstd' } as const;

function isLayerCompression(compression: Compression | undefined): compression is keyof typeof SUFFIX {
  return compression === 'gzip' || compression === 'zstd';
}

async function measure(path: string, signal: AbortSignal | undefined): Promise<MeasuredLayer> {
  const compression = detectCompression(await firstBytes(path));
  const suffix = isLayerCompression(compression) ? SUFFIX[compression] : '';
  const [stored, plain] = [createHash('sha256'), createHash('sha256')];
  let size = 0;
  const metered = Readable.from(
    (async function* () {
      for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
        stored.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
  try {
    for await (const chunk of (await decompress(metered, compression)) as AsyncIterable<Buffer>) {
      if (signal?.aborted) throw new EngineError('ABORTED', `reading ${path} was cancelled`, { cause: signal.reason });
      plain.update(chunk);
    }
  } catch (error) {
    if (error instanceof EngineError && error.code !== 'IMAGE_CORRUPT') throw error;
    throw new EngineError('IMAGE_CORRUPT', `reading ${path}: ${(error as Error).message}`, { cause: error });
  }
  return {
    mediaType: `${MEDIA.ociLayer}${suffix}`,
    digest: digestFromHex(stored.digest('hex')),
    size,
    diffId: digestFromHex(plain.digest('hex')),
  };
}

function formatConfig(request: ImportRequest, defaults: ContainerDefaults, diffId: Digest): Buffer {
  const created = (request.created ?? ageOf(request.input)).toISOString();
  const { os, architecture, variant } = request.platform;
  const config: ImageConfig = {
    created,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    config: defaults,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [
      {
        created,
        created_by: `/bin/sh -c #(nop) ADD file:${diffId.slice('sha256:'.length)} in /`,
        comment: request.message || 'imported from tarball',
      },
    ],
  };
  return Buffer.from(JSON.stringify(config));
}

function ageOf(input: ImportRequest['input']): Date {
  return 'path' in input ? statSync(input.path).mtime : new Date();
}

function formatManifest(config: Buffer, { mediaType, digest, size }: MeasuredLayer): Buffer {
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType, digest, size }],
  };
  return Buffer.from(JSON.stringify(manifest));
}
