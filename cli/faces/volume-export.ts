import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const volumeExportFace = defineFace({
  usage: '[options] VOLUME',
  summary: 'Write what a volume holds as a tar archive',
  description: 'Write what a volume holds as a tar archive, to stdout or to a file.',
  examples: ['volume export --output myvol.tar myvol', 'volume export myvol > myvol.tar'],
  flags: flagTable({ output: { kind: 'string', short: 'o', help: 'Write to this file instead of stdout', complete: 'file' } }),
  args: exactly(1),
  complete: ['volume', 'none'],
});
