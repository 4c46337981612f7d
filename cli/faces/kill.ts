import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { ID_FILES, SELECTION } from './shared.ts';

export const killFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Send a signal to running containers',
  examples: ['kill mywebserver', 'kill --signal TERM mywebserver'],
  flags: flagTable({
    ...ID_FILES,
    ...SELECTION,
    signal: { kind: 'string', short: 's', help: 'Signal to send', default: 'KILL', complete: 'signal' },
  }),
  args: namesOrSelection,
  complete: ['running-container'],
});
