import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

const { authfile, creds, quiet, retry } = IMAGE_SOURCE;

export const pushFace = defineFace({
  usage: '[options] IMAGE [DESTINATION]',
  summary: 'Send an image to a registry',
  description: 'Send an image to a registry, or to an archive or directory (docker-archive:, oci-archive:, oci:, dir:).',
  examples: [
    'push imageID docker://registry.example.com/repository:tag',
    'push imageID oci-archive:/path/to/layout:image:tag',
    'push registry.example.com/repository:tag',
  ],
  flags: flagTable({
    authfile,
    'cert-dir': { kind: 'string', help: 'Directory with certificates and keys for the registry', complete: 'file' },
    compress: { kind: 'bool', help: 'Compress the layers of a dir:' },
    'compression-format': { kind: 'string', help: 'How to compress layers (gzip, zstd)', shownDefault: 'gzip' },
    'compression-level': { kind: 'int', help: 'How hard to compress' },
    creds: { ...creds, placeholder: 'Credentials' },
    digestfile: { kind: 'string', help: 'Write the digest of the pushed image to a file', complete: 'file' },
    'disable-content-trust': { kind: 'bool', help: 'Accepted for compatibility, does nothing' },
    'encrypt-layer': { kind: 'ints', help: 'Layers to encrypt', unsupported: true },
    'encryption-key': { kind: 'stringArray', help: 'Key to encrypt the image with', unsupported: true },
    'force-compression': { kind: 'bool', help: 'Send layers again that are there in another compression' },
    format: { kind: 'string', short: 'f', help: 'Kind of manifest at the destination (oci, v2s2) instead of that of the image' },
    quiet,
    'remove-signatures': { kind: 'bool', help: 'Do not take signatures along (there are none here)' },
    retry,
    'retry-delay': { kind: 'string', help: 'Time between two attempts' },
    'sign-by': { kind: 'string', help: 'Sign with a GPG key', unsupported: true },
    'sign-by-sigstore': { kind: 'string', placeholder: 'PATH', help: 'Sign by a sigstore parameter file', unsupported: true },
    'sign-by-sigstore-private-key': { kind: 'string', placeholder: 'PATH', help: 'Sign with a sigstore private key', unsupported: true },
    'sign-by-sq-fingerprint': { kind: 'string', placeholder: 'FINGERPRINT', help: 'Sign with a Sequoia key', unsupported: true },
    'sign-passphrase-file': { kind: 'string', placeholder: 'PATH', help: 'File with the passphrase of the key', unsupported: true },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: between(1, 2),
  complete: ['image', 'none'],
});
