import { untagImage } from '../../libpod/image/tag.ts';
import { atLeast } from '../arguments.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand(
  {
    usage: 'IMAGE [NAME...]',
    summary: 'Take names from an image',
    description: 'Take the given names from an image, or all of them. The image itself stays.',
    examples: ['untag 0e3bbc2', 'untag httpd myregistryhost:5000/fedora/httpd:v2'],
    flags: {},
    args: atLeast(1),
    complete: ['image'],
  },
  async (context, [image, ...names], _flags) => {
    await untagImage(await context.openEngine(), image!, names);
  },
);
