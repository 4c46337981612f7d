import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const volumeReloadFace = defineFace({
  usage: '',
  summary: 'Look for new volumes of plugins',
  description: 'Ask volume plugins for their volumes. There are no plugins here, so nothing changes.',
  flags: {},
  args: noArguments,
});
