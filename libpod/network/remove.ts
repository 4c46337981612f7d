import { EngineError } from '../../core/errors.ts';
import { removeDefinition, type NetworkDefinition } from '../../network/bridge/definition.ts';
import type { Engine } from '../engine.ts';
import { findNetwork, lockNetworks, networkDirectory, usersOf } from './store.ts';

export interface RemoveNetworkOptions {
  /** Remove the containers that use it first. */
  readonly force: boolean;
  /** Seconds between their stop signal and SIGKILL; absent: the container's own. */
  readonly timeoutSeconds?: number | undefined;
}

/** Throws NO_SUCH_NETWORK, IN_USE, INVALID_ARGUMENT (the default network). */
export async function removeNetwork(engine: Engine, word: string, options: RemoveNetworkOptions): Promise<NetworkDefinition> {
  const network = findNetwork(engine, word);
  const { name } = network;
  if (name === engine.settings.bridges.network.name) throw new EngineError('INVALID_ARGUMENT', `default network ${name} cannot be removed`);
  if (options.force) await removeUsers(engine, name, options);
  using _lock = await lockNetworks(engine);
  findNetwork(engine, network.id);
  if (usersOf(engine, name).length > 0) {
    throw new EngineError(
      'IN_USE',
      `${JSON.stringify(name)} has associated containers with it. Use -f to forcibly delete containers and pods: network is being used`,
    );
  }
  removeDefinition(networkDirectory(engine), name);
  engine.events.offer({ type: 'network', status: 'remove', id: network.id, name, attributes: { driver: network.driver } });
  return network;
}

async function removeUsers(engine: Engine, name: string, { timeoutSeconds }: RemoveNetworkOptions): Promise<void> {
  const users = usersOf(engine, name);
  if (users.length === 0) return;
  const { removeContainer } = await import('../container/remove.ts');
  for (const { id } of users) {
    if (engine.containers.get(id)) await removeContainer(engine, id, { force: true, volumes: false, timeoutSeconds, depend: true });
  }
}
