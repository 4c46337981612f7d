import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE, SIGNING } from './shared.ts';

export const artifactPushFace = defineFace({
  usage: '[options] ARTIFACT.',
  summary: 'Send an artifact to a registry',
  examples: ['artifact push quay.io/myimage/myartifact:latest'],
  flags: flagTable({
    ...SIGNING,
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    creds: IMAGE_SOURCE.creds,
    digestfile: { kind: 'string', help: 'Write the digest of the artifact to a file', complete: 'file' },
    quiet: IMAGE_SOURCE.quiet,
    retry: IMAGE_SOURCE.retry,
    'retry-delay': IMAGE_SOURCE['retry-delay'],
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: exactly(1),
  complete: ['artifact', 'none'],
});
