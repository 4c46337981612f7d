/** A `.container` file that makes a container as its command line did: flags that have a key become that key, the others stay flags. */
import { EngineError } from '../../core/errors.ts';
import { CONTAINER_RULES } from '../../libpod/quadlet/container.ts';
import { type Entry, quadletFile, type QuadletFile, valueOrFlag, wordsOf } from '../../libpod/quadlet/describe.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { type Beside, flagEntries, flagKeys } from './flag-entries.ts';
import { globalWords, readCreateCommand } from './run-command.ts';
import { lastValue, type Typed } from './typed.ts';

/** What the unit settles itself; `Notify` and `Restart` are read on their own. */
const SETTLED = new Set([
  'attach',
  'cidfile',
  'conmon-pidfile',
  'detach',
  'name',
  'pod',
  'pod-id-file',
  'replace',
  'restart',
  'rm',
  'rootfs',
  'sdnotify',
]);

const KEYS = flagKeys(CONTAINER_RULES);

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
    ...podEntry(typed, config, beside),
    ...flagEntries({ typed, keys: KEYS, settled: SETTLED, mounts: config.mounts, beside }),
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

/** In a pod that is written as well, that file; else the pod as it is called. */
function podEntry(typed: Typed, { pod }: ContainerConfig, { pods }: Beside): readonly Entry[] {
  if (pod === undefined) return [];
  if (pods.has(pod.name)) return [valueOf('Pod', `${pod.name}.pod`)];
  return [['PodmanArgs', wordsOf('--pod', lastValue(typed, 'pod') ?? pod.name)]];
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
