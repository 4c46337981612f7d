/** Where a build's Containerfile, its context and the list of ignored files are. */
import { closeSync, existsSync, fstatSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { realPathIn, type SourceTree } from '../../build/copy/sources.ts';
import { CHECK } from '../../build/arguments.ts';
import { checkOptions, type CheckOptions } from '../../build/dockerfile/directives.ts';
import { type Dockerfile, parseDockerfile } from '../../build/dockerfile/parse.ts';
import { readSource } from '../../build/dockerfile/source.ts';
import { parseIgnoreFile, type IgnoreRules } from '../../build/ignore.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { errnoOf } from '../../host/libc.ts';
import { O_PATH, Root } from '../../host/root.ts';
import { isPreprocessed, preprocess } from './preprocess.ts';

export interface PlaceFlags {
  readonly file: readonly string[];
  readonly 'build-arg': readonly string[];
  readonly 'cpp-flag': readonly string[];
  readonly ignorefile?: string | undefined;
}

/** A directory that a build takes its files from. */
export interface ContextDirectory {
  readonly path: string;
  /** As messages name it. */
  readonly name: string;
  /** Others have filled it: its links lead nowhere outside. */
  readonly isForeign: boolean;
}

export interface BuildPlace {
  readonly dockerfile: Dockerfile;
  readonly context: SourceTree;
  readonly contextName: string;
}

export interface PlaceFacts {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

const NAMES = ['Containerfile', 'Dockerfile'];

/** Throws INVALID_ARGUMENT. */
export function localContext(cwd: string, typed: string | undefined): ContextDirectory {
  const path = resolve(cwd, typed ?? '.');
  if (!isDirectory(path)) throw new EngineError('INVALID_ARGUMENT', `context must be a directory: ${JSON.stringify(path)}`);
  return { path, name: path, isForeign: false };
}

/** Throws INVALID_ARGUMENT, DOCKERFILE, and what preprocess throws. The caller disposes of the context's root. */
export async function findPlace({ cwd, env }: PlaceFacts, context: ContextDirectory, flags: PlaceFlags): Promise<BuildPlace> {
  const files = flags.file.length === 0 ? [foundFile(context)] : flags.file.map((path) => namedFile(cwd, context, path));
  const cppFlags = [...(env['BUILDAH_CPPFLAGS'] ?? '').split(/\s+/).filter((flag) => flag !== ''), ...flags['cpp-flag']];
  const texts: Buffer[] = [];
  for (const path of files) {
    const text = readText(path);
    texts.push(isPreprocessed(path) ? await preprocess(text, context, cppFlags) : text, Buffer.from('\n'));
  }
  const dockerfile = parseDockerfile(readSource(shownName(cwd, context, files), Buffer.concat(texts)));
  const ignored = flags.ignorefile === undefined ? ignoreFile(context, files) : readRules(resolve(cwd, flags.ignorefile), flags.ignorefile);
  const directives = { ...dockerfile.directives, ...givenChecks(flags) };
  return { dockerfile: { ...dockerfile, directives }, context: directoryTree(context.path, ignored), contextName: context.name };
}

/** In the place of `# check=…`. Throws INVALID_ARGUMENT. */
function givenChecks({ 'build-arg': texts }: PlaceFlags): CheckOptions | undefined {
  const text = texts.findLast((one) => one.startsWith(`${CHECK}=`));
  if (text === undefined) return undefined;
  return checkOptions(text.slice(CHECK.length + 1), (what) => new EngineError('INVALID_ARGUMENT', `--build-arg ${text}: ${what}`));
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

function foundFile(context: ContextDirectory): string {
  const found = NAMES.flatMap((name) => located(context, name) ?? [])[0];
  if (found !== undefined) return found;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `no Containerfile or Dockerfile specified or found in context directory, ${context.name}: no such file or directory`,
  );
}

/** Beside the caller, else in the context; the other way round where somebody else has made that. */
function namedFile(cwd: string, context: ContextDirectory, typed: string): string {
  if (typed === '-') return '/dev/stdin';
  const near = resolve(cwd, typed);
  const beside = existsSync(near) ? near : undefined;
  const inside = located(context, typed);
  const found = context.isForeign ? (inside ?? beside) : (beside ?? inside);
  if (found === undefined)
    throw new EngineError(
      'INVALID_ARGUMENT',
      `the specified Containerfile or Dockerfile does not exist, ${typed}: no such file or directory`,
    );
  return isDirectory(found) ? foundFile({ ...context, path: found }) : found;
}

/** The path of what a context has under a name. Pipes and devices of a foreign one are not there. */
function located({ path, isForeign }: ContextDirectory, name: string): string | undefined {
  if (!isForeign) return existsSync(resolve(path, name)) ? resolve(path, name) : undefined;
  using root = new Root(path);
  let fd: number;
  try {
    fd = root.open(name, O_PATH);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || stat.isDirectory() ? join(path, realPathIn(root, fd)) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** `shown`: the path as it was typed. Throws INVALID_ARGUMENT. */
export function readText(path: string, shown = path): Buffer {
  try {
    return path === '/dev/stdin' ? readFileSync(0) : readFileSync(path);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${shown}: ${systemWords(cause)}`, { cause });
  }
}

function shownName(cwd: string, { path, isForeign }: ContextDirectory, files: readonly string[]): string {
  const [first = ''] = files;
  if (first === '/dev/stdin') return '-';
  if (isForeign && first.startsWith(`${path}/`)) return relative(path, first);
  const near = relative(cwd, first);
  return near.startsWith('..') ? first : near;
}

/** `files`: Containerfiles, which may have one of their own. Undefined: there is none. Throws INVALID_ARGUMENT. */
export function ignoreFile(context: ContextDirectory, files: readonly string[]): IgnoreRules | undefined {
  const beside = files.flatMap((path) => [`${path}.containerignore`, `${path}.dockerignore`]);
  const names = context.isForeign ? beside.map((path) => relative(context.path, path)) : beside;
  const found = [...names, '.containerignore', '.dockerignore'].flatMap((name) => located(context, name) ?? [])[0];
  return found === undefined ? undefined : readRules(found, relative(context.path, found));
}

function readRules(path: string, shown: string): IgnoreRules {
  return parseIgnoreFile(readText(path).toString(), shown);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
