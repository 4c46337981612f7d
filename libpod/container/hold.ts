/**
 * What a command does to a container for the time of its own work: it freezes a running one (`commit`), or mounts the root of one at rest (`cp`,
 * `export`, `commit --squash`).
 *
 * A note at `<run>/held/<id>` says so before it is done, and goes when it is taken back; the container's lock is held all the while. A note of a
 * container whose lock is free was left by a killed command: whoever comes next takes it back.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { isMountPoint } from '../../host/mount.ts';
import type { Engine } from '../engine.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { tryLockContainer } from './lock.ts';
import { placesOf } from './places.ts';
import { mountRoot, unmountRoot } from './rootfs.ts';

type Held = 'frozen' | 'mounted';

/** The processes of a running container stand still until this is disposed. The lock is held. Throws HELPER_FAILED. */
export async function holdFrozen(engine: Engine, { id, config }: ContainerRecord): Promise<AsyncDisposable> {
  const runtime = await engine.runtime(config);
  note(engine, id, 'frozen');
  try {
    await runtime.pause(id);
  } catch (error) {
    forget(engine, id);
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await runtime.resume(id);
      forget(engine, id);
    },
  };
}

export interface HeldRoot extends AsyncDisposable {
  readonly path: string;
}

/** The root of a container, which is mounted for as long as this is not disposed, unless it was before. The lock is held. Throws what mountRoot throws. */
export async function holdRoot(engine: Engine, record: ContainerRecord): Promise<HeldRoot> {
  const places = placesOf(engine, record.id);
  if (isMountPoint(places.merged)) {
    return { path: await mountRoot(engine, record, places), [Symbol.asyncDispose]: async () => undefined };
  }
  const letGo = async () => {
    await unmountRoot(engine, record, places);
    forget(engine, record.id);
  };
  note(engine, record.id, 'mounted');
  try {
    return { path: await mountRoot(engine, record, places), [Symbol.asyncDispose]: letGo };
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** Take back what killed commands hold. */
export async function healHeld(engine: Engine): Promise<void> {
  for (const id of readdirSync(join(engine.paths.run, 'held')) as ContainerId[]) {
    using lock = tryLockContainer(engine, id);
    if (!lock || !existsSync(noteOf(engine, id))) continue;
    const record = engine.containers.get(id);
    if (record) await takeBack(engine, record);
    forget(engine, id);
  }
}

async function takeBack(engine: Engine, record: ContainerRecord): Promise<void> {
  const held = readFileSync(noteOf(engine, record.id), 'utf8') as Held;
  log.debug(() => `container ${record.name} was left ${held} by a killed command`);
  if (held === 'mounted') {
    if (!LIVE.includes(record.status)) await unmountRoot(engine, record, placesOf(engine, record.id));
  } else if (record.status === 'running') {
    await (
      await engine.runtime(record.config)
    )
      .resume(record.id)
      // It was killed before it could freeze the container.
      .catch((error: unknown) => log.debug(() => (error as Error).message));
  }
}

function note(engine: Engine, id: ContainerId, held: Held): void {
  mkdirSync(dirname(noteOf(engine, id)), { recursive: true, mode: 0o700 });
  writeFileSync(noteOf(engine, id), held, { mode: 0o600 });
}

function forget(engine: Engine, id: ContainerId): void {
  rmSync(noteOf(engine, id), { force: true });
}

function noteOf(engine: Engine, id: ContainerId): string {
  return placesOf(engine, id).held;
}
