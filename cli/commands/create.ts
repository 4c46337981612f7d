import { passesStreamsThrough } from '../../libpod/spec/container.ts';
import { createContainer } from '../../libpod/container/create.ts';
import { defineCommand } from '../command.ts';
import { prepareCreation, writeIdFile } from '../creation.ts';
import { createFace } from '../faces/create.ts';

export const command = defineCommand(createFace, async (context, args, flags) => {
  const { engine, wish } = await prepareCreation(context, args, flags);
  using created = await createContainer(engine, wish, { starting: false, tell: (line) => context.stderr.line(line) });
  writeIdFile(flags.cidfile, created.record.id);
  // The container's own output may be all that is wanted there.
  if (!passesStreamsThrough(created.record.config)) context.stdout.line(created.record.id);
});
