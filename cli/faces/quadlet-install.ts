import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const quadletInstallFace = defineFace({
  usage: '[options] QUADLET-PATH-OR-URL [FILES-PATH-OR-URL...]',
  summary: 'Install a Quadlet file, or several that belong together',
  description:
    'Install a Quadlet file, a directory of them, or the files of a .quadlets file, from the disk or the web, with further files that belong to them. If one of them cannot be installed, none is.',
  examples: ['quadlet install web.container', 'quadlet install ./app', 'quadlet install https://example.com/web.container'],
  flags: flagTable({
    'reload-systemd': { kind: 'bool', default: true, help: 'Reload systemd afterwards' },
    replace: { kind: 'bool', short: 'r', help: 'Replace files that are there' },
  }),
  args: atLeast(1),
  complete: ['file'],
});
