import { printQuadlet } from '../../libpod/quadlet/installed.ts';
import { defineCommand } from '../command.ts';
import { quadletPrintFace } from '../faces/quadlet-print.ts';
import { quadletPlace } from '../quadlet/place.ts';

export const command = defineCommand(quadletPrintFace, async (context, [name = '']) => {
  context.stdout.write(printQuadlet(quadletPlace(context), name));
});
