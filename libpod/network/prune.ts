import { orAbsent } from '../../core/errors.ts';
import type { NetworkDefinition } from '../../network/bridge/definition.ts';
import type { Engine } from '../engine.ts';
import { isUnused, networkTest } from './filter.ts';
import { removeNetwork } from './remove.ts';
import { listNetworks } from './store.ts';

/** Networks that no container names and the filters match. Throws INVALID_ARGUMENT. */
export function prunableNetworks(engine: Engine, filters: readonly string[]): NetworkDefinition[] {
  const test = networkTest(engine, filters, { pruning: true });
  const unused = isUnused(engine);
  return listNetworks(engine).filter((network) => unused(network) && test(network));
}

/** Undefined when a container took it, or somebody removed it, in the meantime. */
export async function pruneNetwork(engine: Engine, { id }: NetworkDefinition): Promise<string | undefined> {
  return (await orAbsent(() => removeNetwork(engine, id, { force: false }), 'IN_USE', 'NO_SUCH_NETWORK'))?.name;
}
