import { expect, test } from 'vitest';
import { parseDigest } from '../../core/digest.ts';
import { entryOf, isMarkedZstd, planSendings } from '../../libpod/manifest/variants.ts';
import type { Descriptor } from '../../storage/image.ts';
import { MEDIA } from '../../storage/manifest.ts';
import { digestOf } from '../../storage/verify.ts';

const MARK = { 'io.github.containers.compression.zstd': 'true' };

const entry = (letter: string, architecture: string, annotations?: Readonly<Record<string, string>>): Descriptor => ({
  mediaType: MEDIA.ociManifest,
  digest: parseDigest(`sha256:${letter.repeat(64)}`),
  size: 7,
  platform: { architecture, os: 'linux' },
  ...(annotations === undefined ? {} : { annotations }),
});
const inIt = (one: Descriptor) => (isMarkedZstd(one) ? ('zstd' as const) : ('gzip' as const));
const short = (sendings: ReturnType<typeof planSendings>) =>
  sendings.map((sending) => `${sending.entry.digest.slice(-1)}${sending.added ?? ''}`);

test('each image is followed by its copies, one for each compression that is not there', () => {
  const entries = [entry('a', 'amd64'), entry('b', 'arm64')];
  expect(short(planSendings(entries, [], inIt))).toEqual(['a', 'b']);
  expect(short(planSendings(entries, ['zstd', 'gzip', 'zstd'], inIt))).toEqual(['a', 'azstd', 'b', 'bzstd']);
  expect(short(planSendings(entries, ['gzip', 'zstd'], () => 'zstd'))).toEqual(['a', 'agzip', 'b', 'bgzip']);
});

test('one platform gets each compression once, whoever has it and wherever it stands in the list', () => {
  const entries = [entry('a', 'amd64'), entry('b', 'amd64'), entry('c', 'arm64'), entry('d', 'arm64', MARK)];
  expect(short(planSendings(entries, ['zstd'], inIt))).toEqual(['a', 'azstd', 'b', 'c', 'd']);
});

test('what is no image has no copies, and counts for nobody', () => {
  const entries = [entry('a', 'amd64'), entry('b', 'amd64')];
  expect(short(planSendings(entries, ['zstd'], (one) => (one === entries[0] ? undefined : 'gzip')))).toEqual(['a', 'b', 'bzstd']);
});

test('an entry is marked as its layers are; what went out as it was keeps its own', () => {
  const sent = (compression: string) => {
    const layer = { mediaType: `${MEDIA.ociLayer}+${compression}`, digest: entry('1', '').digest, size: 1 };
    const config = { mediaType: MEDIA.ociConfig, digest: entry('2', '').digest, size: 2 };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers: [layer] }));
    return { bytes, mediaType: MEDIA.ociManifest, digest: digestOf(bytes) };
  };
  const before = entry('a', 'amd64', { ...MARK, note: 'kept' });
  const { digest, bytes } = sent('zstd');
  expect(entryOf(entry('a', 'amd64', { note: 'kept' }), sent('zstd'))).toMatchObject({
    digest,
    size: bytes.length,
    annotations: before.annotations,
  });
  expect(entryOf(before, sent('gzip')).annotations).toEqual({ note: 'kept' });
  const unmarked = { ...entry('a', 'amd64'), digest, size: bytes.length };
  expect(entryOf(unmarked, sent('zstd'))).toEqual(unmarked);
});
