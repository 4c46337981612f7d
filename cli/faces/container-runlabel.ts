import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const runlabelFace = defineFace({
  usage: '[options] LABEL IMAGE [ARG...]',
  summary: 'Run the command that a label of an image describes',
  description: 'Show the command that a label of a local image describes. It is only shown, with --display; it is not run.',
  examples: ['container runlabel --display run myimage arg1 arg2'],
  flags: flagTable({
    authfile: { ...IMAGE_SOURCE.authfile, unsupported: true },
    'cert-dir': { ...IMAGE_SOURCE['cert-dir'], unsupported: true },
    creds: { ...IMAGE_SOURCE.creds, unsupported: true },
    display: { kind: 'bool', help: 'Show the command' },
    name: { kind: 'string', short: 'n', help: 'Name of the container' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
    replace: { kind: 'bool', help: 'Replace a container of the same name' },
    'tls-verify': { ...IMAGE_SOURCE['tls-verify'], unsupported: true },
  }),
  args: atLeast(2),
  interspersed: false,
  complete: ['none', 'image', 'none'],
});
