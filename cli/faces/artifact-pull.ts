import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const artifactPullFace = defineFace({
  usage: '[options] ARTIFACT',
  summary: 'Get an artifact from a registry',
  examples: ['artifact pull quay.io/foobar/artifact:special'],
  flags: flagTable({
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    creds: IMAGE_SOURCE.creds,
    'decryption-key': IMAGE_SOURCE['decryption-key'],
    quiet: IMAGE_SOURCE.quiet,
    retry: IMAGE_SOURCE.retry,
    'retry-delay': IMAGE_SOURCE['retry-delay'],
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: exactly(1),
  complete: ['artifact', 'none'],
});
