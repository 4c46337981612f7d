/** What is wrong with a stored layer: its files against its record and digest, and what the record cannot tell, the shape of its tree. */
import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { TarParser } from '../tar/parser.ts';
import type { TarEntry } from '../tar/entry.ts';
import { assembleTar } from './assemble.ts';
import { bytesOf, TreeDirectories } from './directories.ts';
import { cleanPath, parseWhiteout } from './entry-path.ts';
import { join } from 'node:path';
import { TREE } from './places.ts';
import { lstatOrNothing } from './whiteout.ts';

/**
 * Reads the whole layer once. Empty when all is well. A changed byte of a file or of the record shows in the digest; a directory, link or empty
 * file that is gone, or has become something else, is told by name. Modes, owners, times and surplus files are not looked at.
 */
export async function examineLayer(layerDirectory: string, diffId: Digest): Promise<readonly string[]> {
  const shape = new Shape();
  const hash = createHash('sha256');
  const parser = new TarParser({ entry: (entry) => shape.add(entry), body: () => undefined, end: () => undefined });
  try {
    for await (const chunk of assembleTar(layerDirectory)) {
      hash.update(chunk as Buffer);
      parser.write(chunk as Buffer);
    }
    parser.finish();
  } catch (error) {
    if (error instanceof EngineError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [(error as Error).message];
    throw error;
  }
  const actual = digestFromHex(hash.digest('hex'));
  if (actual !== diffId) return [`its files do not give the original any more: expected ${diffId}, got ${actual}`];
  return shape.problemsIn(join(layerDirectory, TREE));
}

type Shown = Pick<TarEntry, 'type' | 'linkPath'>;

/** The tree that the entries of a tar make: path to what is there at the end. Paths are latin1, a character for each byte. */
class Shape {
  readonly #entries = new Map<string, Shown & { readonly directory: string; readonly name: string }>();

  add(entry: TarEntry): void {
    const { directory, name } = cleanPath(entry.path);
    if (name === '' || parseWhiteout(entry, name)) return;
    const path = directory === '' ? name : `${directory}/${name}`;
    const before = this.#entries.get(path);
    if (before?.type === 'directory' && entry.type !== 'directory') this.#dropBelow(path);
    this.#entries.set(path, { type: entry.type, linkPath: entry.linkPath, directory, name });
  }

  problemsIn(tree: string): readonly string[] {
    using directories = new TreeDirectories(tree);
    const problems: string[] = [];
    for (const entry of this.#entries.values()) {
      const problem = problemOf(directories, entry);
      if (problem === undefined) continue;
      problems.push(`${bytesOf(`${entry.directory}/${entry.name}`.replace(/^\//, '')).toString()}: ${problem}`);
      if (problems.length >= MOST_TOLD) break;
    }
    return problems;
  }

  #dropBelow(path: string): void {
    for (const other of this.#entries.keys()) if (other.startsWith(`${path}/`)) this.#entries.delete(other);
  }
}

/** A layer in ruins need not be told file by file. */
const MOST_TOLD = 10;

function problemOf(directories: TreeDirectories, entry: Shown & { readonly directory: string; readonly name: string }): string | undefined {
  // Devices and the like may not have been made here.
  if (!['file', 'hardlink', 'symlink', 'directory'].includes(entry.type)) return undefined;
  let path: Buffer;
  try {
    path = bytesOf(directories.find(entry.directory).prefix + entry.name);
  } catch (error) {
    if (isEngineError(error, 'SYSCALL')) return 'its directory is gone';
    throw error;
  }
  const stat = lstatOrNothing(path);
  if (stat === undefined) return 'it is gone';
  if (entry.type === 'symlink') {
    const isSame = stat.isSymbolicLink() && readlinkSync(path, { encoding: 'buffer' }).equals(entry.linkPath);
    return isSame ? undefined : 'it is another link';
  }
  if (entry.type === 'directory') return stat.isDirectory() || stat.isSymbolicLink() ? undefined : 'it is no directory';
  if (entry.type === 'file') return stat.isFile() ? undefined : 'it is no file';
  return undefined;
}
