import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const commitFace = defineFace({
  usage: '[options] CONTAINER [IMAGE]',
  summary: 'Make an image of what a container has changed',
  description: 'Make an image of the changes of a container and of its configuration.',
  examples: ['commit ctrID image:tag', 'commit --change CMD=/bin/bash --change ENTRYPOINT=/bin/sh reverent_golick image-committed'],
  flags: flagTable({
    author: { kind: 'string', short: 'a', help: 'Author of the image' },
    change: { kind: 'stringArray', short: 'c', help: 'Apply a Containerfile instruction to the configuration' },
    config: { kind: 'string', help: 'File with settings (JSON) that go before those of the container', complete: 'file' },
    format: { kind: 'string', short: 'f', help: 'Format of the image: oci or docker', default: 'oci' },
    iidfile: { kind: 'string', help: 'Write the id of the image to a file', complete: 'file' },
    'include-volumes': { kind: 'bool', help: 'Volumes of the container become volumes of the image' },
    message: { kind: 'string', short: 'm', help: 'Comment of the image (docker format only)' },
    pause: { kind: 'bool', short: 'p', help: 'Freeze the container meanwhile' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
    squash: { kind: 'bool', short: 's', help: 'Make one layer of everything' },
  }),
  args: between(1, 2),
  complete: ['container', 'image'],
});
