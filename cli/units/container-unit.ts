/** A systemd service for a container: a plan of its keys (pure), and the text of that. */
import { EngineError } from '../../core/errors.ts';
import { argumentWord, assignmentWord, withoutSpecifiers, wrapWords } from '../../core/unit-word.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { SERVICE } from '../../libpod/spec/service-label.ts';
import { onIdFile, runCommand } from './run-command.ts';
import { checkRestartPolicy, type Line, programWord, STOP_MARGIN_SECONDS, type Unit, unitName, unitOf } from './unit-text.ts';

export interface UnitWish {
  readonly config: ContainerConfig;
  /** Of a container that is started and stopped, not made anew. */
  readonly pidFile: string;
  /** Where the state of a session lies: it must be there before the service starts. */
  readonly runDirectory: string;
  /** argv that calls lichen for the same store. */
  readonly self: readonly string[];
  /** The container by name, not by id. */
  readonly byName: boolean;
  /** Make the container anew at each start. */
  readonly anew: boolean;
  readonly template: boolean;
  readonly prefix: string;
  readonly separator: string;
  readonly restartPolicy?: string | undefined;
  readonly restartSeconds?: number | undefined;
  readonly startTimeoutSeconds?: number | undefined;
  readonly stopTimeoutSeconds?: number | undefined;
  readonly wants: readonly string[];
  readonly after: readonly string[];
  readonly requires: readonly string[];
  readonly variables: readonly string[];
  /** For one of the units of a pod. */
  readonly inPod?: PodOfUnit | undefined;
}

type ContainerOfUnit = Pick<UnitWish, 'config' | 'pidFile' | 'self' | 'byName' | 'stopTimeoutSeconds'>;

export interface PodOfUnit {
  /** Where a pod that is made anew leaves its id. */
  readonly podIdFile: string;
  /** Units without `.service`. */
  readonly boundTo: readonly string[];
}

/** Throws INVALID_ARGUMENT, NOT_SUPPORTED. */
export function containerUnit(wish: UnitWish): Unit {
  const { anew, template } = wish;
  checkRestartPolicy(wish.restartPolicy);
  for (const unit of [...wish.wants, ...wish.after, ...wish.requires]) checkLine(unit);
  const name = containerUnitName(wish);
  return unitOf({
    name,
    isTemplate: template,
    mountsFor: anew || template ? '%t' : assignmentWord(wish.runDirectory),
    unit: dependencies(wish),
    service: anew || template ? serviceAnew(wish, name) : serviceStarted(wish),
  });
}

/** Without `.service`. Throws INVALID_ARGUMENT. */
export function containerUnitName(wish: UnitWish): string {
  return unitName(wish.prefix, wish.separator, calledIn(wish));
}

function calledIn({ config, byName }: Pick<UnitWish, 'config' | 'byName'>): string {
  return byName ? config.name : config.id;
}

function dependencies({ inPod, wants, after, requires }: UnitWish): readonly Line[] {
  const bound = inPod?.boundTo.map((unit) => `${unit}.service`).join(' ');
  const asked: readonly (readonly [string, readonly string[]])[] = [
    ['Wants', wants],
    ['After', after],
    ['Requires', requires],
  ];
  const own = asked.filter(([, units]) => units.length > 0).map(([key, units]) => [key, units.join(' ')] as const);
  return [
    ...(bound === undefined ? [] : [['BindsTo', bound] as const, ['After', bound] as const]),
    ...(own.length === 0 ? [] : [[''] as const, ['# User-defined dependencies'] as const, ...own]),
  ];
}

/** `-d` leaves the monitor behind, which is the main process from then on. */
function serviceAnew(wish: UnitWish, name: string): readonly Line[] {
  const { config, self, template } = wish;
  const { globals, words, restart, variables } = runCommand(config, {
    instanceOf: template ? name : undefined,
    podIdFile: wish.inPod?.podIdFile,
  });
  const seconds = stopSeconds(wish);
  const program = programWord(self);
  const [policy, burst] = restartOfUnit(restart);
  const taken = variables.map(variableWord);
  return [
    ...commonKeys(wish, policy, { taken, burst }),
    ['ExecStart', wrapWords([program, ...words])],
    ['ExecStop', wrapWords([program, ...globals, 'stop', ...onIdFile('--ignore', `-t`, String(seconds))])],
    ['ExecStopPost', wrapWords([program, ...globals, 'rm', ...onIdFile('-f', '--ignore', '-t', String(seconds))])],
    ['Type', 'notify'],
    ['NotifyAccess', 'all'],
  ];
}

function serviceStarted(wish: UnitWish): readonly Line[] {
  return [...commonKeys(wish, undefined, { taken: [], burst: undefined }), ...commandsStarted(wish), ['Type', 'forking']];
}

/** Start and stop of a container that is there, whose monitor is the main process. */
export function commandsStarted(wish: ContainerOfUnit): readonly Line[] {
  const { self, pidFile } = wish;
  const program = [programWord(self), ...self.slice(1).map(argumentWord)];
  const called = calledIn(wish);
  const stop = wrapWords([...program, 'stop', '-t', String(stopSeconds(wish)), called]);
  return [
    ['ExecStart', wrapWords([...program, 'start', called])],
    ['ExecStop', stop],
    ['ExecStopPost', stop],
    ['PIDFile', withoutSpecifiers(pidFile)],
  ];
}

function commonKeys(
  wish: UnitWish,
  policy: string | undefined,
  { taken, burst }: { readonly taken: readonly string[]; readonly burst: string | undefined },
): readonly Line[] {
  const { restartPolicy, restartSeconds, startTimeoutSeconds, variables } = wish;
  return [
    ['Environment', `${SERVICE}=%n`],
    ...(taken.length === 0 ? [] : [['Environment', taken.join(' ')] as const]),
    ...variables.map((variable) => ['Environment', variableWord(variable)] as const),
    ['Restart', restartPolicy ?? policy ?? 'on-failure'],
    ...(restartSeconds ? [['RestartSec', String(restartSeconds)] as const] : []),
    ...(burst === undefined || restartPolicy !== undefined ? [] : [['StartLimitBurst', burst] as const]),
    ...(startTimeoutSeconds ? [['TimeoutStartSec', String(startTimeoutSeconds)] as const] : []),
    ['TimeoutStopSec', String(stopSeconds(wish) + STOP_MARGIN_SECONDS)],
  ];
}

/** Throws INVALID_ARGUMENT where systemd would leave the variable out without a word. */
function variableWord(variable: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(variable)) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `environment variable ${variable.split('=', 1)[0]} has a control character, which no unit can hold`,
    );
  }
  return assignmentWord(variable);
}

export function stopSeconds({ config, stopTimeoutSeconds }: Pick<UnitWish, 'config' | 'stopTimeoutSeconds'>): number {
  return stopTimeoutSeconds ?? config.stopTimeoutSeconds;
}

/** `on-failure:3` → three starts; what runs unless stopped runs always: nobody but systemd stops it. */
function restartOfUnit(restart: string | undefined): readonly [policy: string | undefined, burst: string | undefined] {
  if (restart === undefined || restart === '') return [undefined, undefined];
  const [policy, retries] = restart.split(':');
  return [policy === 'unless-stopped' ? 'always' : policy, retries];
}

function checkLine(unit: string): void {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(unit)) throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(unit)} is not a valid name for a unit`);
}
