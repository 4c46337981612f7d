/** Contexts that are no directory of this machine: a stream, a repository, a file of the web. They are put into a directory of ours. */
import { closeSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { realPathIn } from '../../build/copy/sources.ts';
import { isGitUrl, parseGitUrl, type GitPlace } from '../../build/git-url.ts';
import { MAX_DOCKERFILE_BYTES } from '../../build/dockerfile/source.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { errnoOf } from '../../host/libc.ts';
import { O_PATH, Root } from '../../host/root.ts';
import { abortable } from '../../storage/layer/abortable.ts';
import { Budget } from '../../storage/layer/budget.ts';
import { DEFAULT_LIMITS } from '../../storage/layer/limits.ts';
import { StagingDirectory } from '../../storage/layer/staging.ts';
import { decompress, detectCompression } from '../../storage/transport/compression.ts';
import { plainWords, unarchiveTree } from '../../storage/tree/unarchive.ts';
import { download } from '../download.ts';
import type { Engine } from '../engine.ts';
import { stagingDirectory } from '../image/blobs.ts';
import { checkOut } from './git.ts';

export interface FetchedContext extends Disposable {
  readonly path: string;
}

export function isFetched(typed: string): boolean {
  return typed === '-' || /^https?:\/\//.test(typed) || isGitUrl(typed);
}

/**
 * Of what isFetched. What is no archive is a Dockerfile. Whatever is in it, nothing outside of it is read or written.
 * Throws INVALID_ARGUMENT, IMAGE_CORRUPT, LAYER_REFUSED, STORE_FULL, HELPER_*, REGISTRY_*, ABORTED.
 */
export async function fetchContext(engine: Engine, typed: string, stdin: Readable, signal?: AbortSignal): Promise<FetchedContext> {
  const git = isGitUrl(typed) ? parseGitUrl(typed) : undefined;
  const staging = StagingDirectory.make(stagingDirectory(engine));
  try {
    const top = join(staging.path, 'context');
    mkdirSync(top, { mode: 0o755 });
    let path = top;
    if (git !== undefined) path = await fromGit(engine, git, top, signal);
    else if (typed === '-') await fromStream(stdin, 'stdin', top, signal);
    else {
      using body = await download(typed, { env: engine.options.env, config: engine.paths.config, signal });
      await fromStream(body.stream, typed, top, signal);
    }
    return { path, [Symbol.dispose]: () => staging[Symbol.dispose]() };
  } catch (error) {
    staging[Symbol.dispose]();
    throw error;
  }
}

async function fromGit({ options }: Engine, place: GitPlace, top: string, signal: AbortSignal | undefined): Promise<string> {
  await checkOut(place, top, { env: options.env, keepGitDirectory: false, signal });
  return place.directory === undefined ? top : directoryIn(top, place.directory);
}

/** Links of the tree lead nowhere outside. Throws INVALID_ARGUMENT. */
export function directoryIn(top: string, directory: string): string {
  using root = new Root(top);
  try {
    const fd = root.open(directory, O_PATH | constants.O_DIRECTORY);
    try {
      return join(top, realPathIn(root, fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new EngineError('INVALID_ARGUMENT', `the repository has no directory ${JSON.stringify(directory)}`, { cause: error });
  }
}

const HEAD_BYTES = 512;
const USTAR_AT = 257;

async function fromStream(source: Readable, name: string, top: string, signal: AbortSignal | undefined): Promise<void> {
  const budget = new Budget(DEFAULT_LIMITS, top);
  const incoming = abortable(source[Symbol.asyncIterator]() as AsyncIterator<Buffer>, signal);
  const packed = await peeked(counted({ [Symbol.asyncIterator]: () => incoming }, (bytes) => budget.takeCompressed(bytes)));
  const compression = detectCompression(packed.head);
  const plain = await decompress(Readable.from(packed.all, { objectMode: false }), compression);
  const content = await peeked(counted(plain as AsyncIterable<Buffer>, (bytes) => budget.takeContent(bytes)));
  if (content.head.length === 0) throw new EngineError('INVALID_ARGUMENT', `${name}: there is no context in it`);
  if (!isTar(content.head)) return await keepDockerfile(content.all, name, top);
  try {
    await unarchiveTree(content.all, top, { uid: 0, gid: 0 });
  } catch (error) {
    if (!isEngineError(error, 'IMAGE_CORRUPT', 'LAYER_REFUSED')) throw error;
    throw new EngineError(error.code, `${name}: ${plainWords(error)}`, { cause: error });
  }
}

function isTar(head: Buffer): boolean {
  return head.length === HEAD_BYTES && (head.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar' || head.every((byte) => byte === 0));
}

async function keepDockerfile(content: AsyncIterable<Buffer>, name: string, top: string): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > MAX_DOCKERFILE_BYTES) throw new EngineError('INVALID_ARGUMENT', `${name}: neither a tar nor a Dockerfile`);
    chunks.push(chunk);
  }
  writeFileSync(join(top, 'Dockerfile'), Buffer.concat(chunks), { mode: 0o600 });
}

async function* counted(source: AsyncIterable<Buffer>, take: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  for await (const chunk of source) {
    take(chunk.length);
    yield chunk;
  }
}

/** The first bytes, and all of them. */
async function peeked(
  source: AsyncGenerator<Buffer, void>,
): Promise<{ readonly head: Buffer; readonly all: AsyncGenerator<Buffer, void> }> {
  let first: Buffer = Buffer.alloc(0);
  while (first.length < HEAD_BYTES) {
    const next = await source.next();
    if (next.done === true) break;
    first = Buffer.concat([first, next.value]);
  }
  const all = async function* (): AsyncGenerator<Buffer, void> {
    if (first.length > 0) yield first;
    yield* source;
  };
  return { head: first.subarray(0, HEAD_BYTES), all: all() };
}
