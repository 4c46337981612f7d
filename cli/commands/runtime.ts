import { anyArguments } from '../arguments.ts';
import { defineCommand, defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { parseLine } from '../runtime/flags.ts';
import { runRuntime } from '../runtime/run.ts';

const face = defineFace({
  usage: '[COMMAND [ARG...]]',
  summary: 'Run a bundle with the embedded OCI runtime',
  description: `What lichen-runtime does, within the user namespace of the store. Without a command its own help is shown.`,
  examples: ['runtime spec', 'runtime run --bundle DIRECTORY box', 'runtime list'],
  flags: flagTable({}),
  args: anyArguments,
  interspersed: false,
});

export const command = defineCommand(face, async (context, words) => {
  const line = parseLine(words);
  await context.openEngine();
  return runRuntime(line, { stdout: context.stdout, env: context.env });
});
