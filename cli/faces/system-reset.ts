import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE } from './shared.ts';

export const systemResetFace = defineFace({
  usage: '[options]',
  summary: 'Remove all containers, images, volumes and networks',
  flags: flagTable({ ...FORCE }),
  args: noArguments,
});
