import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compressionOf, formatManifest, formatOf, layerType } from '../../storage/convert.ts';
import type { Descriptor, ImageManifest } from '../../storage/image.ts';
import { MEDIA, parseManifest } from '../../storage/manifest.ts';
import { compress } from '../../storage/transport/compress.ts';
import { legacyLayers } from '../../storage/transport/docker-legacy.ts';
import { withEntry } from '../../storage/transport/oci-layout-writer.ts';
import { digestOf } from '../../storage/verify.ts';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

const digest = (text: string) => digestOf(Buffer.from(text));

function made(mediaType: string, layers: readonly Descriptor[]): { manifest: ImageManifest; bytes: Buffer } {
  const body = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: mediaType === MEDIA.ociManifest ? MEDIA.ociConfig : MEDIA.dockerConfig, digest: digest('config'), size: 6 },
    layers,
    annotations: { kept: 'yes' },
    unknown: { to: 'us' },
  };
  const bytes = Buffer.from(JSON.stringify(body, undefined, 1));
  return { bytes, manifest: parseManifest(bytes, undefined, 'test') };
}

const OCI_LAYER: Descriptor = { mediaType: `${MEDIA.ociLayer}+gzip`, digest: digest('layer'), size: 5 };
const DOCKER_LAYER: Descriptor = { ...OCI_LAYER, mediaType: `${MEDIA.dockerLayer}.gzip` };

describe('formatManifest', () => {
  test('nothing changed: the very bytes, whatever they hold', () => {
    const original = made(MEDIA.ociManifest, [OCI_LAYER]);
    expect(formatManifest(original, { format: 'oci', layers: [OCI_LAYER] })).toBe(original.bytes);
  });

  test('v2s2 has its keys in the order of Podman, no annotations, and the same config', () => {
    const bytes = formatManifest(made(MEDIA.ociManifest, [OCI_LAYER]), { format: 'v2s2', layers: [DOCKER_LAYER] });
    expect(Buffer.from(bytes).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${MEDIA.dockerManifest}","config":{"mediaType":"${MEDIA.dockerConfig}","size":6,"digest":"${digest('config')}"},` +
        `"layers":[{"mediaType":"${MEDIA.dockerLayer}.gzip","size":5,"digest":"${digest('layer')}"}]}`,
    );
  });

  test('OCI keeps annotations, of the manifest and of layers that are the same', () => {
    const layer = { ...OCI_LAYER, annotations: { of: 'layer' } };
    const bytes = formatManifest(made(MEDIA.dockerManifest, [DOCKER_LAYER]), { format: 'oci', layers: [layer] });
    expect(Buffer.from(bytes).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${MEDIA.ociManifest}","config":{"mediaType":"${MEDIA.ociConfig}","digest":"${digest('config')}","size":6},` +
        `"layers":[{"mediaType":"${MEDIA.ociLayer}+gzip","digest":"${digest('layer')}","size":5,"annotations":{"of":"layer"}}],"annotations":{"kept":"yes"}}`,
    );
  });

  test('one layer in another compression is another manifest', () => {
    const original = made(MEDIA.ociManifest, [OCI_LAYER]);
    const layers = [{ ...OCI_LAYER, mediaType: `${MEDIA.ociLayer}+zstd` }];
    expect(parseManifest(formatManifest(original, { format: 'oci', layers }), undefined, 'test').layers).toEqual(layers);
  });
});

test.each(['oci', 'v2s2'] as const)('%s: each compression has a media type that says so', (format) => {
  for (const compression of ['none', 'gzip', 'zstd'] as const) expect(compressionOf(layerType(format, compression))).toBe(compression);
  expect(compressionOf('application/vnd.oci.image.layer.v1.tar+gzip+encrypted')).toBeUndefined();
  expect(formatOf(format === 'oci' ? MEDIA.ociManifest : MEDIA.dockerManifest)).toBe(format);
});

test.each([
  { compression: 'gzip', open: gunzipSync },
  { compression: 'zstd', open: zstdDecompressSync },
] as const)('$compression gives the same bytes each time, and takes any level', async ({ compression, open }) => {
  const plain = Buffer.alloc(600_000, 'some text that repeats');
  const packed = (level?: number) => buffer(compress(Readable.from([plain], { objectMode: false }), { compression, level }));
  expect(await packed()).toEqual(await packed());
  for (const level of [-5, 1, 99]) expect(open(await packed(level)).equals(plain)).toBe(true);
});

test('an error of the source reaches whoever reads what is compressed', async () => {
  const source = Readable.from(
    (function* () {
      yield Buffer.from('some');
      throw new Error('the disk is gone');
    })(),
    { objectMode: false },
  );
  await expect(buffer(compress(source, { compression: 'gzip' }))).rejects.toThrow('the disk is gone');
});

test('layers of old have the ids that Podman gives them', () => {
  const layers = [
    'sha256:4aa0c86cdc02d71cc10a2eaaed36e270436f7b1cb01d44a17c37d4f988946b6e',
    'sha256:74121619cbba678bbfaa1992797c95e25e5a5eace434028871414fe69451d11f',
  ] as never;
  const config = readFileSync(join(import.meta.dirname, '../fixtures/golden/save.config.json'));
  expect(legacyLayers(layers, config).map(({ id }) => id)).toEqual([
    '1e142e4b92ba12c5a0fe9ebac0b03225df6e9827b804e2080ba11294a70b222a',
    '4f9ed814b6926239f6a37d374943c40d555120d74a5bda57c09c8c01af3482a0',
  ]);
  expect(legacyLayers([], config)).toEqual([]);
});

describe('index.json', () => {
  const NAME = 'org.opencontainers.image.ref.name';
  const entry = (text: string, name?: string): Descriptor => ({
    mediaType: MEDIA.ociManifest,
    digest: digest(text),
    size: 1,
    ...(name === undefined ? {} : { annotations: { [NAME]: name } }),
  });

  test('a name goes to the new entry, and the old one stays without', () => {
    expect(withEntry([entry('a', 'x'), entry('b', 'y')], entry('c', 'x'))).toEqual([entry('a'), entry('b', 'y'), entry('c', 'x')]);
  });

  test('the same image under the same name, or under its first name, stays one entry', () => {
    expect(withEntry([entry('a', 'x')], entry('a', 'x'))).toEqual([entry('a', 'x')]);
    expect(withEntry([entry('a')], entry('a', 'x'))).toEqual([entry('a', 'x')]);
  });

  test('the same image under a second name is a second entry', () => {
    expect(withEntry([entry('a', 'x')], entry('a', 'y'))).toEqual([entry('a', 'x'), entry('a', 'y')]);
  });
});
