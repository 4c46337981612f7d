import { lookUpImageOrList } from '../../libpod/image/find.ts';
import { defineCommand } from '../command.ts';
import { imageExistsFace } from '../faces/image-exists.ts';

export const command = defineCommand(imageExistsFace, async (context, [name], _flags) =>
  (await lookUpImageOrList(await context.openEngine(), name!)) === undefined ? 1 : 0,
);
