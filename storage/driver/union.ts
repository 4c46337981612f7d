/** Overlay-format trees looked at as one, without mounting them: what overlayfs would show. `lowers` topmost first. */
import { readdirSync, type Stats } from 'node:fs';
import { isOpaque, isWhiteout, lstatOrNothing } from '../layer/whiteout.ts';

export interface UnionEntry {
  /** Where the entry really is. */
  readonly path: Buffer;
  readonly stat: Stats;
}

/** A directory of the union: the directories it is merged from, topmost first. */
export type UnionDirectory = readonly Buffer[];

/** Layers below one whose top is opaque are not seen; overlayfs itself does not look at that mark on the tops of its layers. */
export function visibleLowers(lowers: readonly string[]): readonly string[] {
  const opaque = lowers.findIndex((lower) => isOpaque(Buffer.from(`${lower}/.`)));
  return opaque === -1 ? lowers : lowers.slice(0, opaque + 1);
}

export function unionTop(lowers: readonly string[]): UnionDirectory {
  return visibleLowers(lowers).map((lower) => Buffer.from(`${lower}/.`));
}

/** The entry of that name as the union shows it, or undefined. */
export function lookUp(directory: UnionDirectory, name: Buffer): UnionEntry | undefined {
  for (const layer of directory) {
    const path = joinBytes(layer, name);
    const stat = lstatOrNothing(path);
    if (stat !== undefined) return isWhiteout(stat) ? undefined : { path, stat };
  }
  return undefined;
}

/** The directory of that name, merged from all layers that take part; empty when the union shows none there. */
export function descend(directory: UnionDirectory, name: Buffer): UnionDirectory {
  const merged: Buffer[] = [];
  for (const layer of directory) {
    const path = joinBytes(layer, name);
    const stat = lstatOrNothing(path);
    if (stat === undefined) continue;
    if (!stat.isDirectory()) break;
    merged.push(path);
    if (isOpaque(path)) break;
  }
  return merged;
}

/** Names the union shows in a directory, in byte order. */
export function namesIn(directory: UnionDirectory): Buffer[] {
  const names = new Map<string, Buffer>();
  for (const layer of directory) {
    for (const name of readdirSync(layer, { encoding: 'buffer' })) names.set(name.toString('latin1'), name);
  }
  return [...names.values()].filter((name) => lookUp(directory, name) !== undefined).toSorted((a, b) => a.compare(b));
}

export function joinBytes(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, SLASH, name]);
}

const SLASH = Buffer.from('/');
