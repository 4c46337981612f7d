/** A digest over all that a copy reads: names, kinds, modes, contents; not times, which a checkout changes. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, type BigIntStats } from 'node:fs';
import { createHash, hash, type Hash } from 'node:crypto';
import type { FileDigests, ReadFiles } from './files.ts';
import type { CopySource, TreeSource } from './sources.ts';
import { openParent } from './sources.ts';
import { walk, type WalkedEntry, type WalkRules } from './walk.ts';

const CHUNK_BYTES = 2 ** 20;

export interface DigestOptions {
  /** Those of the files count, too. */
  readonly owners: boolean;
  /** Gets what is read. */
  readonly read?: ReadFiles;
}

export function digestSources(sources: readonly CopySource[], rules: WalkRules, options: DigestOptions): string {
  const total = createHash('sha256');
  for (const source of sources) {
    if (source.kind === 'text') total.update(JSON.stringify(['text', source.name, hash('sha256', source.bytes)]));
    else if (source.kind === 'file') total.update(JSON.stringify(['file', source.name, source.digest]));
    else digestTree(total, source, rules, options);
  }
  return total.digest('hex');
}

/** Stores keep what older versions have made of the same sources: of archives, files with the owner of --chown. */
const KIND = { tree: 'tree', archive: 'archive with owners' } as const;

function digestTree(total: Hash, source: TreeSource, rules: WalkRules, { owners, read }: DigestOptions): void {
  const ownerOf = (stat: BigIntStats): number[] => (owners ? [Number(stat.uid), Number(stat.gid)] : []);
  const parents = source.parents.map(({ stat }) => [Number(stat.mode), ...ownerOf(stat)]);
  total.update(JSON.stringify([KIND[source.kind], source.name, source.asked, source.isDirectory, ...parents]));
  for (const entry of entriesOf(source, rules)) {
    const { stat, path, link } = entry;
    const content = stat.isFile() ? fileDigest(entry, source.digests, read) : (link?.toString('latin1') ?? Number(stat.rdev));
    total.update(JSON.stringify([path, Number(stat.mode), ...ownerOf(stat), content]));
  }
}

/** What is walked of a source; rules are about paths of the whole tree. */
export function* entriesOf(source: TreeSource, rules: WalkRules): Generator<WalkedEntry, void> {
  const { fd, name } = openParent(source.root, source.path);
  const whole = (path: string): string => Buffer.from(source.path === '' ? path : `${source.path}/${path}`, 'latin1').toString();
  try {
    yield* walk(fd, Buffer.from(name).toString('latin1'), {
      isLeftOut: (path) => rules.isLeftOut(whole(path)),
      mayHoldWanted: (path) => rules.mayHoldWanted(whole(path)),
    });
  } finally {
    closeSync(fd);
  }
}

function fileDigest({ place, stat }: WalkedEntry, digests: FileDigests | undefined, read: ReadFiles | undefined): string {
  const known = digests?.find(stat);
  if (known !== undefined) return known;
  const fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const opened = fstatSync(fd, { bigint: true });
    const digest = opened.size <= CHUNK_BYTES ? smallDigest(fd, opened, read) : largeDigest(fd);
    digests?.keep(opened, digest);
    return digest;
  } finally {
    closeSync(fd);
  }
}

function smallDigest(fd: number, stat: BigIntStats, read: ReadFiles | undefined): string {
  const bytes = readFileSync(fd);
  read?.keep(stat, bytes);
  return hash('sha256', bytes);
}

function largeDigest(fd: number): string {
  const content = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) content.update(chunk.subarray(0, count));
  return content.digest('hex');
}
