import { mountForUser } from '../../libpod/volume/mount.ts';
import { defineCommand } from '../command.ts';
import { volumeMountFace } from '../faces/volume-mount.ts';
import { requireUnshared } from '../unshared.ts';

export const command = defineCommand(volumeMountFace, async (context, [name = '']) => {
  const engine = await context.openEngine();
  requireUnshared(context, engine);
  context.stdout.line(await mountForUser(engine, engine.volumes.find(name)));
});
