/**
 * A part of a context, or of the tree of a stage, walked without following a link: every directory is held open while it is read, so that
 * nobody can lead the walk elsewhere by swapping one.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { descriptorPath } from '../../host/root.ts';

export interface WalkedEntry {
  /** Below where the walk began; empty for that itself. */
  readonly path: string;
  /** Good while the entry is the one at hand: it leads through an open directory. */
  readonly place: Buffer;
  readonly stat: BigIntStats;
  readonly link?: Buffer;
}

export interface WalkRules {
  isLeftOut(path: string): boolean;
  /** May something below a directory that is left out be wanted all the same? */
  mayHoldWanted(path: string): boolean;
}

const MAX_DEPTH = 500;

/** `name` in the open directory `parent`, and all below it, a directory before what it holds, names in byte order. Names are latin1: a character for each byte. */
export function* walk(parent: number, name: string, rules: WalkRules): Generator<WalkedEntry, void> {
  yield* walkEntry(Buffer.from(`${descriptorPath(parent)}/${name}`, 'latin1'), '', rules, 0);
}

function* walkEntry(place: Buffer, path: string, rules: WalkRules, depth: number): Generator<WalkedEntry, void> {
  const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.isSocket()) return;
  const isLeftOut = path !== '' && rules.isLeftOut(path);
  if (!stat.isDirectory()) {
    if (isLeftOut) return;
    yield stat.isSymbolicLink() ? { path, place, stat, link: readlinkSync(place, { encoding: 'buffer' }) } : { path, place, stat };
    return;
  }
  if (depth > MAX_DEPTH || (isLeftOut && !rules.mayHoldWanted(path))) return;
  const fd = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (!isLeftOut) yield { path, place: Buffer.from(`${descriptorPath(fd)}/.`), stat: fstatSync(fd, { bigint: true }) };
    for (const child of readdirSync(descriptorPath(fd), { encoding: 'latin1' }).toSorted()) {
      const below = path === '' ? child : `${path}/${child}`;
      yield* walkEntry(Buffer.from(`${descriptorPath(fd)}/${child}`, 'latin1'), below, rules, depth + 1);
    }
  } finally {
    closeSync(fd);
  }
}
