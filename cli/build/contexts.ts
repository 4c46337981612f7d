/** The directories that a build takes files from: the context, and those of `--build-context`. */
import { resolve } from 'node:path';
import type { NamedContext } from '../../build/request.ts';
import { EngineError } from '../../core/errors.ts';
import { fetchContext, isFetched } from '../../libpod/build/context.ts';
import type { Engine } from '../../libpod/engine.ts';
import { directoryTree, ignoreFile, localContext, type ContextDirectory } from './place.ts';

export interface OpenContexts extends Disposable {
  readonly context: ContextDirectory;
  readonly named: ReadonlyMap<string, NamedContext>;
}

export interface ContextRequest {
  readonly cwd: string;
  readonly typed: string | undefined;
  /** `--build-context` */
  readonly named: readonly string[];
  /** `--file` */
  readonly files: readonly string[];
  readonly signal: AbortSignal;
}

/** What is not here is fetched, for as long as the result lives. Throws INVALID_ARGUMENT and what fetchContext throws. */
export async function openContexts(engine: Engine, { cwd, typed, named, files, signal }: ContextRequest): Promise<OpenContexts> {
  if (typed === '-' && files.includes('-'))
    throw new EngineError('INVALID_ARGUMENT', 'the context and the Containerfile cannot both be read from stdin');
  const held = new DisposableStack();
  const fetched = async (text: string): Promise<string> => held.use(await fetchContext(engine, text, process.stdin, signal)).path;
  try {
    const context =
      typed !== undefined && isFetched(typed) ? { path: await fetched(typed), name: typed, isForeign: true } : localContext(cwd, typed);
    const contexts = new Map<string, NamedContext>();
    for (const text of named) {
      const { name, value } = splitNamed(text);
      const image = imageOf(value);
      if (image !== undefined) {
        contexts.set(name, { kind: 'image', name: image });
        continue;
      }
      const isForeign = isFetched(value) && value !== '-';
      const path = isForeign ? await fetched(value) : resolve(cwd, value);
      const ignored = ignoreFile({ path, name: value, isForeign }, []);
      contexts.set(name, { kind: 'tree', tree: directoryTree(path, ignored), path });
    }
    return { context, named: contexts, [Symbol.dispose]: () => held.dispose() };
  } catch (error) {
    held.dispose();
    throw error;
  }
}

function splitNamed(text: string): { readonly name: string; readonly value: string } {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
  if (equals > 0 && value !== '') return { name, value };
  throw new EngineError(
    'INVALID_ARGUMENT',
    `while verifying additional build context: invalid value for additional build context: ${JSON.stringify(text)} is not NAME=PLACE`,
  );
}

/** Images may be called `docker-image://…` and `docker://…` here. */
function imageOf(value: string): string | undefined {
  return /^(?:docker-image|container-image|docker):\/\/(.+)$/.exec(value)?.[1];
}
