import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const importFace = defineFace({
  usage: '[options] PATH [REFERENCE]',
  summary: 'Make an image of a tar archive with a root file system',
  examples: ['import http://example.com/ctr.tar url-image', 'import ctr.tar imageID', 'import - imageID'],
  flags: flagTable({
    arch: { kind: 'string', help: 'Architecture of the image' },
    change: { kind: 'stringArray', short: 'c', help: 'Apply a Containerfile instruction to the configuration' },
    message: { kind: 'string', short: 'm', help: 'Comment of the image' },
    os: { kind: 'string', help: 'Operating system of the image' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
    variant: { kind: 'string', help: 'Variant of the architecture' },
  }),
  args: between(1, 2),
  complete: ['file', 'image'],
});
