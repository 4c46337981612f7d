import { createVolume } from '../../libpod/volume/create.ts';
import { parseLabel } from '../../libpod/spec/parse/env.ts';
import { defineCommand } from '../command.ts';
import { volumeCreateFace } from '../faces/volume-create.ts';

export const command = defineCommand(volumeCreateFace, async (context, [name], flags) => {
  const engine = await context.openEngine();
  const created = await createVolume(engine, {
    name,
    driver: flags.driver,
    labels: Object.fromEntries(flags.label.map(parseLabel)),
    options: flags.opt,
    uid: flags.uid,
    gid: flags.gid,
    ignoreExisting: flags.ignore,
  });
  context.stdout.line(created);
});
