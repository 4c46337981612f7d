import { podTable } from '../../libpod/pod/rows.ts';
import { defineCommand } from '../command.ts';
import { podInspectFace } from '../faces/pod-inspect.ts';
import { printInspected } from '../inspection.ts';

export const command = defineCommand(podInspectFace, async (context, names, { format, latest }) => {
  const chosen = latest ? [podTable(await context.openEngine()).latest().id] : names;
  await printInspected(context, { names: chosen, type: 'pod', format, size: false, latest: false });
});
