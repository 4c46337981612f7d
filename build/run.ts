/** RUN: a program in the tree of the stage; what it writes is a layer. */
import { closeSync, constants, fchmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { isEngineError } from '../core/errors.ts';
import { oneIdHint } from '../host/idmap.ts';
import { errnoOf } from '../host/libc.ts';
import { descriptorPath, O_PATH, Root } from '../host/root.ts';
import type { StatementOf } from './dockerfile/statement.ts';
import { failed } from './dockerfile/failure.ts';
import type { BoundMount, BuildMachine } from './machine.ts';
import { shellOf } from './metadata.ts';
import type { OwnerLookUp } from './owner.ts';
import { stepEnv, type StageState } from './state.ts';

export interface RunPlan {
  readonly argv: readonly string[];
  /** A here-document that is a program by its first line. */
  readonly script?: string | undefined;
}

const SCRIPT = '/run/lichen-build-script';

/** A here-document alone is what the shell runs; beside other words it is what they read. */
export function planRun({ config }: StageState, { command, heredocs }: StatementOf<'run'>): RunPlan {
  if ('argv' in command) return { argv: command.argv };
  const [only] = heredocs;
  if (heredocs.length === 1 && only !== undefined && /^<<-?["']?[^\s"']+["']?$/.test(command.line)) {
    if (only.content.startsWith('#!')) return { argv: [SCRIPT], script: only.content };
    return { argv: [...shellOf(config), only.content] };
  }
  const documents = heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
  return { argv: [...shellOf(config), command.line + documents] };
}

export interface RunSettings {
  readonly stage: number;
  readonly mounts: readonly BoundMount[];
  readonly lookUpOwner: OwnerLookUp;
  /** Variables beside those of the stage. */
  readonly env: readonly string[];
  readonly network: 'none' | 'host' | undefined;
  /** What is written into volumes of the image is thrown away. */
  readonly keepsVolumes: boolean;
}

/** The layer, or an error that shows the line. Nothing of a step that failed is kept. */
export async function runStep(machine: BuildMachine, state: StageState, statement: StatementOf<'run'>, settings: RunSettings) {
  const plan = planRun(state, statement);
  const workdir = state.config.WorkingDir === undefined || state.config.WorkingDir === '' ? '/' : state.config.WorkingDir;
  await using tree = await machine.writable(state.layers);
  {
    using root = new Root(tree.path);
    root.makeDirectories(workdir, ownerIn(root, statement, state, settings));
    for (const volume of Object.keys(state.config.Volumes ?? {})) root.makeDirectories(volume, { uid: 0, gid: 0 });
  }
  await using held = new AsyncDisposableStack();
  const volumes = settings.keepsVolumes ? Object.keys(state.config.Volumes ?? {}) : [];
  const mounts = [...(await volumeViews(machine, tree.path, volumes, held)), ...settings.mounts];
  const points = mountPoints(tree.path, [...machine.mountTargets, ...mounts.map(({ target }) => target)], plan.script !== undefined);
  if (plan.script !== undefined) writeScript(tree.path, plan.script);
  const code = await machine
    .run({
      ...settings,
      mounts,
      root: tree.path,
      architecture: state.platform.architecture,
      argv: plan.argv,
      env: [...settings.env, ...stepEnv(state)],
      user: state.config.User ?? '',
      workdir,
    })
    .catch((error: unknown) => {
      if (!isEngineError(error)) throw error;
      const isProgram = isEngineError(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE');
      throw failed(statement.at, error.message, {
        cause: error,
        ...(isProgram ? { exitCode: 1 } : {}),
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    });
  if (code !== 0) {
    const hint = oneIdHint();
    throw failed(statement.at, `the command ended with exit status ${code}`, { exitCode: code, ...(hint === undefined ? {} : { hint }) });
  }
  removePoints(tree.path, points);
  return await machine.addLayer(tree.changes(), tree.written);
}

/** As they are before the step, for as long as it runs. */
async function volumeViews(
  machine: BuildMachine,
  tree: string,
  volumes: readonly string[],
  held: AsyncDisposableStack,
): Promise<readonly BoundMount[]> {
  using root = new Root(tree);
  const mounts: BoundMount[] = [];
  for (const target of volumes) {
    const fd = root.open(target, O_PATH | constants.O_DIRECTORY);
    try {
      const view = held.use(await machine.overlay(descriptorPath(fd)));
      mounts.push({ type: 'bind', source: view.path, target, options: ['rw'] });
    } finally {
      closeSync(fd);
    }
  }
  return mounts;
}

/** The working directory of a step is its user's, where it is made for it. */
function ownerIn(root: Root, { at }: StatementOf<'run'>, { config }: StageState, { lookUpOwner }: RunSettings) {
  try {
    return config.User ? lookUpOwner(root, config.User) : { uid: 0, gid: 0 };
  } catch (error) {
    throw isEngineError(error) ? failed(at, error.message, { cause: error }) : error;
  }
}

/** Made by the runtime, or for it; in an image they would only be in the way. */
const RUNTIME_PLACES = ['/dev', '/proc', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/run/.containerenv'];

/** Paths that are not there yet and will have to be, directories before what they hold. */
function mountPoints(tree: string, mounts: readonly string[], hasScript: boolean): readonly string[] {
  using root = new Root(tree);
  const targets = [...RUNTIME_PLACES, ...(hasScript ? [SCRIPT] : []), ...mounts];
  const missing = new Set<string>();
  for (const target of targets) {
    for (let path = posix.resolve('/', target); path !== '/' && !isThere(root, path); path = posix.dirname(path)) missing.add(path);
  }
  return [...missing].toSorted();
}

function isThere(root: Root, path: string): boolean {
  try {
    closeSync(root.open(path, O_PATH));
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/** Those that are still empty; what a program has put there stays. */
function removePoints(tree: string, points: readonly string[]): void {
  using root = new Root(tree);
  for (const path of points.toReversed()) {
    let parent: number;
    try {
      parent = root.open(posix.dirname(path), O_PATH | constants.O_DIRECTORY);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      continue;
    }
    try {
      const place = `${descriptorPath(parent)}/${posix.basename(path)}`;
      const stat = lstatSync(place, { throwIfNoEntry: false });
      if (stat?.isDirectory() === true && readdirSync(place).length === 0) rmdirSync(place);
      else if (stat?.isFile() === true && (stat.size === 0 || path === SCRIPT)) unlinkSync(place);
    } finally {
      closeSync(parent);
    }
  }
}

function writeScript(tree: string, script: string): void {
  using root = new Root(tree);
  root.makeDirectories(posix.dirname(SCRIPT), { uid: 0, gid: 0 });
  const fd = root.open(SCRIPT, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o755);
  try {
    fchmodSync(fd, 0o755);
    writeSync(fd, script);
  } finally {
    closeSync(fd);
  }
}
