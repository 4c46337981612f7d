/** From the command line that made a container to the one by which a service makes it anew. */
import { EngineError } from '../../core/errors.ts';
import { argumentWord } from '../../core/unit-word.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { podCreateFace } from '../faces/pod-create.ts';
import { findCommand } from '../find.ts';
import type { FlagTable } from '../flag.ts';
import { PERSISTENT_FLAGS, ROOT_FLAGS } from '../globals.ts';
import { REGISTRY } from '../registry.ts';
import { splitArguments } from '../split.ts';
import { RUN_FLAGS } from '../wish/flags.ts';
import { allValues, lastValue, type Typed, typedFlags, type TypedFlag, without } from './typed.ts';

/** Words are those of a unit file. */
export interface RunCommand {
  /** Global flags, for other commands on the same container. */
  readonly globals: readonly string[];
  /** After the program. */
  readonly words: readonly string[];
  /** `--restart`: a service manager has the same under other names. */
  readonly restart?: string | undefined;
  /** Variables that the command line takes from its caller, as the container was given them. */
  readonly variables: readonly string[];
}

/** What the service settles itself. */
const SETTLED = new Set(['cidfile', 'cgroups', 'rm', 'restart']);
const ID_FILE = '--cidfile=%t/%n.ctr-id';

export interface RunOptions {
  /** For a template: the name that the instances' names begin with where the container was given none. */
  readonly instanceOf?: string | undefined;
  /** In the pod that another unit makes. */
  readonly podIdFile?: string | undefined;
}

/** Throws NOT_SUPPORTED. */
export function runCommand(config: ContainerConfig, { instanceOf, podIdFile }: RunOptions = {}): RunCommand {
  const { lead, typed } = readCreateCommand(config);
  const name = lastValue(typed, 'name');
  const detach = lastValue(typed, 'detach');
  const replace = lastValue(typed, 'replace');
  const settled = new Set(SETTLED);
  if (detach !== 'true') settled.add('detach');
  if (name !== undefined && replace !== 'true') settled.add('replace');
  if (podIdFile !== undefined) for (const flag of ['pod', 'pod-id-file']) settled.add(flag);
  const kept = without(typed.flags, settled).flatMap((flag) => flagWords(flag, config.name, instanceOf !== undefined));
  return {
    globals: globalWords(lead).map(argumentWord),
    words: [
      ...lead.map(argumentWord),
      'run',
      ...(instanceOf !== undefined && name === undefined ? [`--name=${argumentWord(instanceOf)}-%i`] : []),
      ID_FILE,
      '--cgroups=no-conmon',
      '--rm',
      ...(podIdFile === undefined ? [] : ['--pod-id-file', podIdFile]),
      ...(lastValue(typed, 'sdnotify') === undefined ? ['--sdnotify=conmon'] : []),
      ...(detach === 'true' ? [] : ['-d']),
      ...(name !== undefined && replace !== 'true' ? ['--replace'] : []),
      ...kept,
      ...typed.rest.map(argumentWord),
    ],
    restart: lastValue(typed, 'restart'),
    variables: allValues(typed, 'env').flatMap((value) => takenFromCaller(value, config.env)),
  };
}

/** Stop and removal of what that command has made; without words, the words of the verb. */
export function onIdFile(...words: readonly string[]): readonly string[] {
  return [...words, ID_FILE];
}

interface CreateCommand {
  /** Global flags, and the words that lead to the verb. */
  readonly lead: readonly string[];
  readonly typed: Typed;
}

/** Throws NOT_SUPPORTED. */
export function readCreateCommand({ id, createCommand }: ContainerConfig): CreateCommand {
  if (createCommand.length < 2) {
    throw new EngineError('NOT_SUPPORTED', `cannot use --new on container ${JSON.stringify(id)}: no create command found`);
  }
  const read = readCommand(createCommand, ['run', 'create', 'container run', 'container create'], RUN_FLAGS);
  if (read !== undefined) return read;
  throw new EngineError('NOT_SUPPORTED', `container's create command is too short or invalid: [${createCommand.join(' ')}]`);
}

/** Throws NOT_SUPPORTED. */
export function readPodCommand({ createCommand }: Pick<PodConfig, 'createCommand'>): CreateCommand {
  const read = readCommand(createCommand, ['pod create'], podCreateFace.flags);
  if (read !== undefined) return read;
  throw new EngineError('NOT_SUPPORTED', `pod does not appear to be created via \`lichen pod create\`: [${createCommand.join(' ')}]`);
}

/** Undefined for the command line of another command. */
function readCommand(
  [program = 'lichen', ...words]: readonly string[],
  paths: readonly string[],
  flags: FlagTable,
): CreateCommand | undefined {
  const root = splitArguments(ROOT_FLAGS, words, { interspersed: false, path: program });
  const found = findCommand(REGISTRY, root.positionals, program);
  if (found.kind !== 'command' || !paths.includes(found.path)) return undefined;
  const lead = words.slice(0, words.length - found.rest.length - 1);
  return { lead, typed: typedFlags({ ...PERSISTENT_FLAGS, ...flags }, found.rest) };
}

/** `--log-level=error container --root=/x` → without the word. */
export function globalWords(lead: readonly string[]): readonly string[] {
  const { flags, rest } = typedFlags(ROOT_FLAGS, lead);
  return [...flags.flatMap(({ words }) => words), ...(rest.length === 0 ? [] : globalWords(rest.slice(1)))];
}

/** A container that was renamed since, or is a copy, has another name than the command line gave. */
function flagWords({ words, flags }: TypedFlag, name: string, isTemplate: boolean): readonly string[] {
  if (flags[0]?.name !== 'name') return words.map(argumentWord);
  const value = `${argumentWord(name)}${isTemplate ? '-%i' : ''}`;
  return words.length === 2 ? [words[0]!, value] : [`--name=${value}`];
}

function takenFromCaller(value: string, env: readonly string[]): readonly string[] {
  if (value.includes('=')) return [];
  const isTaken = (name: string): boolean => (value.endsWith('*') ? name.startsWith(value.slice(0, -1)) : name === value);
  return env.filter((variable) => isTaken(variable.split('=', 1)[0]!));
}
