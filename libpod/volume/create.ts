import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { randomHex } from '../../host/random.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { parseVolumeOptions } from './options.ts';
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
  const parsed = parseVolumeOptions(wish.options);
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
    engine.volumes.insert({
      name,
      driver: 'local',
      anonymous: false,
      labels: wish.labels,
      options: parsed.options,
      createdMs: Date.now(),
      needsCopyUp: true,
      ...(owner === undefined ? {} : { owner }),
    });
    engine.events.add({ type: 'volume', status: 'create', id: name, name });
  });
  return name;
}

function refuseDriver(name: string, driver: string): void {
  if (driver === '' || driver === 'local') return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `volume ${name} uses volume plugin ${driver} but it could not be retrieved: no volume plugin with name ${driver} available: required plugin missing`,
  );
}

function refuseMissingSource(options: Readonly<Record<string, string>>): void {
  const { type, device } = options;
  if (type !== 'bind' || device === undefined) return;
  if (statSync(device, { throwIfNoEntry: false }) === undefined) {
    throw new EngineError('INVALID_ARGUMENT', `invalid volume option device for driver 'local': stat ${device}: no such file or directory`);
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
