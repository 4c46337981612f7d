import { existsSync } from 'node:fs';
import { isEngineError } from '../../core/errors.ts';
import { signalProcess } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { placesOf } from './places.ts';
import { monitorOf } from './recorded.ts';

const SIGKILL = 9;

/**
 * Let the runtime forget the container. The exit script does it as long as the monitor lives; after that it is ours, also when the runtime
 * was uninstalled meanwhile.
 */
export async function deleteFromRuntime(engine: Engine, record: ContainerRecord): Promise<void> {
  const places = placesOf(engine, record.id);
  if (!existsSync(places.runtimeState) || monitorOf(record, places) !== undefined) return;
  try {
    await (await engine.runtime(record.config)).delete(record.id);
  } catch (error) {
    if (!isEngineError(error, 'HELPER_MISSING')) throw error;
    if (record.process) signalProcess(record.process, SIGKILL);
    const { removeTree } = await import('../../storage/tree/remove.ts');
    removeTree(places.runtimeState);
  }
}
