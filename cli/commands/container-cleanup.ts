import { EngineError, isEngineError } from '../../core/errors.ts';
import { cleanUp } from '../../libpod/container/cleanup.ts';
import { removeContainer } from '../../libpod/container/remove.ts';
import { settled } from '../../libpod/container/wait.ts';
import type { Engine } from '../../libpod/engine.ts';
import { LIVE, type ContainerRecord } from '../../libpod/state/containers.ts';
import { namesOrSelection } from '../arguments.ts';
import { defineCommand, defineFace } from '../command.ts';
import { forEachName } from '../each.ts';
import { SELECTION } from '../faces/shared.ts';
import { flagTable } from '../flag.ts';
import { selectByFlags } from '../selection.ts';

const face = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Clean up after containers that have ended',
  description:
    'Take down mounts and network of containers that have ended. This happens by itself; the command is for when it was interrupted.',
  flags: flagTable({
    ...SELECTION,
    exec: { kind: 'string', help: 'Clean up after this exec session', hidden: true, unsupported: true },
    rm: { kind: 'bool', help: 'Remove the containers too' },
    rmi: { kind: 'bool', help: 'Remove the images too', unsupported: true },
    run: { kind: 'uint', help: 'Only after this run of the container, and say nothing', hidden: true },
  }),
  args: namesOrSelection,
  complete: ['container'],
});

export const command = defineCommand(face, async (context, names, flags) => {
  const engine = await context.openEngine();
  if (flags.run !== undefined) {
    for (const name of names) await cleanUpRun(engine, name, flags.run);
    return;
  }
  await forEachName(context, selectByFlags(engine, names, flags), async ({ record, shown }) => {
    await cleanUpEnded(engine, record);
    if (flags.rm) await removeContainer(engine, record.id, { force: false, volumes: false });
    return shown;
  });
});

/** What a monitor's exit script asks for. The container may be gone by now: somebody else was faster. */
async function cleanUpRun(engine: Engine, name: string, runCount: number): Promise<void> {
  try {
    await cleanUp(engine, engine.containers.find(name).id, runCount);
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
  }
}

async function cleanUpEnded(engine: Engine, record: ContainerRecord): Promise<void> {
  const now = await settled(engine, record);
  if (now && LIVE.includes(now.status)) {
    throw new EngineError('WRONG_STATE', `container ${now.id} is running or paused, refusing to clean up: container state improper`);
  }
}
