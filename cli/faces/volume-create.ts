import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const volumeCreateFace = defineFace({
  usage: '[options] [NAME]',
  summary: 'Create a volume',
  examples: ['volume create myvol', 'volume create', 'volume create --label foo=bar myvol'],
  flags: flagTable({
    driver: { kind: 'string', short: 'd', help: 'Volume driver', default: 'local' },
    gid: { kind: 'int', help: 'Group of the volume' },
    ignore: { kind: 'bool', help: 'A volume that exists already is no error' },
    label: { kind: 'stringArray', short: 'l', help: 'Set a label (KEY=VALUE)' },
    opt: { kind: 'stringArray', short: 'o', help: 'Option of the driver' },
    uid: { kind: 'int', help: 'Owner of the volume' },
  }),
  args: atMost(1),
});
