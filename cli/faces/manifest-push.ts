import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE, SIGNING } from './shared.ts';

export const manifestPushFace = defineFace({
  usage: '[options] LIST DESTINATION',
  summary: 'Send a manifest list and what it lists to a registry',
  examples: [
    'manifest push mylist:v1.11 docker://registry.example.org/mylist:v1.11',
    'manifest push --add-compression zstd mylist:v1.11 docker://registry.example.org/mylist:v1.11',
  ],
  flags: flagTable({
    ...SIGNING,
    'add-compression': { kind: 'strings', help: 'Add copies of the images in another compression (gzip, zstd)' },
    all: { kind: 'bool', help: 'Send what is listed, too', default: true },
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    'compression-format': { kind: 'string', help: 'How to compress layers (gzip, zstd)' },
    'compression-level': { kind: 'int', help: 'How hard to compress' },
    creds: IMAGE_SOURCE.creds,
    digestfile: { kind: 'string', help: 'Write the digest of the index to a file', complete: 'file' },
    'force-compression': { kind: 'bool', help: 'Send layers again that are there in another compression' },
    format: { kind: 'string', short: 'f', help: 'Kind of manifests at the destination (oci, v2s2) instead of that of the list' },
    quiet: IMAGE_SOURCE.quiet,
    'remove-signatures': { kind: 'bool', help: 'Do not take signatures along (there are none here)' },
    rm: { kind: 'bool', help: 'Remove the list when it is sent' },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: between(1, 2),
  complete: ['image', 'none'],
});
