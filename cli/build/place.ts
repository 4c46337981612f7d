/** Where a build's Containerfile, its context and the list of ignored files are. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { SourceTree } from '../../build/copy/sources.ts';
import { type Dockerfile, parseDockerfile } from '../../build/dockerfile/parse.ts';
import { readSource } from '../../build/dockerfile/source.ts';
import { parseIgnoreFile, type IgnoreRules } from '../../build/ignore.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { Root } from '../../host/root.ts';

export interface PlaceFlags {
  readonly file: readonly string[];
  readonly ignorefile?: string | undefined;
}

export interface BuildPlace {
  readonly dockerfile: Dockerfile;
  readonly context: SourceTree;
  readonly contextName: string;
}

const NAMES = ['Containerfile', 'Dockerfile'];

/** Throws INVALID_ARGUMENT, DOCKERFILE. The caller disposes of the context's root. */
export function findPlace(cwd: string, typedContext: string | undefined, flags: PlaceFlags): BuildPlace {
  const typed = typedContext ?? '.';
  if (typed === '-' || /^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(typed))
    throw new EngineError('NOT_SUPPORTED', `a build context is a directory, ${JSON.stringify(typed)} is none`);
  const directory = resolve(cwd, typed);
  if (!isDirectory(directory)) throw new EngineError('INVALID_ARGUMENT', `context must be a directory: ${JSON.stringify(directory)}`);
  const files = flags.file.length === 0 ? [foundFile(directory)] : flags.file.map((path) => namedFile(cwd, directory, path));
  const dockerfile = parseDockerfile(
    readSource(shownName(cwd, files), Buffer.concat(files.flatMap((path) => [readText(path), Buffer.from('\n')]))),
  );
  const ignored = ignoreFile(cwd, directory, files, flags.ignorefile);
  return { dockerfile, context: directoryTree(directory, ignored), contextName: directory };
}

/** Throws INVALID_ARGUMENT: it is no directory, or cannot be read. */
export function directoryTree(directory: string, ignored?: IgnoreRules): SourceTree {
  let root: Root;
  try {
    root = new Root(directory);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${directory}: ${systemWords(cause)}`, { cause });
  }
  const rules = ignored ?? { isIgnored: () => false, mayHoldIncluded: () => false };
  return {
    root,
    rules: { isLeftOut: (path) => rules.isIgnored(path), mayHoldWanted: (path) => !rules.isIgnored(path) || rules.mayHoldIncluded(path) },
  };
}

function foundFile(directory: string): string {
  const found = NAMES.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `no Containerfile or Dockerfile specified or found in context directory, ${directory}: no such file or directory`,
  );
}

/** Beside the caller, else in the context. */
function namedFile(cwd: string, directory: string, typed: string): string {
  if (typed === '-') return '/dev/stdin';
  const found = [resolve(cwd, typed), resolve(directory, typed)].find((path) => existsSync(path));
  if (found === undefined)
    throw new EngineError(
      'INVALID_ARGUMENT',
      `the specified Containerfile or Dockerfile does not exist, ${typed}: no such file or directory`,
    );
  return isDirectory(found) ? foundFile(found) : found;
}

/** `shown`: the path as it was typed. Throws INVALID_ARGUMENT. */
export function readText(path: string, shown = path): Buffer {
  try {
    return path === '/dev/stdin' ? readFileSync(0) : readFileSync(path);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${shown}: ${systemWords(cause)}`, { cause });
  }
}

function shownName(cwd: string, files: readonly string[]): string {
  const [first = ''] = files;
  if (first === '/dev/stdin') return '-';
  const near = relative(cwd, first);
  return near.startsWith('..') ? first : near;
}

function ignoreFile(cwd: string, directory: string, files: readonly string[], typed: string | undefined): IgnoreRules | undefined {
  if (typed !== undefined) return parseIgnoreFile(readText(resolve(cwd, typed)).toString(), typed);
  const beside = files.flatMap((path) => [`${path}.containerignore`, `${path}.dockerignore`]);
  const found = [...beside, join(directory, '.containerignore'), join(directory, '.dockerignore')].find((path) => existsSync(path));
  return found === undefined ? undefined : parseIgnoreFile(readText(found).toString(), relative(directory, found));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
