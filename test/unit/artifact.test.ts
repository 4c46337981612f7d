import { expect, test } from 'vitest';
import type { Digest } from '../../core/digest.ts';
import { fileName } from '../../libpod/artifact/blobs.ts';
import { EMPTY_CONFIG, EMPTY_CONFIG_BYTES, formatArtifact } from '../../storage/artifact/document.ts';
import { sniffType, typeByExtension } from '../../storage/artifact/sniff.ts';
import { digestOf } from '../../storage/verify.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;

test('the manifest of an artifact has the bytes that Podman writes', () => {
  expect(EMPTY_CONFIG.digest).toBe(digestOf(EMPTY_CONFIG_BYTES));
  expect(
    formatArtifact({
      artifactType: 'application/x.t',
      config: EMPTY_CONFIG,
      layers: [
        { mediaType: 'text/plain; charset=utf-8', digest: DIGEST, size: 4, annotations: { 'org.opencontainers.image.title': 'a.txt' } },
      ],
      annotations: { z: '1', a: '2' },
    }).toString(),
  ).toBe(
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x.t","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"${EMPTY_CONFIG.digest}","size":2,"data":"e30="},"layers":[{"mediaType":"text/plain; charset=utf-8","digest":"${DIGEST}","size":4,"annotations":{"org.opencontainers.image.title":"a.txt"}}],"annotations":{"a":"2","z":"1"}}`,
  );
});

test.each(['../x', '/etc/passwd', 'a/b', 'a/../../b', '.', '..', 'nul\0', 'x'.repeat(256), 'ü'.repeat(128)])(
  'a title %j is no file name',
  (title) => {
    expect(() => fileName(title, DIGEST)).toThrow('title of a blob is no file name');
  },
);

test('a title is taken as it is, and the digest where there is none', () => {
  expect(fileName('ümläut and space..', DIGEST)).toBe('ümläut and space..');
  expect(fileName('', DIGEST)).toBe(`sha256-${'a'.repeat(64)}`);
});

test.each([
  ['', 'text/plain; charset=utf-8'],
  ['plain words\n', 'text/plain; charset=utf-8'],
  ['{"json":1}', 'text/plain; charset=utf-8'],
  ['  <!doctype html><p>', 'text/html; charset=utf-8'],
  ['<?xml version="1.0"?>', 'text/xml; charset=utf-8'],
  ['%PDF-1.7', 'application/pdf'],
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image/jpeg'],
  ['\x1f\x8b\x08\x00', 'application/x-gzip'],
  ['PK\x03\x04', 'application/zip'],
  ['\x00asm\x01', 'application/wasm'],
  ['RIFF\x00\x00\x00\x00WEBPVP8 ', 'image/webp'],
  ['\x00\x00\x00\x14ftypmp42', 'video/mp4'],
  ['\x7fELF\x02\x01\x01\x00', 'application/octet-stream'],
])('the type of %j is %s', (head, type) => {
  expect(sniffType(Buffer.from(head, 'latin1'))).toBe(type);
});

test('some types are known by the name of the file', () => {
  expect(typeByExtension('/a/b.JSON')).toBe('application/json');
  expect(typeByExtension('a.tar.gz')).toBe('application/gzip');
  expect(typeByExtension('.bashrc')).toBeUndefined();
  expect(typeByExtension('README')).toBeUndefined();
});
