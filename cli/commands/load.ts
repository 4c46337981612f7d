import { EngineError } from '../../core/errors.ts';
import { loadImages } from '../../libpod/image/load.ts';
import { defineCommand } from '../command.ts';
import { loadFace } from '../faces/load.ts';
import { copyProgress } from '../progress.ts';

export const command = defineCommand(loadFace, async (context, _args, flags) => {
  const { input } = flags;
  if (input === undefined && process.stdin.isTTY) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot read from terminal, use command-line redirection or the --input flag');
  }
  const engine = await context.openEngine();
  const names = await loadImages(engine, input ?? process.stdin, { onEvent: copyProgress(context, flags) });
  for (const name of names) context.stdout.line(`Loaded image: ${name}`);
});
