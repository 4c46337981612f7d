import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const exportFace = defineFace({
  usage: '[options] CONTAINER',
  summary: "Write a container's file system as a tar archive",
  examples: ['export ctrID > myCtr.tar', 'export --output="myCtr.tar" ctrID'],
  flags: flagTable({ output: { kind: 'string', short: 'o', help: 'File to write instead of stdout', complete: 'file' } }),
  args: exactly(1),
  complete: ['container'],
});
