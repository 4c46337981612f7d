import { expect, test } from 'vitest';
import type { Descriptor } from '../../storage/image.ts';
import { addEntry, changed, changeEntry, changeIndex, removeEntry } from '../../storage/list/edit.ts';
import { EMPTY_LIST, formatIndex, preferredType } from '../../storage/list/format.ts';
import { MEDIA, parseAnyDocument, parseDocument, type ImageIndex } from '../../storage/manifest.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}` as Descriptor['digest'];
const oci: Descriptor = { mediaType: MEDIA.ociManifest, digest: digest('a'), size: 10, platform: { architecture: 'amd64', os: 'linux' } };
const docker: Descriptor = {
  mediaType: MEDIA.dockerManifest,
  digest: digest('b'),
  size: 20,
  platform: { architecture: 'arm64', os: 'linux', variant: 'v8' },
};

const read = (bytes: Uint8Array): ImageIndex => {
  const document = parseDocument(bytes, undefined, 'index');
  if (document.kind !== 'index') throw new Error('no index');
  return document.index;
};

test('an index has the bytes that Go tools write, in both formats', () => {
  const full: ImageIndex = {
    mediaType: MEDIA.ociIndex,
    manifests: [{ ...oci, annotations: { z: '1', a: '2' }, artifactType: 'x/y' }, docker],
    subject: { mediaType: MEDIA.ociManifest, digest: digest('c'), size: 30 },
    annotations: { k: 'v' },
  };
  expect(formatIndex(full).toString()).toBe(
    `{"schemaVersion":2,"mediaType":"${MEDIA.ociIndex}","manifests":[` +
      `{"mediaType":"${MEDIA.ociManifest}","digest":"${digest('a')}","size":10,"annotations":{"a":"2","z":"1"},"platform":{"architecture":"amd64","os":"linux"},"artifactType":"x/y"},` +
      `{"mediaType":"${MEDIA.dockerManifest}","digest":"${digest('b')}","size":20,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}}],` +
      `"subject":{"mediaType":"${MEDIA.ociManifest}","digest":"${digest('c')}","size":30},"annotations":{"k":"v"}}`,
  );
  expect(formatIndex({ ...full, mediaType: MEDIA.dockerIndex }).toString()).toBe(
    `{"schemaVersion":2,"mediaType":"${MEDIA.dockerIndex}","manifests":[` +
      `{"mediaType":"${MEDIA.ociManifest}","size":10,"digest":"${digest('a')}","platform":{"architecture":"amd64","os":"linux"}},` +
      `{"mediaType":"${MEDIA.dockerManifest}","size":20,"digest":"${digest('b')}","platform":{"architecture":"arm64","os":"linux","variant":"v8"}}]}`,
  );
  expect(read(formatIndex(full))).toMatchObject(full);
});

test('everything that may be said of a platform survives', () => {
  const platform = {
    architecture: 'amd64',
    os: 'windows',
    'os.version': '10',
    'os.features': ['win32k'],
    variant: 'v1',
    features: ['sse'],
  };
  const index: ImageIndex = { mediaType: MEDIA.dockerIndex, manifests: [{ ...docker, platform }] };
  expect(read(formatIndex(index))).toMatchObject(index);
  const { features: _features, ...withoutFeatures } = platform;
  expect(read(formatIndex({ ...index, mediaType: MEDIA.ociIndex })).manifests[0]?.platform).toEqual(withoutFeatures);
});

test('the format is the one that loses nothing', () => {
  const type = (index: Partial<ImageIndex>) => preferredType({ manifests: [], ...index });
  expect(type({})).toBe(MEDIA.dockerIndex);
  expect(type({ manifests: [docker] })).toBe(MEDIA.ociIndex);
  expect(type({ manifests: [changed(docker, { features: ['sse'] })] })).toBe(MEDIA.dockerIndex);
  expect(type({ manifests: [changed(docker, { features: ['sse'] }), oci] })).toBe(MEDIA.ociIndex);
  expect(type({ manifests: [changed(docker, { features: ['sse'], annotations: { k: 'v' } })] })).toBe(MEDIA.ociIndex);
  expect(type({ annotations: { k: 'v' } })).toBe(MEDIA.ociIndex);
  expect(type({ subject: oci })).toBe(MEDIA.ociIndex);
});

test('entries are added at the end, replaced by digest, changed in place and removed', () => {
  const both = addEntry(addEntry(EMPTY_LIST, oci), docker);
  expect(both).toEqual({ mediaType: MEDIA.ociIndex, manifests: [oci, docker] });
  const again = addEntry(both, { ...oci, annotations: { new: 'yes' } });
  expect(again.manifests.map((entry) => entry.digest)).toEqual([docker.digest, oci.digest]);
  const annotated = changeEntry(again, oci.digest, { osVersion: '7', variant: 'v2', os: '', annotations: { more: '1' } });
  expect(annotated.manifests[1]).toEqual({
    ...oci,
    platform: { architecture: 'amd64', os: 'linux', 'os.version': '7', variant: 'v2' },
    annotations: { new: 'yes', more: '1' },
  });
  expect(removeEntry(annotated, oci.digest).manifests).toEqual([docker]);
  expect(removeEntry({ mediaType: MEDIA.ociIndex, manifests: [docker] }, docker.digest)).toEqual(EMPTY_LIST);
  expect(() => removeEntry(both, digest('0'))).toThrow(
    `no instance matching digest "${digest('0')}" found in manifest list: file does not exist`,
  );
  expect(() => changeEntry(both, digest('0'), {})).toThrow('no Docker manifest matching digest');
  expect(changeIndex(both, { annotations: { a: 'b' }, subject: undefined })).toMatchObject({ annotations: { a: 'b' } });
});

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const listing = (manifests: unknown, more: object = {}): Buffer =>
  bytes({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests, ...more });

test('G08: an index over 4 MiB, as one of a million descriptors is, is refused', () => {
  const million = listing(Array.from({ length: 1_000_000 }, () => 0));
  expect(() => parseDocument(Buffer.concat([million, Buffer.alloc(4 * 2 ** 20, ' ')]), undefined, 'index')).toThrow(
    'index: more than 4194304 bytes',
  );
  expect(() => parseDocument(million, undefined, 'index')).toThrow('index: manifests: 1000000, more than 40000');
});

test('G08: __proto__ in annotations is a key like any other', () => {
  const text = `{"schemaVersion":2,"mediaType":"${MEDIA.ociIndex}","manifests":[],"annotations":{"__proto__":"x"}}`;
  const document = parseDocument(Buffer.from(text), undefined, 'index');
  expect(document.kind).toBe('index');
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  expect(Object.getPrototypeOf((document as { index: ImageIndex }).index.annotations ?? {})).toBe(Object.prototype);
});

test('G08: an artifact is no way around the limits of documents', () => {
  expect(() => parseAnyDocument(Buffer.alloc(4 * 2 ** 20 + 1, ' '), undefined, 'manifest')).toThrow('more than 4194304 bytes');
});

test.each([{ parse: parseDocument }, { parse: parseAnyDocument }])(
  'G09: layers and manifests in one document are ambiguous: $parse.name',
  ({ parse }) => {
    expect(() => parse(listing([], { layers: [] }), undefined, 'index')).toThrow('layers and manifests: only one of them may be there');
    expect(() => parse(listing([oci]), MEDIA.ociManifest, 'index')).toThrow('was announced as');
  },
);

test.each([-1, 1.5, 2 ** 53, '10', null])('G10: an entry of size %j is refused', (size) => {
  expect(() => parseDocument(listing([{ ...oci, size }]), undefined, 'index')).toThrow(/manifests\.0\.size/);
});

test.each(['sha256:../../x', 'md5:d41d8cd98f00b204e9800998ecf8427e', '', `sha256:${'A'.repeat(64)}`])(
  'G03: an entry of digest %j is refused',
  (bad) => {
    expect(() => parseDocument(listing([{ ...oci, digest: bad }]), undefined, 'index')).toThrow(/manifests\.0\.digest/);
  },
);
