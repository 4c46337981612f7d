import { readdirSync, type Stats } from 'node:fs';
import { hiddenByName, isOpaque, isWhiteout, lstatOrNothing } from '../layer/whiteout.ts';
import type { Change } from './driver.ts';
import { descend, joinBytes, lookUp, namesIn, unionTop, type UnionDirectory } from './union.ts';

/**
 * What an overlay upper directory changes of the layers below it, in byte order of the paths, a directory before what it holds.
 * A directory that is only there because something in it changed counts as changed, as Podman lists it.
 */
export function* overlayChanges(upper: string, lowers: readonly string[]): Generator<Change, void> {
  yield* upperChanges(Buffer.from(`${upper}/.`), unionTop(lowers), Buffer.alloc(0));
}

/**
 * What differs between two roots, each made of directories in overlay format, topmost first; one plain tree is such a root too.
 * Of a directory that is gone only itself is told.
 */
export function* unionChanges(directories: readonly string[], below: readonly string[]): Generator<Change, void> {
  yield* comparedChanges(unionTop(directories), unionTop(below), Buffer.alloc(0));
}

function* upperChanges(directory: Buffer, below: UnionDirectory, prefix: Buffer): Generator<Change, void> {
  for (const name of sortedNames(directory)) {
    const hidden = hiddenByName(name);
    if (hidden !== undefined) {
      if (hidden.length > 0 && lookUp(below, hidden) !== undefined) yield { kind: 'D', path: joinBytes(prefix, hidden) };
      continue;
    }
    const path = joinBytes(prefix, name);
    const own = joinBytes(directory, name);
    const stat = lstatOrNothing(own);
    if (stat === undefined) continue;
    const lower = lookUp(below, name);
    if (isWhiteout(stat)) {
      if (lower !== undefined) yield { kind: 'D', path };
      continue;
    }
    if (!stat.isDirectory()) {
      yield { kind: lower === undefined ? 'A' : 'C', path };
      continue;
    }
    const lowerDirectory = descend(below, name);
    const replaces = lowerDirectory.length > 0 && isOpaque(own);
    const inside = [...upperChanges(own, replaces ? [] : lowerDirectory, path)];
    if (lower === undefined) yield { kind: 'A', path };
    else if (replaces || inside.length > 0 || differs(stat, lower.stat)) yield { kind: 'C', path };
    if (replaces) yield* lostNames(own, lowerDirectory, path);
    yield* inside;
  }
}

function* lostNames(directory: Buffer, below: UnionDirectory, prefix: Buffer): Generator<Change, void> {
  for (const name of namesIn(below)) {
    if (lstatOrNothing(joinBytes(directory, name)) === undefined) yield { kind: 'D', path: joinBytes(prefix, name) };
  }
}

function* comparedChanges(directory: UnionDirectory, below: UnionDirectory, prefix: Buffer): Generator<Change, void> {
  const names = new Map([...namesIn(below), ...namesIn(directory)].map((name) => [name.toString('latin1'), name]));
  for (const name of [...names.values()].toSorted((a, b) => a.compare(b))) {
    const path = joinBytes(prefix, name);
    const own = lookUp(directory, name);
    const lower = lookUp(below, name);
    if (own === undefined) {
      yield { kind: 'D', path };
      continue;
    }
    const inside = own.stat.isDirectory() ? [...comparedChanges(descend(directory, name), descend(below, name), path)] : [];
    if (lower === undefined) yield { kind: 'A', path };
    else if (inside.length > 0 || differs(own.stat, lower.stat)) yield { kind: 'C', path };
    yield* inside;
  }
}

/** Directory times and sizes say nothing: making and removing a file changes them. */
function differs(a: Stats, b: Stats): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return true;
  return !a.isDirectory() && (a.size !== b.size || a.mtimeMs !== b.mtimeMs);
}

function sortedNames(directory: Buffer): Buffer[] {
  return readdirSync(directory, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b));
}
