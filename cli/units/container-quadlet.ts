/** A `.container` file that makes a container as its command line did: flags that have a key become that key, the others stay flags. */
import { EngineError } from '../../core/errors.ts';
import { CONTAINER_RULES } from '../../libpod/quadlet/container.ts';
import { type Entry, quadletFile, type QuadletFile, valueOrFlag, wordsOf } from '../../libpod/quadlet/describe.ts';
import type { FlagRules } from '../../libpod/quadlet/flags.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { globalWords, readCreateCommand } from './run-command.ts';
import { lastValue, type Typed, without } from './typed.ts';

/** What the unit settles itself; `Notify` and `Restart` are read on their own. */
const SETTLED = new Set(['attach', 'cidfile', 'conmon-pidfile', 'detach', 'name', 'replace', 'restart', 'rm', 'rootfs', 'sdnotify']);

/** Flags by name. `volume` and `network` have values that mean other Quadlet files. */
const KEYS = new Map<string, { readonly key: string; readonly kind: keyof FlagRules }>(
  Object.entries(CONTAINER_RULES).flatMap(([kind, table]) =>
    Object.entries(table as Readonly<Record<string, string>>).map(
      ([key, flag]) => [flag.slice('--'.length), { key, kind: kind as keyof FlagRules }] as const,
    ),
  ),
);

/** A file is meant, not a volume or a network of that name. */
const IS_FILE = /^[^:]*\.(?:volume|image|network|container)(?::|$)/;

/** What else is written: a unit of the container is to come after theirs. By name. */
export interface Beside {
  readonly volumes: ReadonlySet<string>;
  readonly networks: ReadonlySet<string>;
}

/** Throws NOT_SUPPORTED. */
export function containerQuadlet(config: ContainerConfig, beside: Beside): QuadletFile {
  if (config.createCommand.length < 2) {
    throw new EngineError('NOT_SUPPORTED', `container ${config.name} has no command line of its own`, {
      hint: 'Make it by `create` or `run`.',
    });
  }
  const { lead, typed } = readCreateCommand(config);
  const [root = '', ...command] = typed.rest[0] === '--' ? typed.rest.slice(1) : typed.rest;
  const globals = globalWords(lead);
  const entries: Entry[] = [
    lastValue(typed, 'rootfs') === 'true' ? valueOf('Rootfs', root) : valueOf('Image', config.imageName ?? root),
    ['ContainerName', config.name],
    ...(command.length === 0 ? [] : [['Exec', wordsOf(...command)] as const]),
    ...notify(lastValue(typed, 'sdnotify')),
    ...flagEntries(typed, config, beside),
    ...(globals.length === 0 ? [] : [['GlobalArgs', wordsOf(...globals)] as const]),
  ];
  return quadletFile({ name: config.name, kind: 'container' }, entries, [
    ['Service', restart(lastValue(typed, 'restart'))],
    ['Install', [['WantedBy', 'default.target']]],
  ]);
}

/** Throws NOT_SUPPORTED for a value that no line of a file can hold. */
function valueOf(key: string, value: string): Entry {
  const entry = valueOrFlag(key, key, value);
  if (entry[0] === key) return entry;
  throw new EngineError('NOT_SUPPORTED', `${JSON.stringify(value)} cannot stand in a Quadlet file`);
}

function flagEntries(typed: Typed, config: ContainerConfig, beside: Beside): readonly Entry[] {
  const flags = without(typed.flags, SETTLED).flatMap(({ flags: some }) => some);
  return flags.flatMap((flag, index): readonly Entry[] => {
    const asFlag: Entry = ['PodmanArgs', wordsOf(...flag.alone)];
    const known = KEYS.get(flag.name);
    const value = flag.name === 'volume' ? withWholePath(flag.value, config) : flag.value;
    if (known === undefined || IS_FILE.test(value)) return [flag.name === 'volume' ? ['PodmanArgs', wordsOf('--volume', value)] : asFlag];
    switch (known.kind) {
      case 'text':
        return flags.slice(index + 1).some(({ name }) => name === flag.name) ? [] : [valueOrFlag(known.key, flag.name, value)];
      case 'bool':
        return [[known.key, value]];
      case 'values':
        return [valueOrFlag(known.key, flag.name, asFile(flag.name, value, beside))];
      case 'words':
        return [[known.key, wordsOf(value)]];
      case 'pairs':
        // Without a value it is the caller's, or many.
        return [value.includes('=') && !value.startsWith('=') ? [known.key, wordsOf(value)] : asFlag];
    }
  });
}

/** `data:/data` → `data.volume:/data` */
function asFile(flag: string, value: string, { volumes, networks }: Beside): string {
  const name = value.split(':', 1)[0]!;
  if (flag === 'volume' && volumes.has(name)) return `${name}.volume${value.slice(name.length)}`;
  return flag === 'network' && networks.has(name) ? `${name}.network${value.slice(name.length)}` : value;
}

/** What was typed relative to the working directory of that day is known by where it is mounted. */
function withWholePath(value: string, { mounts }: ContainerConfig): string {
  const [source = '', target, ...options] = value.split(':');
  if (!source.startsWith('.') || target === undefined) return value;
  const mount = mounts.find((one) => one.type === 'bind' && one.target === target);
  return mount?.type === 'bind' ? [mount.source, target, ...options].join(':') : value;
}

/** A unit waits for its container in any case: `conmon` is what it does by itself. */
function notify(mode: string | undefined): readonly Entry[] {
  return mode === 'healthy' || mode === 'container' ? [['Notify', mode === 'healthy' ? mode : 'true']] : [];
}

function restart(policy: string | undefined): readonly Entry[] {
  const word = policy?.split(':', 1)[0];
  if (word === undefined || word === '' || word === 'no') return [];
  return [['Restart', word === 'on-failure' ? word : 'always']];
}
