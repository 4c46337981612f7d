/** `build --check`: what is no mistake and better not done, by the rules of BuildKit and under their names. Pure. */
import { PREDEFINED } from '../arguments.ts';
import { EngineError } from '../../core/errors.ts';
import { expandedOrNot } from './expand.ts';
import type { Dockerfile } from './parse.ts';
import { ofInstructions, ofStage, ofStages, type StagePart } from './rules.ts';
import { excerpt, type Place, type Source } from './source.ts';
import type { Statement, StatementOf } from './statement.ts';

export interface Warning {
  readonly rule: string;
  readonly message: string;
  readonly source: Source;
  readonly place: Place;
}

export interface CheckFacts {
  /** Is a path of the context left out? */
  readonly isIgnored: (path: string) => boolean;
  /** Names of the variables of a base image; undefined: it is not known. */
  readonly variablesOf: (image: string) => readonly string[] | undefined;
}

/** In the order of the file, without those that its `# check=skip=…` names. */
export function checkDockerfile(dockerfile: Dockerfile, facts: CheckFacts): readonly Warning[] {
  const { statements, directives } = dockerfile;
  if (directives.skippedChecks.includes('all')) return [];
  const first = statements.findIndex(({ kind }) => kind === 'from');
  const metaArgs = statements.slice(0, Math.max(first, 0)).flatMap((one) => (one.kind === 'arg' ? one.args : []));
  const declared = new Set(metaArgs.map(({ name }) => name));
  const inFrom = { declared, defaults: defaultsOf(metaArgs, directives.escape), escape: directives.escape };
  const parts = stageParts(statements);
  const warnings = [
    ...ofInstructions(statements),
    ...ofStages(parts, inFrom),
    ...parts.flatMap((part) => ofStage(part, { ...facts, predefined: new Set([...PREDEFINED, ...PLATFORM_ARGS, ...declared]) })),
  ];
  return warnings
    .filter(({ rule }) => !directives.skippedChecks.includes(rule))
    .toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}

/** `# check=error=true` makes errors of them. Throws DOCKERFILE. */
export function refuseWarnings({ directives }: Dockerfile, warnings: readonly Warning[]): void {
  if (!directives.checksAreErrors || warnings.length === 0) return;
  throw new EngineError(
    'DOCKERFILE',
    `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(', ')}\n${warnings.map(formatWarning).join('\n')}`,
  );
}

export function formatWarning({ rule, message, source, place }: Warning): string {
  return `WARNING: ${rule}: ${message}\n${source.file}:${place.line}:${place.column}\n${excerpt({ source, place, word: undefined })}`;
}

const PLATFORM_ARGS = ['TARGET', 'BUILD'].flatMap((prefix) => ['PLATFORM', 'OS', 'ARCH', 'VARIANT'].map((part) => prefix + part));

/** Where a word cannot be read, whoever builds says so. */
function defaultsOf(args: StatementOf<'arg'>['args'], escape: '\\' | '`'): ReadonlyMap<string, string> {
  const defaults = new Map(PLATFORM_ARGS.map((name) => [name, 'x']));
  for (const { name, raw } of args) {
    const value = raw === undefined ? undefined : expandedOrNot(raw, { escape, value: (other) => defaults.get(other) });
    if (value !== undefined) defaults.set(name, value);
  }
  return defaults;
}

function stageParts(statements: readonly Statement[]): readonly StagePart[] {
  const parts: { from: StagePart['from']; statements: Statement[]; above: StagePart[] }[] = [];
  for (const statement of statements) {
    if (statement.kind === 'from') parts.push({ from: statement, statements: [], above: [...parts] });
    else parts.at(-1)?.statements.push(statement);
  }
  return parts;
}
