/**
 * `cp`: files between containers, the host, and tar streams. Where things land is decided first, from the words and from what is there
 * (plan.ts); then the members of the source are put into the destination one by one, without a copy of the archive anywhere.
 */
import { closeSync, constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import { EngineError } from '../../../core/errors.ts';
import { O_PATH, Root } from '../../../host/root.ts';
import { placeMembers, type PlaceOptions } from '../../../storage/tree/place.ts';
import { packTree } from '../../../storage/tree/pack.ts';
import { readTar, type TarMember } from '../../../storage/tar/read.ts';
import { tarBytes } from '../../../storage/tar/stream.ts';
import type { TarEntry } from '../../../storage/tar/entry.ts';
import { outsideId } from '../../spec/userns.ts';
import { userIn } from '../in-root.ts';
import { planDestination, planSource, type CopySide, type Landing, type Picked } from './plan.ts';
import { bytes, type CopyTree } from './tree.ts';

export interface CopyOptions {
  /** What lands in a container belongs to its user; else owners stay. */
  readonly chown: boolean;
  readonly overwriteKinds: boolean;
}

/** Throws NO_SUCH_CONTAINER, INVALID_ARGUMENT (paths that are not there or of the wrong kind), SYSCALL, STORE_FULL. */
export async function copyBetween(from: CopySide, to: CopySide, options: CopyOptions): Promise<void> {
  const picked = planSource(from);
  const landing = planDestination(to, picked);
  await place(to.tree, landing, renamed(pack(from.tree, landing.whole ?? picked), landing), options);
}

/** The archive of `cp CONTAINER:PATH -`. */
export function copyToStream(from: CopySide): AsyncIterable<Buffer> {
  return tarBytes(pack(from.tree, planSource(from)));
}

/** `cp - CONTAINER:PATH`: a tar, plain or compressed. Throws INVALID_ARGUMENT, IMAGE_CORRUPT. */
export async function copyFromStream(input: Readable, to: CopySide, options: CopyOptions): Promise<void> {
  const found = to.tree.follow(to.path);
  if (found.stat?.isDirectory() !== true)
    throw new EngineError('INVALID_ARGUMENT', 'destination must be a directory when copying from stdin');
  const archive = await openArchive(input);
  await place(to.tree, { directory: found.path }, readTar(archive as AsyncIterable<Buffer>), options);
}

function pack(tree: CopyTree, { path, contents }: Picked): AsyncGenerator<TarMember, void> {
  return packFrom(tree, path, contents);
}

async function* packFrom(tree: CopyTree, path: string, contents: boolean): AsyncGenerator<TarMember, void> {
  const { root, path: within } = tree.locate(path);
  const parent = root.open(bytes(dirname(within)), O_PATH | constants.O_DIRECTORY);
  const isTop = within === '/';
  try {
    yield* packTree(parent, isTop ? Buffer.from('.') : bytes(basename(within)), contents ? Buffer.alloc(0) : bytes(basename(path)), {
      ...(tree.record === undefined ? {} : { owner: ownerOf(tree) }),
      skipUnreadable: tree.live && tree.record !== undefined,
      ...(path === '/' ? { leaveOut: KERNEL_DIRECTORIES } : {}),
    });
  } finally {
    closeSync(parent);
  }
}

/** What the runtime mounts anew in every container. */
const KERNEL_DIRECTORIES = ['dev', 'proc', 'sys'];

/** The first part of every name, and of every hard link's target, becomes another. */
async function* renamed(members: AsyncIterable<TarMember>, { rename }: Landing): AsyncGenerator<TarMember, void> {
  for await (const { entry, body } of members) {
    if (rename === undefined) yield { entry, body };
    else yield { entry: { ...entry, path: renamedPath(entry.path, rename), ...linkOf(entry, rename) }, body };
  }
}

function linkOf(entry: TarEntry, name: string): { linkPath?: Buffer } {
  return entry.type === 'hardlink' ? { linkPath: renamedPath(entry.linkPath, name) } : {};
}

function renamedPath(path: Buffer, name: string): Buffer {
  const slash = path.indexOf(0x2f);
  return slash === -1 ? bytes(name) : Buffer.concat([bytes(name), path.subarray(slash)]);
}

async function place(tree: CopyTree, landing: Landing, members: AsyncIterable<TarMember>, options: CopyOptions): Promise<void> {
  const placing: PlaceOptions = {
    owner: ownerFor(tree, options),
    overwriteKinds: options.overwriteKinds,
    skipDevices: tree.record === undefined,
  };
  const where = tree.record === undefined ? 'host' : 'container';
  try {
    if (tree.record !== undefined) {
      const { root, path } = tree.locate(landing.directory);
      return await placeMembers(root, path, members, placing);
    }
    // On the host nothing is ever put outside of the directory that was named, whatever links lie in it.
    using root = new Root(Buffer.from(landing.directory, 'latin1').toString('utf8'));
    await placeMembers(root, '/', members, placing);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `copying to ${where}: ${error.message}`, { cause: error });
  }
}

function ownerFor(tree: CopyTree, { chown }: CopyOptions): PlaceOptions['owner'] {
  if (tree.record === undefined) return () => ({ uid: process.getuid!(), gid: process.getgid!() });
  if (chown) {
    const owner = ownerOf(tree);
    return () => owner;
  }
  const { idMap } = tree.record.config;
  return ({ uid, gid }) => ({ uid: outsideId(uid, idMap?.uids), gid: outsideId(gid, idMap?.gids) });
}

/** The container's user, as lichen's own user namespace counts ids. */
function ownerOf(tree: CopyTree): { readonly uid: number; readonly gid: number } {
  const { config } = tree.record!;
  const { uid, gid } = userIn(tree.locate('/').root, config);
  return { uid: outsideId(uid, config.idMap?.uids), gid: outsideId(gid, config.idMap?.gids) };
}

async function openArchive(input: Readable): Promise<Readable> {
  const { decompress, detectCompression, MAGIC_BYTES } = await import('../../../storage/transport/compression.ts');
  const iterator = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < Math.max(MAGIC_BYTES, TAR_MAGIC_END)) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  const compression = detectCompression(head);
  if (compression === undefined && !isTar(head))
    throw new EngineError('INVALID_ARGUMENT', 'source must be a (compressed) tar archive when copying from stdin');
  const whole = Readable.from(
    (async function* () {
      yield head;
      yield* { [Symbol.asyncIterator]: () => iterator };
    })(),
    { objectMode: false },
  );
  return decompress(whole, compression);
}

const TAR_MAGIC_END = 262;

function isTar(head: Buffer): boolean {
  return head.length >= TAR_MAGIC_END && head.toString('latin1', 257, TAR_MAGIC_END) === 'ustar';
}
