import { exportContainer } from '../../libpod/container/export.ts';
import { defineCommand } from '../command.ts';
import { exportFace } from '../faces/export.ts';
import { interruptible } from '../interruption.ts';
import { archiveOutput } from '../output.ts';

export const command = defineCommand(exportFace, async (context, [container], flags) => {
  const output = archiveOutput(context, flags.output, 'refusing to export to terminal. Use -o flag or redirect');
  const engine = await context.openEngine();
  await interruptible((signal) => exportContainer(engine, container!, output, signal));
});
