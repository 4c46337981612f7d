import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const runlabelFace = defineFace({
  usage: '[options] LABEL IMAGE [ARG...]',
  summary: 'Run the command that a label of an image describes',
  description:
    'Run the command that a label of an image describes, where that is one of podman, docker or lichen. NAME and IMAGE in it stand for the names.',
  examples: ['container runlabel run myimage', 'container runlabel --display run myimage arg1 arg2'],
  flags: flagTable({
    authfile: IMAGE_SOURCE.authfile,
    'cert-dir': IMAGE_SOURCE['cert-dir'],
    creds: IMAGE_SOURCE.creds,
    display: { kind: 'bool', help: 'Show the command' },
    name: { kind: 'string', short: 'n', help: 'Name of the container' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
    replace: { kind: 'bool', help: 'Replace a container of the same name' },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: atLeast(2),
  interspersed: false,
  complete: ['none', 'image', 'none'],
});
