/** Sources with wildcards: Go's filepath.Match, one part of the path after the other. */
import { closeSync, constants, readdirSync } from 'node:fs';
import { errnoOf } from '../../host/libc.ts';
import { descriptorPath, O_PATH, type Root } from '../../host/root.ts';

export function isGlob(path: string): boolean {
  return /[*?[\\]/.test(path);
}

/** Paths below the root that match, in byte order. */
export function glob(root: Root, pattern: string): string[] {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  return parts.reduce<string[]>((found, part) => found.flatMap((directory) => matchesIn(root, directory, part)), ['']);
}

function matchesIn(root: Root, directory: string, part: string): string[] {
  const join = (name: string): string => (directory === '' ? name : `${directory}/${name}`);
  if (!isGlob(part)) return [join(part)];
  const expression = new RegExp(`^${partExpression(part)}$`, 'su');
  return namesIn(root, directory)
    .filter((name) => expression.test(name))
    .map(join);
}

function namesIn(root: Root, directory: string): string[] {
  let fd: number;
  try {
    fd = root.open(directory === '' ? '.' : directory, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
  try {
    return readdirSync(descriptorPath(fd)).toSorted();
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
