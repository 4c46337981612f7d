import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const saveFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Save images to an archive or a directory',
  examples: ['save --quiet -o myimage.tar imageID', 'save --format docker-dir -o ubuntu-dir ubuntu', 'save > alpine-all.tar alpine:latest'],
  flags: flagTable({
    compress: { kind: 'bool', help: 'Compress the layers of a docker-dir' },
    format: {
      kind: 'string',
      help: 'oci-archive, oci-dir (directory with OCI manifest), docker-archive, docker-dir (directory with v2s2 manifest)',
      default: 'docker-archive',
    },
    'multi-image-archive': { kind: 'bool', short: 'm', help: 'Take further arguments for images, not tags (docker-archive only)' },
    output: { kind: 'string', short: 'o', help: 'File or directory to write instead of stdout', complete: 'file' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
    uncompressed: { kind: 'bool', help: 'Do not compress the layers of OCI images' },
  }),
  args: complainIf(({ args }) => args.length === 0, 'need at least 1 argument'),
  complete: ['image'],
});
