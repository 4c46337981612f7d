import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const imageScpFace = defineFace({
  usage: '[options] IMAGE [HOST::]',
  summary: 'Copy an image to or from another user or machine',
  description: `Copy an image between the stores of two users or machines. An end is written [USER@]HOST::[IMAGE]; without HOST:: it is your own store.

  For localhost the other user is reached through sudo, for other hosts through ssh; neither asks for a password unless it has a terminal.`,
  examples: ['image scp myimage:latest otherhost::', 'image scp root@localhost::alpine', 'image scp alpine user2@localhost::'],
  flags: flagTable({ quiet: { kind: 'bool', short: 'q', help: 'Print no progress' } }),
  args: between(1, 2),
  complete: ['image', 'none'],
});
