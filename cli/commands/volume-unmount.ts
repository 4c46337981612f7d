import { unmountForUser } from '../../libpod/volume/mount.ts';
import { defineCommand } from '../command.ts';
import { volumeUnmountFace } from '../faces/volume-unmount.ts';

export const command = defineCommand(volumeUnmountFace, async (context, [name = '']) => {
  const engine = await context.openEngine();
  const volume = engine.volumes.find(name);
  await unmountForUser(engine, volume);
  context.stdout.line(volume.name);
});
