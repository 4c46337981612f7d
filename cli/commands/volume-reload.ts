import { defineCommand } from '../command.ts';
import { volumeReloadFace } from '../faces/volume-reload.ts';

/** There are no plugins here to ask, so nothing is ever new. */
export const command = defineCommand(volumeReloadFace, async (context) => {
  await context.openEngine();
});
