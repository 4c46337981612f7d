/** What all plain units have in common: their names, their first section, and the text that is made of sections. */
import { EngineError } from '../../core/errors.ts';
import { assignmentWord } from '../../core/unit-word.ts';

export type Line = readonly [key: string, value: string] | readonly [verbatim: string];

export interface Unit {
  /** Without `.service`; that of a template has no `@` either. */
  readonly name: string;
  /** `container-web.service`, `container-web@.service` */
  readonly file: string;
  /** From its first section on. */
  readonly text: string;
}

const RESTART_POLICIES: readonly string[] = ['no', 'on-success', 'on-failure', 'on-abnormal', 'on-watchdog', 'on-abort', 'always'];
/** Time for everything besides the container's own stop. */
export const STOP_MARGIN_SECONDS = 60;
/** systemd.unit(5) */
const UNIT_NAME = /^[\w:.\\-]{1,200}$/;

/** Without `.service`. Throws INVALID_ARGUMENT. */
export function unitName(prefix: string, separator: string, called: string): string {
  const name = prefix === '' ? called : `${prefix}${separator}${called}`;
  if (UNIT_NAME.test(name)) return name;
  throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(`${name}.service`)} is not a valid name for a unit`);
}

/** Throws INVALID_ARGUMENT. */
export function checkRestartPolicy(policy: string | undefined): void {
  if (policy !== undefined && !RESTART_POLICIES.includes(policy))
    throw new EngineError('INVALID_ARGUMENT', `${policy} is not a valid restart policy`);
}

export interface UnitSections {
  readonly name: string;
  readonly isTemplate?: boolean;
  readonly mountsFor: string;
  /** Behind the keys that every unit has. */
  readonly unit: readonly Line[];
  readonly service: readonly Line[];
}

export function unitOf({ name, isTemplate = false, mountsFor, unit, service }: UnitSections): Unit {
  const first: readonly Line[] = [
    ['Description', `lichen ${name}.service${isTemplate ? ' for %I' : ''}`],
    ['Wants', 'network-online.target'],
    ['After', 'network-online.target'],
    ['RequiresMountsFor', mountsFor],
    ...unit,
  ];
  const sections = [
    ['Unit', first],
    ['Service', service],
    ['Install', [['WantedBy', 'default.target']] satisfies readonly Line[]],
  ] as const;
  const text = sections.map(([title, lines]) => `[${title}]\n${lines.map((line) => `${line.join('=')}\n`).join('')}`).join('\n');
  return { name, file: `${name}${isTemplate ? '@' : ''}.service`, text };
}

/** `$` is a character like any other in a program's path. */
export function programWord([program = '']: readonly string[]): string {
  return assignmentWord(program);
}
