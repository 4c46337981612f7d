import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Engine } from '../../libpod/engine.ts';
import { createPod } from '../../libpod/pod/create.ts';
import { removePod } from '../../libpod/pod/remove.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import type { PodWish } from '../../libpod/spec/wish.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { obtain, writeIdFile } from '../creation.ts';
import { podCreateFace } from '../faces/pod-create.ts';
import { podWish } from '../wish/pod.ts';

export const command = defineCommand(podCreateFace, async (context, args, flags) => {
  if (flags.name && args.length > 0) throw new EngineError('INVALID_ARGUMENT', 'cannot specify --name and NAME at the same time');
  const wish = podWish({ flags, args, given: context.given, argv: context.argv, env: context.env, cwd: context.cwd });
  if (flags.replace && wish.name === undefined) throw new EngineError('INVALID_ARGUMENT', 'cannot replace pod without --name being set');
  const engine = await context.openEngine();
  const obtained = await withImage(context, engine, wish);
  if (flags.replace) await removeNamed(engine, wish.name!);
  const { id } = await createPod(engine, obtained, (line) => context.stderr.line(line));
  writePodIdFile(flags['pod-id-file'], id);
  context.stdout.line(id);
});

/** An image for the infra container is pulled like any other. */
async function withImage(context: CommandContext, engine: Engine, wish: PodWish): Promise<PodWish> {
  const name = wish.infra?.image;
  if (name === undefined) return wish;
  return { ...wish, infra: { ...wish.infra!, image: await obtain(context, engine, {}, name, { quiet: false }) } };
}

async function removeNamed(engine: Engine, name: string): Promise<void> {
  try {
    const failures = await removePod(engine, podTable(engine).find(name), { force: true });
    if (failures.length > 0) throw failures[0];
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_POD')) throw error;
  }
}

function writePodIdFile(path: string | undefined, id: string): void {
  try {
    writeIdFile(path, id);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw new EngineError(error.code, `failed to write pod ID to file: ${error.message}`, { cause: error });
  }
}
