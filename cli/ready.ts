import type { Engine } from '../libpod/engine.ts';
import type { ContainerRecord } from '../libpod/state/containers.ts';

/** A container with `--sdnotify healthy` counts as started once it is healthy. `runCount`: of the run that was started. Throws WRONG_STATE, ABORTED. */
export async function awaitReady(
  engine: Engine,
  { id, config }: Pick<ContainerRecord, 'id' | 'config'>,
  runCount: number,
  signal?: AbortSignal,
): Promise<void> {
  if (config.sdnotify?.mode !== 'healthy') return;
  const { awaitHealthy } = await import('../libpod/health/await.ts');
  await awaitHealthy(engine, id, runCount, signal);
}
