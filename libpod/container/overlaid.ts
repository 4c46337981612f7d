/** `O`: a directory of the host, or a volume, under a layer of the container's own that goes when it ends (podman-run(1), Overlay Volume Mounts). */
import { join } from 'node:path';
import { removeTree } from '../../storage/tree/remove.ts';
import type { Engine } from '../engine.ts';
import type { ContainerMount } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { placesOf } from './places.ts';

export function isOverlaid(mount: Pick<ContainerMount, 'options'>): boolean {
  return mount.options.includes('O');
}

/** Mounted below the container's directory; the path of what is seen. `upperdir=` and `workdir=` keep the changes elsewhere, for good. */
export async function mountOverlaid(engine: Engine, record: ContainerRecord, source: string, mount: ContainerMount): Promise<string> {
  const base = placeOf(engine, record, mount);
  const driver = await engine.driver();
  await driver.mount({
    lowers: [source],
    upper: valueOf(mount, 'upperdir') ?? join(base, 'upper'),
    work: valueOf(mount, 'workdir') ?? join(base, 'work'),
    merged: join(base, 'merged'),
  });
  return join(base, 'merged');
}

/** Those of the options that say how the result is mounted in the container. */
export function withoutOverlayWords(options: readonly string[]): readonly string[] {
  return options.filter((option) => option !== 'O' && !/^(upperdir|workdir)=/.test(option));
}

/** Undo every mountOverlaid of the container. Idempotent. */
export async function unmountOverlaid(engine: Engine, record: ContainerRecord): Promise<void> {
  const driver = await engine.driver();
  for (const mount of record.config.mounts.filter(isOverlaid)) {
    const base = placeOf(engine, record, mount);
    await driver.unmount(join(base, 'merged'));
    removeTree(base);
  }
}

function placeOf(engine: Engine, record: ContainerRecord, mount: ContainerMount): string {
  return join(placesOf(engine, record.id).directory, 'overlaid', Buffer.from(mount.target).toString('base64url'));
}

function valueOf(mount: ContainerMount, key: string): string | undefined {
  const option = mount.options.find((candidate) => candidate.startsWith(`${key}=`));
  return option?.slice(key.length + 1);
}
