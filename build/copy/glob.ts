/** Sources with wildcards: Go's filepath.Match, one part of the path after the other; `**` stands for any number of directories, none too. */
import { closeSync, constants, readdirSync, type Dirent } from 'node:fs';
import { errnoOf } from '../../host/libc.ts';
import { descriptorPath, O_PATH, type Root } from '../../host/root.ts';

export function isGlob(path: string): boolean {
  return /[*?[\\]/.test(path);
}

export interface GlobPlace {
  readonly root: Root;
  /** The directory that the pattern is below, relative to the root; empty for the root itself. */
  readonly from: string;
  /** Is `**` to look into a directory? */
  readonly enters: (directory: string) => boolean;
}

const MAX_DEPTH = 500;

/** Paths below the root that match, each once, in byte order for each part of the pattern. */
export function glob(place: GlobPlace, pattern: string): readonly string[] {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  return parts.reduce<readonly string[]>(
    (found, part) => [
      ...new Set(found.flatMap((directory) => (part === '**' ? [...treeOf(place, directory, 0)] : matchesIn(place.root, directory, part)))),
    ],
    [place.from],
  );
}

/** A directory and all below it; links are not followed. */
function* treeOf(place: GlobPlace, directory: string, depth: number): Generator<string, void> {
  yield directory;
  if (depth === MAX_DEPTH) return;
  for (const entry of entriesIn(place.root, directory)) {
    const below = joined(directory, entry.name);
    if (entry.isDirectory() && place.enters(below)) yield* treeOf(place, below, depth + 1);
  }
}

function matchesIn(root: Root, directory: string, part: string): string[] {
  if (!isGlob(part)) return [joined(directory, part)];
  const expression = new RegExp(`^${partExpression(part)}$`, 'su');
  return entriesIn(root, directory)
    .filter(({ name }) => expression.test(name))
    .map(({ name }) => joined(directory, name));
}

function joined(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function entriesIn(root: Root, directory: string): Dirent[] {
  let fd: number;
  try {
    fd = root.open(directory === '' ? '.' : directory, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
  try {
    return readdirSync(descriptorPath(fd), { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    closeSync(fd);
  }
}

function partExpression(part: string): string {
  return part.replaceAll(/\*|\?|\[[!^]?[^\]]+\]|\\.|[^]/g, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (token.length > 2 && token.startsWith('[')) return token.replace(/^\[[!^]/, '[^');
    const literal = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
    return /[\^$\\.*+?()[\]{}|/]/.test(literal) ? `\\${literal}` : literal;
  });
}
