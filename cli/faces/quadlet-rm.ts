import type { ArgumentRule } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

const namesOrAll: ArgumentRule = ({ args, flags }) =>
  args.length === 0 && flags['all'] !== true ? 'at least one quadlet file must be selected' : undefined;

export const quadletRmFace = defineFace({
  usage: '[options] QUADLET [QUADLET...]',
  summary: 'Remove Quadlet files',
  description: 'Remove installed Quadlet files, by the name of a file or of an app. What was installed together is removed together.',
  examples: ['quadlet rm test.container', 'quadlet rm --force mysql.container', 'quadlet rm --all --reload-systemd=false'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Remove all that are installed' },
    force: { kind: 'bool', short: 'f', help: 'Stop their units first' },
    ignore: { kind: 'bool', short: 'i', help: 'A file that does not exist is no error' },
    'reload-systemd': { kind: 'bool', default: true, help: 'Reload systemd afterwards' },
  }),
  args: namesOrAll,
  complete: ['quadlet'],
});
