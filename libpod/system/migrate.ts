import type { Engine } from '../engine.ts';
import { LIVE } from '../state/containers.ts';
import { endPause } from './pause.ts';

/** Stop all containers and end the process that holds the namespaces: what follows finds new ids and mounts. */
export async function migrate(engine: Engine): Promise<void> {
  const { stopContainer } = await import('../container/stop.ts');
  for (const { id } of engine.containers.withStatus(...LIVE)) await stopContainer(engine, id);
  await endPause(engine);
}
