/** The members of the layer that a copy makes. */
import { closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { fileTime } from '../../host/times.ts';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import { emptyEntry, NO_XATTRS, type TarEntry, type TarTime } from '../../storage/tar/entry.ts';
import { noBody, type TarMember } from '../../storage/tar/read.ts';
import { deviceOf } from '../../storage/tree/copy.ts';
import { archiveMembers } from './archive.ts';
import { Destination, directoryEntry } from './destination.ts';
import { entriesOf } from './digest.ts';
import type { ReadFiles } from './files.ts';
import type { ModeChange } from './mode.ts';
import type { CopySource, TreeSource } from './sources.ts';
import type { WalkedEntry, WalkRules } from './walk.ts';

export interface CopyRequest {
  readonly sources: readonly CopySource[];
  readonly rules: WalkRules;
  readonly destination: Destination;
  /** Absolute; what ends with a slash is a directory. */
  readonly to: string;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Without an `owner`: files keep theirs. Else they are root's. */
  readonly keepOwners: boolean;
  readonly mode?: ModeChange | undefined;
  readonly parents: boolean;
  readonly now: TarTime;
  /** Files that were read already. */
  readonly read?: ReadFiles | undefined;
}

const CHUNK_BYTES = 2 ** 20;

/** Throws INVALID_ARGUMENT. The bodies must be read in order, each before the next member is asked for. */
export async function* copyMembers(request: CopyRequest): AsyncGenerator<TarMember, void> {
  const { sources, destination, to, parents } = request;
  const base = to.replace(/^\/+|\/+$/g, '');
  const intoDirectory = to.endsWith('/') || sources.length > 1 || destination.isDirectory(base);
  for (const source of sources) {
    const isTree = source.kind === 'tree' || source.kind === 'archive';
    const under = parents && isTree ? joined(base, source.asked) : base;
    if (isTree) yield* parentMembers(request, source, base);
    if (source.kind === 'archive') yield* archiveMembers(source, directoryTarget(request, base), request);
    else if (source.kind === 'tree' && source.isDirectory) yield* treeMembers(request, source, under);
    else if (parents && isTree) yield* fileMembers(request, source, under);
    else yield* fileMembers(request, source, intoDirectory ? joined(base, source.name) : base);
  }
}

/** The directories of `--parents` become like those of the source, as those of a tree that is copied do. */
function* parentMembers(request: CopyRequest, source: TreeSource, base: string): Generator<TarMember, void> {
  const { destination } = request;
  for (const { path, stat } of source.parents) {
    const target = directoryTarget(request, joined(base, path));
    yield* bare(destination.above(target));
    for (const entry of destination.directory(target)) yield { entry: { ...entry, ...attributes(request, { stat }) }, body: noBody() };
  }
}

function* treeMembers(request: CopyRequest, source: TreeSource, under: string): Generator<TarMember, void> {
  const { destination } = request;
  const top = directoryTarget(request, under);
  yield* bare(destination.above(top));
  /** Directories of the source, and where they really are. */
  const places = new Map<string, string>([['', top]]);
  for (const entry of entriesOf(source, request.rules)) {
    if (entry.path === '') {
      yield* bare(destination.directory(top));
      continue;
    }
    const parent = posix.dirname(entry.path);
    const known = places.get(parent === '.' ? '' : parent);
    const directory = known ?? joined(top, parent);
    if (known === undefined) yield* bare(destination.above(`${directory}/x`));
    const target = joined(directory, posix.basename(entry.path));
    if (entry.stat.isDirectory()) {
      const found = destination.find(Buffer.from(target, 'latin1').toString());
      const real = found?.stat.isDirectory() === true ? Buffer.from(found.path).toString('latin1') : target;
      places.set(entry.path, real);
      destination.tell(real);
      yield { entry: directoryEntry(real, attributes(request, entry)), body: noBody() };
    } else yield* walkedMember(request, entry, target);
  }
}

function* fileMembers(request: CopyRequest, source: CopySource, under: string): Generator<TarMember, void> {
  const { destination } = request;
  const resolved = destination.resolveEntry(under);
  if (destination.isDirectory(resolved))
    throw new EngineError('INVALID_ARGUMENT', `cannot overwrite the directory /${resolved} with a file`);
  yield* bare(destination.above(resolved));
  const target = Buffer.from(resolved).toString('latin1');
  if (source.kind === 'tree' || source.kind === 'archive') {
    for (const entry of entriesOf(source, { isLeftOut: () => false, mayHoldWanted: () => false }))
      yield* walkedMember(request, entry, target);
    return;
  }
  const { uid, gid } = request.owner ?? { uid: 0, gid: 0 };
  const fresh = { ...emptyEntry('file', target), uid, gid, mtime: request.now };
  if (source.kind === 'text') {
    const entry = { ...fresh, mode: changedMode(request, 0o644, false), sizeBytes: source.bytes.length };
    yield { entry, body: only(source.bytes) };
    return;
  }
  const { size, mtimeMs } = statSync(source.path);
  const mtime = { seconds: Math.floor(mtimeMs / 1000), nanoseconds: 0 };
  yield {
    entry: { ...fresh, mtime, mode: changedMode(request, 0o600, false), sizeBytes: size },
    body: contentOf(Buffer.from(source.path), size),
  };
}

function directoryTarget({ destination }: CopyRequest, path: string): string {
  const resolved = destination.resolve(path);
  if (resolved !== '' && destination.find(resolved) !== undefined && !destination.isDirectory(resolved))
    throw new EngineError('INVALID_ARGUMENT', `cannot copy a directory to /${resolved}: a file is there`);
  return Buffer.from(resolved).toString('latin1');
}

function* walkedMember(request: CopyRequest, entry: WalkedEntry, target: string): Generator<TarMember, void> {
  const { stat, link, place } = entry;
  const own = { ...emptyEntry(kindOf(entry), target), ...attributes(request, entry) };
  if (link !== undefined) yield { entry: { ...own, linkPath: link }, body: noBody() };
  else if (stat.isFile()) {
    const [bytes, xattrs] = [request.read?.find(stat), xattrsOf(place)];
    if (bytes !== undefined) yield { entry: { ...own, sizeBytes: bytes.length, xattrs }, body: only(bytes) };
    else yield { entry: { ...own, sizeBytes: Number(stat.size), xattrs }, body: contentOf(place, Number(stat.size)) };
  } else yield { entry: { ...own, device: deviceOf(stat.rdev) }, body: noBody() };
}

function kindOf({ stat, link }: WalkedEntry): TarEntry['type'] {
  if (link !== undefined) return 'symlink';
  if (stat.isFile()) return 'file';
  if (stat.isFIFO()) return 'fifo';
  return stat.isBlockDevice() ? 'block' : 'char';
}

function attributes(
  request: CopyRequest,
  { stat, link }: Pick<WalkedEntry, 'stat' | 'link'>,
): Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime'> {
  const { owner, keepOwners } = request;
  const { uid, gid } = owner ?? (keepOwners ? { uid: Number(stat.uid), gid: Number(stat.gid) } : { uid: 0, gid: 0 });
  const mode = Number(stat.mode & 0o7777n);
  return { uid, gid, mode: link === undefined ? changedMode(request, mode, stat.isDirectory()) : 0o777, mtime: fileTime(stat.mtimeNs) };
}

function changedMode({ mode: change }: CopyRequest, mode: number, isDirectory: boolean): number {
  return change === undefined ? mode : change(mode, isDirectory);
}

function xattrsOf(place: Buffer): ReadonlyMap<string, Buffer> {
  const names = listXattrs(place).filter(
    (name) => name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.')),
  );
  if (names.length === 0) return NO_XATTRS;
  return new Map(
    names.flatMap((name) => [[name, getXattr(place, name)] as const]).filter((pair): pair is [string, Buffer] => pair[1] !== undefined),
  );
}

function* bare(entries: Iterable<TarEntry>): Generator<TarMember, void> {
  for (const entry of entries) yield { entry, body: noBody() };
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

/** Exactly `sizeBytes`: a file that grows meanwhile is cut there, one that shrinks is an error. */
async function* contentOf(place: Buffer, sizeBytes: number): AsyncGenerator<Buffer, void> {
  const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (sizeBytes <= CHUNK_BYTES) {
      const bytes = readFileSync(fd);
      if (bytes.length < sizeBytes) throw shorter();
      yield bytes.subarray(0, sizeBytes);
      return;
    }
    for (let left = sizeBytes; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
      const count = readSync(fd, chunk);
      if (count === 0) throw shorter();
      left -= count;
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

function shorter(): EngineError {
  return new EngineError('WRONG_STATE', 'a file of the build context became shorter while it was copied');
}

function joined(directory: string, name: string): string {
  return directory === '' ? name : name === '' ? directory : `${directory}/${name}`;
}
