/** From the command line that made a container to the one by which a service makes it anew. */
import { EngineError } from '../../core/errors.ts';
import { argumentWord } from '../../core/unit-word.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { findCommand } from '../find.ts';
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

/** `instanceOf`: for a template, the name that the instances' names begin with where the container was given none. Throws NOT_SUPPORTED. */
export function runCommand(config: ContainerConfig, instanceOf: string | undefined): RunCommand {
  const { lead, typed } = readCreateCommand(config);
  const name = lastValue(typed, 'name');
  const detach = lastValue(typed, 'detach');
  const replace = lastValue(typed, 'replace');
  const settled = new Set(SETTLED);
  if (detach !== 'true') settled.add('detach');
  if (name !== undefined && replace !== 'true') settled.add('replace');
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
  const [program = 'lichen', ...words] = createCommand;
  if (words.length === 0) {
    throw new EngineError('NOT_SUPPORTED', `cannot use --new on container ${JSON.stringify(id)}: no create command found`);
  }
  const root = splitArguments(ROOT_FLAGS, words, { interspersed: false, path: program });
  const found = findCommand(REGISTRY, root.positionals, program);
  const verb = found.kind === 'command' ? found.path.split(' ').at(-1) : undefined;
  if (found.kind !== 'command' || (verb !== 'run' && verb !== 'create')) {
    throw new EngineError('NOT_SUPPORTED', `container's create command is too short or invalid: [${createCommand.join(' ')}]`);
  }
  const lead = words.slice(0, words.length - found.rest.length - 1);
  return { lead, typed: typedFlags({ ...PERSISTENT_FLAGS, ...RUN_FLAGS }, found.rest) };
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
