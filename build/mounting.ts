/** The mounts of a RUN, made ready for as long as it runs. */
import { closeSync, chmodSync, existsSync, fstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { giveTo } from '../host/chown.ts';
import { lockFile, tryLockFile, type FileLock } from '../host/flock.ts';
import { randomHex } from '../host/random.ts';
import { descriptorPath, O_PATH } from '../host/root.ts';
import { TreeCopy } from '../storage/tree/copy.ts';
import { digestSources, entriesOf } from './copy/digest.ts';
import { MissingSource, treeSources, type SourceTree } from './copy/sources.ts';
import type { BoundMount, BuildMachine } from './machine.ts';
import { MountWordError, type RunMount } from './mounts.ts';

/** What `--secret` and `--ssh` hand to a build. Neither is part of any key, layer or history. */
export interface HiddenThings {
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Sockets of agents by id. */
  readonly agents: ReadonlyMap<string, string>;
}

export interface MountFacts {
  readonly machine: Pick<BuildMachine, 'memory' | 'scratch' | 'caches' | 'overlay' | 'bind'>;
  readonly hidden: HiddenThings;
  /** What `from` names, or the context. */
  readonly tree: (from: string | undefined) => Promise<SourceTree>;
}

export interface ReadyMounts extends AsyncDisposable {
  readonly mounts: readonly BoundMount[];
  readonly env: readonly string[];
}

/** What a step's key has to know of a mount. Throws MountWordError. */
export async function mountKey(mount: RunMount, facts: MountFacts): Promise<unknown> {
  const origin = mount.type === 'bind' ? mount : mount.type === 'cache' ? mount.origin : undefined;
  if (origin === undefined) return mount;
  const { sources, rules } = await mountSource(origin, facts);
  return [mount, digestSources(sources, rules, { owners: false })];
}

/** Throws MountWordError: a source or a required secret that is not there. */
export async function makeReady(wanted: readonly RunMount[], facts: MountFacts): Promise<ReadyMounts> {
  const held = new AsyncDisposableStack();
  const [mounts, env]: [BoundMount[], string[]] = [[], []];
  try {
    for (const mount of wanted) {
      if (mount.type === 'tmpfs')
        mounts.push({
          type: 'tmpfs',
          source: 'tmpfs',
          target: mount.target,
          // It begins empty, whatever the image has there.
          options: ['notmpcopyup', ...(mount.size === undefined ? [] : [`size=${mount.size}`])],
        });
      else if (mount.type === 'bind') mounts.push(await bound(mount, facts, held));
      else if (mount.type === 'cache') mounts.push(await cached(mount, facts, held));
      else if (mount.type === 'secret') secret(mount, facts, mounts, env);
      else agent(mount, facts, mounts, env);
    }
    return { mounts, env, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
}

type MountOf<T extends RunMount['type']> = Extract<RunMount, { readonly type: T }>;

async function mountSource({ source, from }: { readonly source: string; readonly from?: string | undefined }, { tree }: MountFacts) {
  const found = await tree(from);
  try {
    return { sources: treeSources(found, source.replaceAll(/[*?[\\]/g, '\\$&'), { parents: false }), rules: found.rules };
  } catch (error) {
    if (error instanceof MissingSource) throw new MountWordError(`${JSON.stringify(source)}: no such file or directory`);
    throw error;
  }
}

/** By an open descriptor: what it leads to cannot be swapped for something else. What is written to a writable one is thrown away. */
async function bound(mount: MountOf<'bind'>, facts: MountFacts, held: AsyncDisposableStack): Promise<BoundMount> {
  const { sources } = await mountSource(mount, facts);
  const { root, path } = sources[0]!;
  const fd = root.open(path === '' ? '.' : path, O_PATH);
  try {
    const isDirectory = fstatSync(fd).isDirectory();
    if (!mount.writable) {
      const bind = held.use(await facts.machine.bind(descriptorPath(fd), isDirectory ? 'directory' : 'file'));
      return { type: 'bind', source: bind.path, target: mount.target, options: ['ro'] };
    }
    if (!isDirectory) throw new MountWordError('only a directory can be bound for writing');
    const view = held.use(await facts.machine.overlay(descriptorPath(fd)));
    return { type: 'bind', source: view.path, target: mount.target, options: ['rw'] };
  } finally {
    closeSync(fd);
  }
}

/** One that begins with something is another one when that has changed. */
async function cached(mount: MountOf<'cache'>, facts: MountFacts, held: AsyncDisposableStack): Promise<BoundMount> {
  const { id, origin, target, sharing, readOnly } = mount;
  const directory = facts.machine.caches;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = origin === undefined ? undefined : await mountSource(origin, facts);
  const name = createHash('sha256').update(id);
  if (found !== undefined) name.update(`\0${digestSources(found.sources, found.rules, { owners: true })}`);
  const { path, lock } = await lockedCache(join(directory, name.digest('hex').slice(0, 32)), sharing);
  held.use(lock);
  const isNew = found === undefined ? mkdirSync(path, { recursive: true }) !== undefined : !existsSync(path) && fill(path, found, facts);
  if (isNew) {
    // For whoever lists them.
    writeFileSync(`${path}.lock`, id);
    giveTo(path, mount.uid, mount.gid);
    chmodSync(path, mount.mode);
  }
  return { type: 'bind', source: path, target, options: [readOnly ? 'ro' : 'rw'] };
}

/** A build that is killed meanwhile leaves no half of it. False: somebody else was first. */
function fill(path: string, { sources, rules }: Awaited<ReturnType<typeof mountSource>>, { machine }: MountFacts): boolean {
  const [source] = sources;
  if (source?.isDirectory !== true) throw new MountWordError('a cache can begin with a directory alone');
  const made = join(machine.scratch, `cache-${randomHex(8)}`);
  mkdirSync(made);
  const copy = new TreeCopy(Buffer.from(`${made}/`), (name) => name !== 'security.selinux');
  for (const { place, path: below, stat } of entriesOf(source, rules)) copy.add(place, Buffer.from(below, 'latin1'), stat);
  copy.finish();
  try {
    renameSync(made, path);
    return true;
  } catch (error) {
    if (!existsSync(path)) throw error;
    return false;
  }
}

/** Whoever prunes takes the lock alone, so a cache in use stays. */
async function lockedCache(
  path: string,
  sharing: MountOf<'cache'>['sharing'],
): Promise<{ readonly path: string; readonly lock: FileLock }> {
  if (sharing !== 'private') return { path, lock: await lockFile(`${path}.lock`, { mode: sharing === 'shared' ? 'shared' : 'exclusive' }) };
  for (let number = 0; ; number++) {
    const own = number === 0 ? path : `${path}-${number}`;
    const lock = tryLockFile(`${own}.lock`);
    if (lock !== undefined) return { path: own, lock };
  }
}

function secret(
  { id, target, env: variable, required, uid, gid, mode }: MountOf<'secret' | 'ssh'>,
  facts: MountFacts,
  mounts: BoundMount[],
  env: string[],
): void {
  const { machine, hidden } = facts;
  const content = hidden.secrets.get(id);
  if (content === undefined) {
    if (required) throw new MountWordError(`secret required but no secret with id ${id} found`);
    return;
  }
  if (variable !== undefined) env.push(`${variable}=${content.toString()}`);
  if (variable !== undefined && target === undefined) return;
  const path = join(machine.memory, `secret-${randomHex(8)}`);
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
  giveTo(path, uid, gid);
  chmodSync(path, mode);
  mounts.push({ type: 'bind', source: path, target: target ?? `/run/secrets/${id}`, options: ['ro'] });
}

function agent({ id, target, required }: MountOf<'secret' | 'ssh'>, { hidden }: MountFacts, mounts: BoundMount[], env: string[]): void {
  const socket = hidden.agents.get(id);
  if (socket === undefined) {
    if (required) throw new MountWordError(`ssh mount required but no agent with id ${id} found`);
    return;
  }
  const at = target ?? `/run/buildkit/ssh_agent.${mounts.length}`;
  env.push(`SSH_AUTH_SOCK=${at}`);
  mounts.push({ type: 'bind', source: socket, target: at, options: ['rw'] });
}
