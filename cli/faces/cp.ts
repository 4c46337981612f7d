import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const cpFace = defineFace({
  usage: '[options] [CONTAINER:]SRC_PATH [CONTAINER:]DEST_PATH',
  summary: 'Copy files between a container and the host',
  description:
    'Copy SRC_PATH to DEST_PATH, both in a container or on the host. With "-" a tar archive is read from stdin or written to stdout.',
  examples: ['cp ctrID:/etc/hosts hosts', 'cp ./site ctrID:/var/www', 'cp ctr1:/data/. ctr2:/data', 'cp ctrID:/log - > log.tar'],
  flags: flagTable({
    archive: { kind: 'bool', short: 'a', default: true, help: "Give copied files to the destination container's user" },
    overwrite: { kind: 'bool', help: 'Let a directory take the place of a file and the other way round' },
  }),
  args: exactly(2),
  complete: ['file', 'file'],
});
