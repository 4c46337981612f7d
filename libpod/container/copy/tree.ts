/** The two kinds of file trees a copy goes between, behind one face: the host's, and a container's as its processes see it or would see it. */
import { closeSync, constants, existsSync, fstatSync, lstatSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EngineError } from '../../../core/errors.ts';
import { errnoOf, ERRNO } from '../../../host/libc.ts';
import { descriptorPath, O_PATH, Root } from '../../../host/root.ts';
import type { Engine } from '../../engine.ts';
import type { ContainerMount } from '../../spec/container.ts';
import type { ContainerRecord } from '../../state/containers.ts';
import { lockAndRead } from '../lock.ts';
import { volumeData } from '../places.ts';
import { holdRoot, type HeldRoot } from '../hold.ts';

/** Paths are absolute latin1 strings, one character per byte, so that names that are no UTF-8 pass through. */
export interface CopyTree extends AsyncDisposable {
  /** Set for a container. */
  readonly record?: ContainerRecord;
  /** Files may come and go, and be closed to us, while we look. */
  readonly live: boolean;
  /** The path with all links followed; `stat` is absent where it leads to nothing. */
  follow(path: string): Followed;
  /** The tree that a path lies in, and the path within it. */
  locate(path: string): { readonly root: Root; readonly path: string };
}

export interface Followed {
  readonly path: string;
  readonly stat: Stats | undefined;
}

/** Links are followed as everywhere on the host. */
export function hostTree(): CopyTree {
  const root = new Root('/');
  return {
    live: true,
    follow: (path) => followIn(path, (at) => ({ root, path: at })),
    locate: (path) => ({ root, path }),
    [Symbol.asyncDispose]: async () => root[Symbol.dispose](),
  };
}

/**
 * A running or paused container is looked at through its first process, so tmpfs, volumes and binds are as it sees them. One at rest is mounted
 * and locked for as long as the tree is open; its volumes and binds are found by their targets, what a tmpfs hides is not hidden.
 * Throws NO_SUCH_CONTAINER.
 */
export async function containerTree(engine: Engine, given: ContainerRecord): Promise<CopyTree> {
  const { lock, record } = await lockAndRead(engine, given.id);
  let held: HeldRoot | undefined;
  try {
    const process =
      record.status === 'running' || record.status === 'paused' || record.status === 'initialized' ? record.process : undefined;
    if (process) {
      const root = new Root(`/proc/${process.pid}/root`);
      lock[Symbol.dispose]();
      return new ContainerTree(record, root, [], true, async () => undefined);
    }
    const opened = (held = await holdRoot(engine, record));
    const root = new Root(opened.path);
    const mounts = await openMounts(engine, record);
    return new ContainerTree(record, root, mounts, false, async () => {
      await opened[Symbol.asyncDispose]();
      await closeMounts(engine, record);
      lock[Symbol.dispose]();
    });
  } catch (error) {
    await held?.[Symbol.asyncDispose]();
    lock[Symbol.dispose]();
    throw error;
  }
}

interface OpenMount {
  readonly target: string;
  readonly root: Root;
  /** For a mount of a single file: its name in `root`. */
  readonly file?: string;
}

class ContainerTree implements CopyTree {
  readonly record: ContainerRecord;
  readonly live: boolean;
  readonly #root: Root;
  readonly #mounts: readonly OpenMount[];
  readonly #close: () => Promise<void>;

  constructor(record: ContainerRecord, root: Root, mounts: readonly OpenMount[], live: boolean, close: () => Promise<void>) {
    this.record = record;
    this.live = live;
    this.#root = root;
    this.#mounts = mounts;
    this.#close = close;
  }

  follow(path: string): Followed {
    return followIn(path, (at) => this.locate(at));
  }

  locate(path: string): { readonly root: Root; readonly path: string } {
    const held = this.#mounts.filter(({ target }) => path === target || path.startsWith(`${target}/`));
    const mount = held.toSorted((a, b) => b.target.length - a.target.length)[0];
    if (mount === undefined) return { root: this.#root, path };
    return { root: mount.root, path: mount.file ?? (path.slice(mount.target.length) || '/') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { root } of this.#mounts) root[Symbol.dispose]();
    this.#root[Symbol.dispose]();
    await this.#close();
  }
}

async function openMounts(engine: Engine, record: ContainerRecord): Promise<OpenMount[]> {
  const open: OpenMount[] = [];
  for (const mount of record.config.mounts) {
    const source = await sourceOf(engine, mount);
    if (source === undefined || !existsSync(source)) continue;
    const target = latin1(mount.target).replace(/\/+$/, '');
    if (statSync(source).isDirectory()) open.push({ target, root: new Root(source) });
    else open.push({ target, root: new Root(dirname(source)), file: `/${latin1(basename(source))}` });
  }
  return open;
}

/** Undefined for what is only there while the container runs. */
async function sourceOf(engine: Engine, mount: ContainerMount): Promise<string | undefined> {
  if (mount.options.includes('O')) return undefined;
  if (mount.type === 'bind') return mount.source;
  if (mount.type !== 'volume') return undefined;
  const volume = engine.volumes.get(mount.name);
  // The first start would fill it; until then the image's files are what the container is going to see.
  if (volume === undefined || volume.needsCopyUp) return undefined;
  const { mountVolume } = await import('../../volume/mount.ts');
  await mountVolume(engine, volume);
  const data = volumeData(engine, mount.name);
  return mount.subpath === undefined ? data : `${data}/${mount.subpath}`;
}

async function closeMounts(engine: Engine, record: ContainerRecord): Promise<void> {
  if (!record.config.mounts.some(({ type }) => type === 'volume')) return;
  const { unmountVolumesOf } = await import('../../volume/mount.ts');
  await unmountVolumesOf(engine, record.id);
}

const MAX_LINKS = 40;

/**
 * Where a path leads inside a tree. The answer is only a name: whoever opens it does so inside the tree again, so it does no harm
 * when links change in between.
 */
function followIn(path: string, locate: (path: string) => { root: Root; path: string }): Followed {
  const left = path.split('/').filter((part) => part !== '' && part !== '.');
  let at = '';
  let stat: Stats | undefined = statOfTop(locate('/').root);
  for (let links = 0; left.length > 0;) {
    const name = left.shift()!;
    if (name === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const found = look(locate, at, name);
    if (found === undefined) return nothingAt(`${at}/${name}`, left);
    if (found.target !== undefined) {
      if (++links > MAX_LINKS) throw new EngineError('INVALID_ARGUMENT', 'too many levels of symbolic links');
      left.unshift(...found.target.split('/').filter((part) => part !== '' && part !== '.'));
      if (found.target.startsWith('/')) at = '';
      stat = undefined;
      continue;
    }
    at = `${at}/${name}`;
    stat = found.stat;
    if (left.length > 0 && !stat.isDirectory()) return nothingAt(at, left);
  }
  return { path: at === '' ? '/' : at, stat: stat ?? look(locate, dirname(at), basename(at))?.stat ?? statOfTop(locate('/').root) };
}

function nothingAt(path: string, left: readonly string[]): Followed {
  return { path: [path, ...left].join('/'), stat: undefined };
}

function look(
  locate: (path: string) => { root: Root; path: string },
  directory: string,
  name: string,
): { readonly stat: Stats; readonly target?: string } | undefined {
  const whole = locate(`${directory}/${name}`);
  if (whole.path === '/') return { stat: statOfTop(whole.root) };
  try {
    const parent = whole.root.open(bytes(dirname(whole.path)), O_PATH | constants.O_DIRECTORY);
    try {
      const path = bytes(`${descriptorPath(parent)}/${basename(whole.path)}`);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      return stat.isSymbolicLink() ? { stat, target: readlinkSync(path, { encoding: 'latin1' }) } : { stat };
    } finally {
      closeSync(parent);
    }
  } catch (error) {
    const number = errnoOf(error);
    if (number === ERRNO.ENOENT || number === ERRNO.ENOTDIR) return undefined;
    throw error;
  }
}

function statOfTop(root: Root): Stats {
  return fstatSync(root.fd);
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
