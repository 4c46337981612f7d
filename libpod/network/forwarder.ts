/** lichen-ports of a running container that was killed: it is started again, and listens on the same ports; the connections went with it. */
import { isAlive } from '../../host/pid.ts';
import { isNamespace } from '../../host/namespaces.ts';
import { log } from '../../core/log.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import { findForwarder, FORWARDER, forwardPorts } from '../../network/forward/forward.ts';
import type { ContainerId } from '../../core/id.ts';
import { tryLockContainer } from '../container/lock.ts';
import type { Engine } from '../engine.ts';

export function isForwarderLost({ forwarder }: NetworkAttachment): boolean {
  return forwarder?.name === FORWARDER && !isAlive(forwarder.helper);
}

/** A port that somebody else has taken meanwhile is a warning, with each command until it is free. */
export async function reviveForwarder(engine: Engine, id: ContainerId): Promise<void> {
  using lock = tryLockContainer(engine, id);
  const network = engine.containers.get(id)?.network;
  // Whoever holds the lock starts or ends the container.
  if (!lock || network?.bridge === undefined || !isForwarderLost(network) || !isNamespace(network.bridge.netns)) return;
  const program = findForwarder(engine.settings.helperDirectories);
  if (program === undefined) return;
  try {
    const forwarder = await forwardPorts(program, network.bridge.netns, network.bridge.ports);
    engine.db.transaction(() => engine.containers.change(id, { network: { ...network, forwarder } }));
  } catch (error) {
    log.warn(`the ports of ${network.bridge.name} cannot be published again: ${(error as Error).message}`);
  }
}
