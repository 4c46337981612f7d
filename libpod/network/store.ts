/** Where the definitions of networks lie, and who uses them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile, type FileLock } from '../../host/flock.ts';
import { findDefinition, readDefinitions, type NetworkDefinition } from '../../network/bridge/definition.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';

const LOCK_TIMEOUT_MS = 120_000;

/** Of definitions; netavark's own files are in `<run>/networks`. */
export function networkDirectory(engine: Engine): string {
  return engine.options.networkDirectory || engine.settings.bridges.directory || join(engine.paths.store, 'networks');
}

/** By name, the default network among them. Throws CONFIG. */
export function listNetworks(engine: Engine): NetworkDefinition[] {
  return readDefinitions(networkDirectory(engine), engine.settings.bridges.network, Date.now());
}

/** By name, id, or the beginning of an id. Throws NO_SUCH_NETWORK, AMBIGUOUS_ID. */
export function findNetwork(engine: Engine, word: string): NetworkDefinition {
  return findDefinition(listNetworks(engine), word);
}

/** Held by whoever changes definitions, names one in a container's row, or works on the namespace that bridges share. Throws LOCKED. */
export async function lockNetworks(engine: Engine): Promise<FileLock> {
  const directory = join(engine.paths.run, 'networks');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return lockFile(join(directory, 'lock'), { timeoutMs: LOCK_TIMEOUT_MS });
}

/** Containers that name the network, running or not. */
export function usersOf(engine: Engine, name: string): ContainerRecord[] {
  return engine.containers.list().filter((record) => networkNames(record).includes(name));
}

export function networkNames({ config }: Pick<ContainerRecord, 'config'>): readonly string[] {
  const { mode } = config.network;
  return mode.kind === 'bridge' ? mode.networks.map(({ name }) => name) : [];
}
