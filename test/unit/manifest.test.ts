import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MEDIA, parseConfig, parseDocument, parseManifest } from '../../storage/manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LAYER = { mediaType: `${MEDIA.ociLayer}+gzip`, digest: DIGEST, size: 3 };
const CONFIG = { mediaType: MEDIA.ociConfig, digest: DIGEST, size: 2 };
const MANIFEST = { schemaVersion: 2, mediaType: MEDIA.ociManifest, config: CONFIG, layers: [LAYER] };
const IMAGE = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [DIGEST] } };

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const manifest = parseManifest(bytes(MANIFEST), undefined, 'm');

describe('a manifest', () => {
  test('is read with or without a mediaType of its own', () => {
    expect(manifest.layers).toHaveLength(1);
    const { mediaType: _, ...bare } = MANIFEST;
    expect(parseManifest(bytes(bare), undefined, 'm').mediaType).toBe(MEDIA.ociManifest);
    expect(parseManifest(bytes(bare), 'text/plain', 'm').mediaType).toBe(MEDIA.ociManifest);
    const docker = { ...bare, config: { ...CONFIG, mediaType: MEDIA.dockerConfig } };
    expect(parseManifest(bytes(docker), undefined, 'm').mediaType).toBe(MEDIA.dockerManifest);
  });

  test('lists every mismatch in one error', () => {
    const broken = {
      ...MANIFEST,
      config: { ...CONFIG, size: -1 },
      layers: [
        { ...LAYER, digest: 'md5:x' },
        { ...LAYER, size: 1.5 },
      ],
    };
    const message = messageOf(() => parseManifest(bytes(broken), undefined, 'manifest of x'));
    expect(message).toMatch(/^manifest of x: /);
    for (const part of ['config.size', 'layers.0.digest', 'layers.1.size']) expect(message).toContain(part);
  });

  test.each<[string, unknown, string]>([
    ['layers and manifests at once', { ...MANIFEST, manifests: [] }, 'only one of them'],
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'unsupported schema version 1'],
    ['an unknown mediaType', { ...MANIFEST, mediaType: 'x/y' }, '"x/y" is not supported'],
    [
      'an artifact',
      { ...MANIFEST, config: { ...CONFIG, mediaType: 'application/vnd.oci.empty.v1+json' } },
      'unsupported image-specific operation on artifact',
    ],
    ['a config of 0 bytes', { ...MANIFEST, config: { ...CONFIG, size: 0 } }, 'config.size: must not be 0'],
    ['a size of 2^53', { ...MANIFEST, layers: [{ ...LAYER, size: 2 ** 53 }] }, 'layers.0.size'],
    ['a digest that climbs', { ...MANIFEST, layers: [{ ...LAYER, digest: 'sha256:../../x' }] }, 'layers.0.digest'],
    ['an unknown layer type', { ...MANIFEST, layers: [{ ...LAYER, mediaType: 'a/b' }] }, 'layers[0].mediaType: "a/b"'],
    ['too many layers', { ...MANIFEST, layers: Array.from({ length: 501 }, () => LAYER) }, 'layers: 501, more than 500'],
    ['no object', [1], 'must be an object'],
    ['no JSON', '{', 'not valid JSON'],
    ['more than 4 MiB', `"${'x'.repeat(4 * 2 ** 20)}"`, 'more than 4194304 bytes'],
    ['JSON nested 100 000 deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, ''],
  ])('with %s is refused', (_, document, message) => {
    expect(() => parseManifest(bytes(document), undefined, 'm')).toThrow(
      expect.objectContaining({ code: 'IMAGE_CORRUPT', message: expect.stringContaining(message) }),
    );
  });

  test('that was announced as an index is refused', () => {
    expect(() => parseDocument(bytes(MANIFEST), MEDIA.ociIndex, 'm')).toThrow('was announced as');
  });

  test('shows at most ten of a million mismatches', () => {
    const broken = { ...MANIFEST, layers: Array.from({ length: 20_000 }, () => ({})) };
    expect(messageOf(() => parseManifest(bytes(broken), undefined, 'm')).length).toBeLessThan(2000);
  });

  test('cannot touch a prototype', () => {
    parseManifest(
      bytes(JSON.stringify(MANIFEST).replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')),
      undefined,
      'm',
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('made of any JSON is a document or an IMAGE_CORRUPT', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseDocument(bytes(JSON.stringify(value)), undefined, 'm');
        } catch (error) {
          expect(error).toMatchObject({ code: 'IMAGE_CORRUPT' });
        }
      }),
    );
  });
});

describe('a config', () => {
  test('may have null where Go writes null', () => {
    const config = parseConfig(bytes({ ...IMAGE, config: { Cmd: null, Env: ['A=b'], Volumes: null }, history: null }), manifest, 'c');
    expect(config.config).toEqual({ Env: ['A=b'] });
    expect(config).not.toHaveProperty('history');
  });

  test.each<[string, unknown, string]>([
    ['fewer diff_ids than layers', { ...IMAGE, rootfs: { type: 'layers', diff_ids: [] } }, 'rootfs.diff_ids: 0 for 1 layers'],
    ['another kind of rootfs', { ...IMAGE, rootfs: { type: 'block', diff_ids: [DIGEST] } }, 'rootfs.type'],
    ['a diff_id that is none', { ...IMAGE, rootfs: { type: 'layers', diff_ids: ['x'] } }, 'rootfs.diff_ids.0'],
    ['a string as Entrypoint', { ...IMAGE, config: { Entrypoint: '/bin/sh' } }, 'config.Entrypoint'],
    ['arrays in Cmd', { ...IMAGE, config: { Cmd: [['a']] } }, 'config.Cmd.0'],
    ['no architecture', { os: 'linux', rootfs: IMAGE.rootfs }, 'architecture'],
  ])('with %s is refused', (_, config, message) => {
    expect(() => parseConfig(bytes(config), manifest, 'c')).toThrow(
      expect.objectContaining({ code: 'IMAGE_CORRUPT', message: expect.stringContaining(message) }),
    );
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
