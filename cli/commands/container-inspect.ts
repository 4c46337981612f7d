import { defineCommand } from '../command.ts';
import { containerInspectFace } from '../faces/container-inspect.ts';
import { printInspected } from '../inspection.ts';

export const command = defineCommand(containerInspectFace, async (context, names, { format, size, latest }) => {
  await printInspected(context, { names, type: 'container', format, size, latest });
});
