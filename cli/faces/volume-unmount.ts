import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const volumeUnmountFace = defineFace({
  usage: 'NAME',
  summary: 'Undo a volume mount',
  description: 'Undo one `volume mount`. A volume that a container uses stays mounted.',
  examples: ['volume unmount myvol'],
  flags: {},
  args: exactly(1),
  complete: ['volume', 'none'],
});
