import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const imageSignFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Sign images (not supported)',
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Sign the images of all platforms' },
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    directory: { kind: 'string', short: 'd', help: 'Directory to store signatures in', complete: 'file' },
    'sign-by': { kind: 'string', help: 'Name of the signing key', complete: 'none' },
  }),
  args: atLeast(1),
  complete: ['image'],
});
