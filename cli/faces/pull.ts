import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const pullFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Get images from a registry',
  examples: ['pull imageName', 'pull fedora:latest', 'pull oci-archive:image.tar'],
  flags: flagTable({
    ...IMAGE_SOURCE,
    'all-tags': { kind: 'bool', short: 'a', help: 'Get all tags of the repository' },
    policy: { kind: 'string', help: 'When to pull ("always"|"missing"|"never"|"newer")', default: 'always' },
  }),
  args: atLeast(1),
  complete: ['image'],
});
