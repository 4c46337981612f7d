import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { randomHex } from '../../host/random.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { parseImageOptions, parseVolumeOptions, type VolumeOptions } from './options.ts';
import { lockVolume } from './lock.ts';

export interface CreateVolumeOptions {
  /** Absent: 64 random hex digits, and the volume counts as anonymous only where a container made it. */
  readonly name?: string | undefined;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `key=value`, as typed. */
  readonly options: readonly string[];
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** One of that name is fine, whatever its options. */
  readonly ignoreExisting: boolean;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Resolves with its name. Throws INVALID_NAME, INVALID_ARGUMENT, NAME_IN_USE, NOT_SUPPORTED. */
export async function createVolume(engine: Engine, wish: CreateVolumeOptions): Promise<string> {
  const name = wish.name ?? randomHex(32);
  if (!NAME.test(name)) {
    throw new EngineError('INVALID_NAME', 'running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument');
  }
  refuseDriver(name, wish.driver);
  const image = wish.driver === 'image' ? await imageOf(engine, parseImageOptions(wish.options)) : undefined;
  const parsed: VolumeOptions = image === undefined ? parseVolumeOptions(wish.options) : { options: { image: image.name } };
  refuseMissingSource(parsed.options);
  const uid = wish.uid ?? parsed.uid;
  const gid = wish.gid ?? parsed.gid;
  const owner = uid === undefined && gid === undefined ? undefined : { uid: uid ?? 0, gid: gid ?? 0 };
  using _lock = await lockVolume(engine, name);
  if (wish.ignoreExisting && engine.volumes.get(name)) return name;
  refuseExisting(engine, name);
  // The directory comes first: made and left alone it harms nobody, the row without it would be half a volume.
  makeDirectory(engine, name, owner);
  engine.db.transaction(() => {
    // Whoever removes the image looks for volumes in a transaction, too.
    if (image !== undefined && !engine.images.has(image.id)) throw new EngineError('NO_SUCH_IMAGE', `${image.name}: image not known`);
    engine.volumes.insert({
      name,
      driver: image === undefined ? 'local' : 'image',
      anonymous: false,
      labels: wish.labels,
      options: parsed.options,
      createdMs: Date.now(),
      needsCopyUp: true,
      ...(owner === undefined ? {} : { owner }),
      ...(image === undefined ? {} : { imageId: image.id }),
    });
    engine.events.add({ type: 'volume', status: 'create', id: name, name });
  });
  return name;
}

function refuseDriver(name: string, driver: string): void {
  if (driver === '' || driver === 'local' || driver === 'image') return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `volume ${name} uses volume plugin ${driver} but it could not be retrieved: no volume plugin with name ${driver} available: required plugin missing`,
  );
}

async function imageOf(engine: Engine, name: string): Promise<{ readonly id: ImageId; readonly name: string }> {
  const { findImage } = await import('../image/find.ts');
  try {
    return { id: (await findImage(engine, name)).image.id, name };
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_IMAGE')) throw error;
    throw new EngineError(error.code, `looking up image ${name} to create volume failed: ${error.message}`, { cause: error });
  }
}

function refuseMissingSource(options: Readonly<Record<string, string>>): void {
  const { type, device } = options;
  if (type !== 'bind' || device === undefined) return;
  if (statSync(device, { throwIfNoEntry: false }) === undefined) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `invalid volume option device for driver 'local': faccessat ${device}: no such file or directory`,
    );
  }
}

function refuseExisting(engine: Engine, name: string): void {
  if (engine.volumes.get(name)) throw new EngineError('NAME_IN_USE', `volume with name ${name} already exists: volume already exists`);
}

function makeDirectory(engine: Engine, name: string, owner: { readonly uid: number; readonly gid: number } | undefined): void {
  const data = volumeData(engine, name);
  mkdirSync(data, { recursive: true, mode: 0o755 });
  chmodSync(data, 0o755);
  if (owner) chownSync(data, owner.uid, owner.gid);
}
