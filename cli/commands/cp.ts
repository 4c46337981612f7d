import { EngineError, isEngineError } from '../../core/errors.ts';
import { copyBetween, copyFromStream, copyToStream } from '../../libpod/container/copy/copy.ts';
import { absolutePath, type CopySide } from '../../libpod/container/copy/plan.ts';
import { containerTree, type CopyTree, hostTree } from '../../libpod/container/copy/tree.ts';
import type { Engine } from '../../libpod/engine.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { cpFace } from '../faces/cp.ts';

interface End {
  readonly container: string | undefined;
  readonly path: string;
}

export const command = defineCommand(cpFace, async (context, [source = '', destination = ''], flags) => {
  const [from, to] = [parseEnd(source), parseEnd(destination)];
  if (from.path === '' || to.path === '') {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `invalid arguments ${JSON.stringify(source)}, ${JSON.stringify(destination)}: you must specify paths`,
    );
  }
  if (from.container === undefined && to.container === undefined)
    throw new EngineError('INVALID_ARGUMENT', 'name or ID cannot be empty', { hint: 'One of the two is to be CONTAINER:PATH.' });
  const engine = await context.openEngine();
  await using trees = await openTrees(engine, from, to);
  const options = { chown: flags.archive, overwriteKinds: flags.overwrite };
  const [fromSide, toSide] = [sideOf(context, from, trees.from), sideOf(context, to, trees.to)];
  if (isStream(to)) {
    for await (const chunk of copyToStream(fromSide)) context.stdout.write(chunk);
  } else if (isStream(from)) await copyFromStream(process.stdin, toSide, options);
  else await copyBetween(fromSide, toSide, options);
});

function isStream({ container, path }: End): boolean {
  return container === undefined && path === '-';
}

/** What begins with a dot or a slash is a path of the host, whatever colons it has. */
function parseEnd(text: string): End {
  const colon = text.indexOf(':');
  if (colon === -1 || text.startsWith('.') || text.startsWith('/')) return { container: undefined, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

interface Trees extends AsyncDisposable {
  readonly from: CopyTree;
  readonly to: CopyTree;
}

/** A container on both sides is opened once. Two are opened in the order of their ids, so that two copies the other way round do not wait for each other. */
async function openTrees(engine: Engine, from: End, to: End): Promise<Trees> {
  const [source, target] = [from, to].map(({ container }) => (container === undefined ? undefined : find(engine, container)));
  await using open = new AsyncDisposableStack();
  const trees = new Map<string, CopyTree>();
  const records = [source, target].filter((record): record is ContainerRecord => record !== undefined);
  for (const record of records.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (!trees.has(record.id)) trees.set(record.id, open.use(await containerTree(engine, record)));
  }
  const treeOf = (record: ContainerRecord | undefined): CopyTree => (record && trees.get(record.id)) ?? open.use(hostTree());
  const found = { from: treeOf(source), to: treeOf(target) };
  const kept = open.move();
  return { ...found, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function find(engine: Engine, name: string): ContainerRecord {
  try {
    return engine.containers.find(name);
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    throw new EngineError('NO_SUCH_CONTAINER', `container ${JSON.stringify(name)} does not exist`, { cause: error });
  }
}

function sideOf({ cwd }: CommandContext, { container, path }: End, tree: CopyTree): CopySide {
  const workdir = tree.record?.config.workdir ?? cwd;
  return { tree, typed: path, path: absolutePath(path, workdir), place: container === undefined ? 'the host' : `container ${container}` };
}
