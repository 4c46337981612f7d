import { EngineError } from '../../core/errors.ts';
import { startContainer } from '../../libpod/container/start.ts';
import type { Engine } from '../../libpod/engine.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { initFace } from '../faces/init.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(initFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  await forEachName(context, selectByFlags(engine, names, flags), async ({ record, shown }) => {
    if (!flags.all || isAtRest(engine, record)) await prepare(engine, record);
    return shown;
  });
});

async function prepare(engine: Engine, record: ContainerRecord): Promise<void> {
  if (!isAtRest(engine, record)) {
    throw new EngineError('WRONG_STATE', `container ${record.id} has already been created in runtime: container state improper`);
  }
  await startContainer(engine, record.id, { initOnly: true });
}

function isAtRest(engine: Engine, record: ContainerRecord): boolean {
  const status = engine.containers.get(record.id)?.status;
  return status === 'configured' || status === 'exited';
}
