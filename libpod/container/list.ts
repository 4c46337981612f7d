/**
 * The rows of `ps`. One query for all containers; beyond that only /proc is read, of those that should be running:
 * five hundred containers must list in the time of one.
 */
import { readlinkSync } from 'node:fs';
import { isEngineError } from '../../core/errors.ts';
import { isAlive } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import { splitFilters } from '../filters.ts';
import { type ContainerRecord, LIVE, shownStatus } from '../state/containers.ts';
import type { ContainerState, ContainerSummary, NamespaceInodes } from '../summary.ts';
import { containerTest } from './filter.ts';

export interface ListOptions {
  /** Not only running ones. A filter for `status` implies it. */
  readonly all?: boolean;
  readonly filters?: readonly string[];
  /** Only the last so many created, of those that match. */
  readonly last?: number | undefined;
  readonly namespaces?: boolean;
  readonly size?: boolean;
}

/** The newest last. Throws INVALID_ARGUMENT (filters), NO_SUCH_CONTAINER (named by one). */
export async function listContainers(engine: Engine, options: ListOptions = {}): Promise<ContainerSummary[]> {
  const filters = splitFilters(options.filters ?? []);
  const test = containerTest(filters, { nowMs: Date.now(), find: (name) => engine.containers.find(name) });
  const showsAll = options.all === true || filters.has('status') || options.last !== undefined;
  const records = (await settledRecords(engine)).filter((record) => (showsAll || record.status === 'running') && test(record));
  const chosen = options.last === undefined ? records : records.slice(-options.last);
  const rows: ContainerSummary[] = [];
  for (const record of chosen) rows.push({ ...(await summarize(engine, record, options)), ports: publishedPorts(engine, record) });
  return rows;
}

async function settledRecords(engine: Engine): Promise<ContainerRecord[]> {
  const records: ContainerRecord[] = [];
  for (const record of engine.containers.list()) {
    const isBehind = LIVE.includes(record.status) && !(record.process && isAlive(record.process));
    const now = isBehind ? await (await import('./wait.ts')).settled(engine, record) : record;
    if (now) records.push(now);
  }
  return records;
}

async function summarize(engine: Engine, record: ContainerRecord, options: ListOptions): Promise<ContainerSummary> {
  const namespaces = options.namespaces && record.process ? namespacesOf(record.process.pid) : undefined;
  const size = options.size ? await sizeOf(engine, record) : undefined;
  return { ...containerSummary(record), ...(namespaces && { namespaces }), ...(size && { size }) };
}

/** Those of the container whose network it shares, where it does. */
function publishedPorts(engine: Engine, { config: { network } }: ContainerRecord): ContainerSummary['ports'] {
  if (network.mode.kind !== 'container') return network.ports;
  try {
    return publishedPorts(engine, engine.containers.find(network.mode.container));
  } catch (error) {
    // It was named, and has another name now.
    if (isEngineError(error, 'NO_SUCH_CONTAINER')) return [];
    throw error;
  }
}

/** The row as far as the record tells. Pure. */
export function containerSummary(record: ContainerRecord): ContainerSummary {
  const { config } = record;
  const { mode } = config.network;
  return {
    id: record.id,
    names: [record.name],
    image: config.imageName ?? '',
    imageId: config.imageId ?? '',
    command: config.argv,
    createdAt: config.createdAt,
    ...(record.startedMs !== undefined && { startedAt: new Date(record.startedMs).toISOString() }),
    ...(record.finishedMs !== undefined && { exitedAt: new Date(record.finishedMs).toISOString() }),
    state: shownStatus(record.status) as ContainerState,
    ...(record.health && { health: record.health.status }),
    exitCode: record.exitCode ?? 0,
    pid: record.process?.pid ?? 0,
    restarts: record.restartCount,
    autoRemove: config.autoRemove,
    isInfra: config.pod?.isInfra === true,
    ...(config.pod && { pod: { id: config.pod.id, name: config.pod.name } }),
    cidFile: config.annotations['io.podman.annotations.cid-file'] ?? '',
    labels: config.labels,
    mounts: config.mounts.map(({ target }) => target),
    networks: mode.kind === 'bridge' ? mode.networks.map(({ name }) => name) : [],
    ports: config.network.ports,
    exposed: config.network.expose,
  };
}

function namespacesOf(pid: number): NamespaceInodes | undefined {
  const inode = (name: string): string => /\d+/.exec(readlinkSync(`/proc/${pid}/ns/${name}`))?.[0] ?? '';
  try {
    return {
      mnt: inode('mnt'),
      cgroup: inode('cgroup'),
      ipc: inode('ipc'),
      net: inode('net'),
      pid: inode('pid'),
      uts: inode('uts'),
      user: inode('user'),
    };
  } catch {
    // It ended just now.
    return undefined;
  }
}

async function sizeOf(engine: Engine, record: ContainerRecord): Promise<NonNullable<ContainerSummary['size']>> {
  const { containerSize } = await import('./size.ts');
  const { readWriteBytes, rootFsBytes } = await containerSize(engine, record);
  return { rwBytes: readWriteBytes, rootFsBytes };
}
