/** A systemd service for a pod: its infra container stands for it. The services of its other containers are bound to it. */
import { argumentWord, assignmentWord, wrapWords } from '../../core/unit-word.ts';
import { SERVICE } from '../../libpod/spec/service-label.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { commandsStarted, stopSeconds, type UnitWish } from './container-unit.ts';
import { globalWords, readPodCommand } from './run-command.ts';
import { lastValue, without } from './typed.ts';
import { checkRestartPolicy, type Line, programWord, STOP_MARGIN_SECONDS, type Unit, unitName, unitOf } from './unit-text.ts';

/** `config` and `pidFile` are those of the infra container, `prefix` is that of pods. */
export interface PodUnitWish extends Pick<
  UnitWish,
  | 'config'
  | 'pidFile'
  | 'runDirectory'
  | 'self'
  | 'byName'
  | 'anew'
  | 'prefix'
  | 'separator'
  | 'restartPolicy'
  | 'restartSeconds'
  | 'stopTimeoutSeconds'
> {
  readonly pod: PodConfig;
}

/** What the service settles itself. */
const SETTLED = ['infra-conmon-pidfile', 'pod-id-file'];

/** Without `.service`. Throws INVALID_ARGUMENT. */
export function podUnitName({ pod, byName, prefix, separator }: PodUnitWish): string {
  return unitName(prefix, separator, byName ? pod.name : pod.id);
}

/** Where a pod that is made anew leaves its id, as a word of a unit. */
export function podIdFile(unit: string): string {
  return `%t/${unit}.pod-id`;
}

/** `members`: the units of its containers, without `.service`. Throws INVALID_ARGUMENT, NOT_SUPPORTED. */
export function podUnit(wish: PodUnitWish, members: readonly string[]): Unit {
  checkRestartPolicy(wish.restartPolicy);
  const name = podUnitName(wish);
  const services = members.map((unit) => `${unit}.service`).join(' ');
  return unitOf({
    name,
    mountsFor: assignmentWord(wish.runDirectory),
    unit:
      services === ''
        ? []
        : [
            ['Wants', services],
            ['Before', services],
          ],
    service: [...commonKeys(wish), ...(wish.anew ? commandsAnew(wish, name) : commandsStarted(wish)), ['Type', 'forking']],
  });
}

function commonKeys(wish: PodUnitWish): readonly Line[] {
  const { restartPolicy, restartSeconds } = wish;
  return [
    ['Environment', `${SERVICE}=%n`],
    ['Restart', restartPolicy ?? 'on-failure'],
    ...(restartSeconds ? [['RestartSec', String(restartSeconds)] as const] : []),
    ['TimeoutStopSec', String(stopSeconds(wish) + STOP_MARGIN_SECONDS)],
  ];
}

function commandsAnew(wish: PodUnitWish, name: string): readonly Line[] {
  const { lead, typed } = readPodCommand(wish.pod);
  const isReplaced = lastValue(typed, 'name') !== undefined && lastValue(typed, 'replace') !== 'true';
  const kept = without(typed.flags, new Set([...SETTLED, ...(isReplaced ? ['replace'] : [])]));
  const program = programWord(wish.self);
  const pidFile = `%t/${name}.pid`;
  const idFile = podIdFile(name);
  const create = [
    ...lead.map(argumentWord),
    'create',
    '--infra-conmon-pidfile',
    pidFile,
    '--pod-id-file',
    idFile,
    ...(lastValue(typed, 'exit-policy') === undefined ? ['--exit-policy=stop'] : []),
    ...kept.flatMap(({ words }) => words.map(argumentWord)),
    ...(isReplaced ? ['--replace'] : []),
    ...typed.rest.map(argumentWord),
  ];
  const globals = globalWords(lead).map(argumentWord);
  const onPod = (...words: readonly string[]): string => wrapWords([program, ...globals, 'pod', ...words]);
  return [
    ['ExecStartPre', wrapWords([program, ...create])],
    ['ExecStart', onPod('start', '--pod-id-file', idFile)],
    ['ExecStop', onPod('stop', '--ignore', '--pod-id-file', idFile, '-t', String(stopSeconds(wish)))],
    ['ExecStopPost', onPod('rm', '--ignore', '-f', '--pod-id-file', idFile)],
    ['PIDFile', pidFile],
  ];
}
