/** What COPY and ADD take: parts of a tree, texts of the Dockerfile, files that were downloaded, archives to unpack. */
import { closeSync, constants, fstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import { ERRNO, errnoOf } from '../../host/libc.ts';
import { descriptorPath, O_PATH, type Root } from '../../host/root.ts';
import type { FileDigests } from './files.ts';
import { glob, isGlob } from './glob.ts';
import type { WalkRules } from './walk.ts';

export type CopySource = TreeSource | TextSource | FileSource;

export interface TreeSource {
  readonly kind: 'tree' | 'archive';
  readonly root: Root;
  /** Links on the way and at the end are followed: relative to the root, empty for the root itself. */
  readonly path: string;
  /** The last part of what was asked for. */
  readonly name: string;
  /** As it was asked for, without the part before `/./`: where `--parents` puts it. */
  readonly asked: string;
  readonly isDirectory: boolean;
  /** For `--parents`: the directories above it from the top of `asked` on. */
  readonly parents: readonly ParentDirectory[];
  readonly digests?: FileDigests | undefined;
}

export interface ParentDirectory {
  /** As a part of `asked`. */
  readonly path: string;
  readonly stat: BigIntStats;
}

export interface TextSource {
  readonly kind: 'text';
  readonly name: string;
  readonly bytes: Buffer;
}

/** A file of ours. */
export interface FileSource {
  readonly kind: 'file';
  readonly name: string;
  readonly path: string;
  readonly digest: string;
}

/** Where the sources of a step are looked for. */
export interface SourceTree {
  readonly root: Root;
  /** Of the whole tree: paths are relative to its root. */
  readonly rules: WalkRules;
  /** Known from builds before. */
  readonly digests?: FileDigests | undefined;
}

export class MissingSource extends Error {}

/** Those that a word means. A path that climbs out of the tree stays at its root. `parents`: they are wanted, too. Throws MissingSource. */
export function treeSources(tree: SourceTree, word: string, { parents }: { readonly parents: boolean }): TreeSource[] {
  const pivotAt = word.indexOf('/./');
  const tops = pivotAt < 0 ? [''] : found(tree, '', word.slice(0, pivotAt));
  const sources = tops.flatMap((top) =>
    found(tree, top, pivotAt < 0 ? word : word.slice(pivotAt + 2)).flatMap((path) => {
      const source = lookUp(tree, path);
      if (source === undefined) return [];
      const [before, asked] = [path.slice(0, underTop(top)), path.slice(underTop(top))];
      return [parents ? { ...source, asked, parents: parentsOf(tree, before, asked) } : { ...source, asked }];
    }),
  );
  if (sources.length === 0) throw new MissingSource(word);
  return sources;
}

/** Where below a directory, in a path, what is under it begins. */
function underTop(top: string): number {
  return top === '' ? 0 : top.length + 1;
}

/** Paths relative to the root. Where there are no wildcards it may not be there. */
function found({ root, rules }: SourceTree, from: string, word: string): readonly string[] {
  const climbed = posix.resolve('/', word).slice(1);
  if (!isGlob(climbed)) return [posix.join(from, climbed)].map((path) => (path === '.' ? '' : path));
  const enters = (path: string): boolean => isWanted(rules, path);
  return glob({ root, from, enters }, climbed).filter((path) => isWanted(rules, path));
}

function lookUp({ root, rules, digests }: SourceTree, asked: string): TreeSource | undefined {
  if (asked !== '' && !isWanted(rules, asked)) return undefined;
  let fd: number;
  try {
    fd = root.open(asked === '' ? '.' : asked, O_PATH);
  } catch (error) {
    const code = errnoOf(error);
    if (code === ERRNO.ENOENT || code === ERRNO.ENOTDIR || code === ERRNO.ELOOP) return undefined;
    throw error;
  }
  try {
    const isDirectory = fstatSync(fd).isDirectory();
    const path = realPathIn(root, fd);
    return { kind: 'tree', root, path, name: posix.basename(asked), asked, isDirectory, parents: [], digests };
  } finally {
    closeSync(fd);
  }
}

function parentsOf({ root }: SourceTree, before: string, asked: string): ParentDirectory[] {
  const parts = asked.split('/').slice(0, -1);
  return parts.map((_, index) => {
    const path = parts.slice(0, index + 1).join('/');
    const fd = root.open(`${before}${path}`, O_PATH);
    try {
      return { path, stat: fstatSync(fd, { bigint: true }) };
    } finally {
      closeSync(fd);
    }
  });
}

function isWanted(rules: WalkRules, path: string): boolean {
  return !rules.isLeftOut(path) || rules.mayHoldWanted(path);
}

/** Relative to the root; empty for the root itself. */
export function realPathIn(root: Root, fd: number): string {
  const top = readlinkSync(descriptorPath(root.fd));
  return readlinkSync(descriptorPath(fd)).slice(top === '/' ? 1 : top.length + 1);
}

/** An open directory and the name in it. The caller closes the descriptor. */
export function openParent(root: Root, path: string): { readonly fd: number; readonly name: string } {
  const directory = posix.dirname(path);
  const fd = root.open(path === '' || directory === '.' ? '.' : directory, O_PATH | constants.O_DIRECTORY);
  return { fd, name: path === '' ? '.' : posix.basename(path) };
}
