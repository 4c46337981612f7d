/** The processes of a container, read from outside: nothing of the image runs for it. */
import { readlinkSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { ownCgroup } from '../../host/cgroup.ts';
import { type IdMapEntry, readIdMap } from '../../host/idmap.ts';
import { allProcesses, type ProcessFacts } from '../../host/process-table.ts';
import { Root } from '../../host/root.ts';
import { lookUpUser } from '../../host/user.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { IdRange } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { readInRoot } from './in-root.ts';

/** Ids and names as the container sees them, except where the name says host. */
export interface ContainerProcess extends Omit<ProcessFacts, 'namespacePids' | 'namespaceGroups' | 'uids' | 'gids' | 'groups'> {
  readonly hostPid: number;
  readonly pgid: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly realUser: string;
  readonly group: string;
  readonly realGroup: string;
  readonly groups: readonly string[];
  readonly hostUser: string;
  readonly hostGroup: string;
  readonly hostGroups: readonly string[];
  readonly startedMs: number;
}

/** In the order of their pids; 0 is the parent of one whose own is outside. Throws WRONG_STATE when the container does not run. */
export function containerProcesses(engine: Engine, record: ContainerRecord): ContainerProcess[] {
  if (record.status !== 'running' || !record.process) throw new EngineError('WRONG_STATE', 'top can only be used on running containers');
  const found = processesWithin(record.process.pid, record.config);
  const view = containerView(engine, record.config, record.process.pid, found);
  return found.map((facts) => describe(facts, view)).toSorted((a, b) => a.pid - b.pid);
}

/** Those in the container's pid namespace and their children in deeper ones; where it shares the host's, those of its cgroup. */
function processesWithin(first: number, config: ContainerConfig): ProcessFacts[] {
  const isInside = config.namespaces.pid.kind === 'host' ? inCgroupOf(first) : inNamespaceOf(first);
  const all = allProcesses();
  const inside = new Set(all.filter(({ pid }) => isInside(pid)).map(({ pid }) => pid));
  // Parents come before their children only until pids wrap around: go on until nothing is added.
  for (let before = -1; before !== inside.size;) {
    before = inside.size;
    for (const { pid, ppid } of all) if (inside.has(ppid)) inside.add(pid);
  }
  return all.filter(({ pid }) => inside.has(pid));
}

function inNamespaceOf(first: number): (pid: number) => boolean {
  const namespace = namespaceOf(first);
  return (pid) => namespace !== undefined && namespaceOf(pid) === namespace;
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function inCgroupOf(first: number): (pid: number) => boolean {
  const cgroup = ownCgroup(first);
  return (pid) => {
    try {
      const own = ownCgroup(pid);
      return own === cgroup || own.startsWith(`${cgroup}/`);
    } catch {
      return false;
    }
  };
}

interface ContainerView {
  /** Host pid → pid in the container. */
  readonly pids: ReadonlyMap<number, number>;
  /** How many pid namespaces deep the container lies, ours counted. */
  readonly depth: number;
  readonly idMap: ContainerConfig['idMap'];
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
  readonly hostIds: { readonly uids: readonly IdMapEntry[]; readonly gids: readonly IdMapEntry[] };
  readonly hostUserName: (uid: number) => string;
  readonly nowMs: number;
}

function containerView(engine: Engine, config: ContainerConfig, first: number, processes: readonly ProcessFacts[]): ContainerView {
  const depth = processes.find(({ pid }) => pid === first)?.namespacePids.length ?? 1;
  return {
    pids: new Map(processes.map(({ pid, namespacePids }) => [pid, namespacePids[depth - 1] ?? pid])),
    depth,
    idMap: config.idMap,
    ...namesIn(first),
    hostIds: { uids: readIdMap('uid'), gids: readIdMap('gid') },
    // Without root, the names of the host's other users say nothing: their ids are ours (Podman shows numbers then as well).
    hostUserName: (uid) => (engine.identity.rootless ? undefined : lookUpUser(uid)?.name) ?? String(uid),
    nowMs: Date.now(),
  };
}

function describe(facts: ProcessFacts, view: ContainerView): ContainerProcess {
  const { namespacePids: _pids, namespaceGroups, uids, gids, groups, ...shown } = facts;
  const inside = (id: number, kind: 'uids' | 'gids'): number => containerId(id, view.idMap?.[kind]);
  const user = (id = 0): string => view.users.get(inside(id, 'uids')) ?? String(inside(id, 'uids'));
  const group = (id = 0): string => view.groups.get(inside(id, 'gids')) ?? String(inside(id, 'gids'));
  const hostGroup = (id = 0): string => String(hostId(id, view.hostIds.gids));
  return {
    ...shown,
    pid: view.pids.get(facts.pid) ?? facts.pid,
    hostPid: facts.pid,
    ppid: view.pids.get(facts.ppid) ?? 0,
    pgid: namespaceGroups[view.depth - 1] ?? 0,
    uid: inside(uids[1] ?? 0, 'uids'),
    gid: inside(gids[1] ?? 0, 'gids'),
    user: user(uids[1]),
    realUser: user(uids[0]),
    group: group(gids[1]),
    realGroup: group(gids[0]),
    groups: groups.map(group),
    hostUser: view.hostUserName(hostId(uids[1] ?? 0, view.hostIds.uids)),
    hostGroup: hostGroup(gids[1]),
    hostGroups: groups.map(hostGroup),
    args: facts.args === '' ? `[${facts.name}]` : facts.args,
    startedMs: view.nowMs - facts.elapsedMs,
  };
}

/** As the container's own user namespace has it, where it has one inside of ours. */
function containerId(id: number, ranges: readonly IdRange[] | undefined): number {
  const range = ranges?.find(({ hostId: start, size }) => id >= start && id < start + size);
  return range ? range.containerId + id - range.hostId : id;
}

function hostId(id: number, map: readonly IdMapEntry[]): number {
  const entry = map.find(({ inside, size }) => id >= inside && id < inside + size);
  return entry ? entry.outside + id - entry.inside : id;
}

/** Names by id, from the container's passwd and group files: data of a stranger, so no more than its lines' first and third words. */
function namesIn(pid: number): { users: Map<number, string>; groups: Map<number, string> } {
  const root = openRoot(pid);
  if (!root) return { users: new Map(), groups: new Map() };
  using _root = root;
  return { users: namesById(readInRoot(root, '/etc/passwd')), groups: namesById(readInRoot(root, '/etc/group')) };
}

function openRoot(pid: number): Root | undefined {
  try {
    return new Root(`/proc/${pid}/root`);
  } catch {
    return undefined;
  }
}

function namesById(file: Uint8Array | undefined): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of Buffer.from(file ?? [])
    .toString()
    .split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
