/** `container inspect`: what the document shows and the row does not hold, gathered from places, driver and /proc. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { ownCgroup } from '../../host/cgroup.ts';
import { isMountPoint } from '../../host/mount.ts';
import { isAlive } from '../../host/pid.ts';
import { askedRuntime, type Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { type ContainerInspectFacts, inspectContainer } from '../inspect/container.ts';
import { type ContainerRecord, LIVE } from '../state/containers.ts';
import { hostnameOf } from './hostname.ts';
import { type ContainerPlaces, placesOf, volumeData } from './places.ts';

/** The document. A process that died without anybody noticing is cleaned up after first. */
export async function inspectedContainer(
  engine: Engine,
  given: ContainerRecord,
  options: { readonly size?: boolean } = {},
): Promise<JsonObject> {
  const record = await upToDate(engine, given);
  return inspectContainer(record, await gatherFacts(engine, record, options), engine.settings.defaults);
}

async function upToDate(engine: Engine, record: ContainerRecord): Promise<ContainerRecord> {
  if (!LIVE.includes(record.status) || (record.process && isAlive(record.process))) return record;
  const { settled } = await import('./wait.ts');
  return (await settled(engine, record)) ?? record;
}

async function gatherFacts(engine: Engine, record: ContainerRecord, options: { readonly size?: boolean }): Promise<ContainerInspectFacts> {
  const { config, id, process } = record;
  const places = placesOf(engine, id);
  const isLive = LIVE.includes(record.status);
  const imageDigest = config.imageId === undefined ? undefined : engine.images.byId(config.imageId)?.manifestDigest;
  const home = homeOf(places);
  const cgroupPath = isLive && process ? cgroupOf(process.pid) : undefined;
  const size = options.size ? await sizeOf(engine, record) : undefined;
  return {
    directory: places.directory,
    runDirectory: places.run,
    files: record.startedMs === undefined && !isLive ? {} : generatedFiles(places),
    hostname: shownHostname(engine, record),
    ...(home !== undefined && { home }),
    ...(imageDigest !== undefined && { imageDigest }),
    runtime: await runtimeName(engine, config),
    cgroupManager: config.cgroups === 'disabled' ? 'disabled' : engine.cgroupManager,
    ...(cgroupPath !== undefined && { cgroupPath }),
    driver: (await engine.driver()).name,
    layers: {
      lower: await lowerDirectories(engine, record),
      upper: places.upper,
      work: places.work,
      ...((isLive || isMountPoint(places.merged)) && { merged: places.merged }),
    },
    volumePath: (name) => volumeData(engine, name),
    ...(isLive && existsSync(places.netns) && { netns: places.netns }),
    networkIds: config.network.mode.kind === 'bridge' ? await networkIds(engine) : {},
    dependencies: engine.containers.dependencies(id),
    execIds: runningSessions(engine, record),
    ...(record.health && { health: record.health }),
    ...(size && { size }),
  };
}

async function networkIds(engine: Engine): Promise<Record<string, string>> {
  const { listNetworks } = await import('../network/store.ts');
  return Object.fromEntries(listNetworks(engine).map(({ name, id }) => [name, id]));
}

function generatedFiles({ run }: ContainerPlaces): ContainerInspectFacts['files'] {
  return { resolvConf: join(run, 'resolv.conf'), hostname: join(run, 'hostname'), hosts: join(run, 'hosts') };
}

function shownHostname(engine: Engine, { config }: ContainerRecord): string {
  try {
    return hostnameOf(engine, config);
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_CONTAINER')) return '';
    throw error;
  }
}

/** From the configuration of the last start: the user's home stands in the container's own passwd file. */
function homeOf({ run }: ContainerPlaces): string | undefined {
  try {
    const { process } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as { process?: { env?: readonly string[] } };
    return process?.env?.find((variable) => variable.startsWith('HOME='))?.slice('HOME='.length);
  } catch {
    return undefined;
  }
}

function cgroupOf(pid: number): string | undefined {
  try {
    return ownCgroup(pid);
  } catch {
    return undefined;
  }
}

/** What it runs under, or would, installed or not. */
async function runtimeName(engine: Engine, config: ContainerConfig): Promise<string> {
  try {
    return (await engine.runtime(config)).name;
  } catch (error) {
    if (isEngineError(error)) return askedRuntime(engine)?.name ?? '';
    throw error;
  }
}

async function lowerDirectories(engine: Engine, { config }: ContainerRecord): Promise<string[]> {
  if (config.layers.length === 0) return [];
  const layers = await engine.layers();
  return (config.layers as readonly Digest[]).map((layer) => layers.tree(layer)).toReversed();
}

function runningSessions(engine: Engine, { id }: ContainerRecord): string[] {
  const rows = engine.db.all(`SELECT id, pid, pid_start FROM exec_sessions WHERE container_id = ? AND status = 'running'`, id);
  return rows.filter((row) => isAlive({ pid: Number(row['pid']), startTime: Number(row['pid_start']) })).map((row) => String(row['id']));
}

async function sizeOf(engine: Engine, record: ContainerRecord): Promise<NonNullable<ContainerInspectFacts['size']>> {
  const { containerSize } = await import('./size.ts');
  const { readWriteBytes, rootFsBytes } = await containerSize(engine, record);
  return { readWrite: readWriteBytes, rootFs: rootFsBytes };
}
