import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { containerEvent } from './event.ts';
import { lockAndRead } from './lock.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Give a container another name, in whatever state it is. Throws NO_SUCH_CONTAINER, INVALID_NAME, NAME_IN_USE. */
export async function renameContainer(engine: Engine, id: ContainerId, name: string): Promise<void> {
  if (!NAME.test(name)) throw new EngineError('INVALID_NAME', 'names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument');
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  engine.db.transaction(() => {
    const owner = engine.containers.ownerOf(name);
    if (owner !== undefined && owner !== id) throw nameInUse(id, name, owner);
    engine.containers.rename(id, name);
    engine.events.add(containerEvent({ ...record, name }, 'rename'));
  });
}

/** Podman's words, which scripts look for; the hint says it plainly. */
function nameInUse(id: string, name: string, owner: string): EngineError {
  return new EngineError(
    'NAME_IN_USE',
    `renaming container ${id}: updating container config table with new configuration for container ${id}: UNIQUE constraint failed: ContainerConfig.Name`,
    { hint: `The name ${JSON.stringify(name)} belongs to container ${owner}.` },
  );
}
