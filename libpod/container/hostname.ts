import { hostname as hostName } from 'node:os';
import { shortId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';

/** What the container sees as its host name, set or not. Throws NO_SUCH_CONTAINER when the one whose name it shares is gone. */
export function hostnameOf(engine: Engine, config: ContainerConfig): string {
  if (config.hostname !== undefined) return config.hostname;
  const { uts } = config.namespaces;
  if (uts.kind === 'container') return hostnameOf(engine, engine.containers.find(uts.container).config);
  // As Podman: with the host's network a private UTS namespace still carries the host's name.
  return uts.kind === 'host' || config.network.mode.kind === 'host' ? hostName() : shortId(config.id);
}
