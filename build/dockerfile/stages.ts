/** The stages of a Dockerfile: which there are, which are needed for the one that is wanted, and in what order. */
import { EngineError } from '../../core/errors.ts';
import { expandWord, WordError } from './expand.ts';
import { failed, type Dockerfile } from './parse.ts';
import type { Statement, StatementOf } from './statement.ts';

export interface Stage {
  readonly index: number;
  /** Absent: it is named by its number alone. */
  readonly name?: string | undefined;
  readonly from: StatementOf<'from'>;
  /** A stage above, or what is to be found elsewhere: an image, a `--build-context`, `scratch`. */
  readonly base: number | string;
  readonly platform?: string | undefined;
  readonly statements: readonly Statement[];
  /** Stages above that it takes files from. */
  readonly uses: readonly number[];
}

export interface StagePlan {
  readonly stages: readonly Stage[];
  /** ARGs before the first FROM, with their values. */
  readonly metaArgs: ReadonlyMap<string, string>;
}

export interface StageFacts {
  /** `--build-arg`. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Always there for FROM: TARGETPLATFORM and its kin. */
  readonly platformArgs: ReadonlyMap<string, string>;
}

/** Throws DOCKERFILE. */
export function planStages({ statements, directives, source }: Dockerfile, facts: StageFacts): StagePlan {
  const metaArgs = new Map<string, string>();
  const value = (name: string): string | undefined => metaArgs.get(name) ?? facts.platformArgs.get(name);
  const expand = (statement: Statement, raw: string): string => expanded(statement, raw, directives.escape, value);
  const stages: Stage[] = [];
  const named = new Map<string, number>();
  const first = statements.findIndex(({ kind }) => kind === 'from');
  for (const statement of first < 0 ? statements : statements.slice(0, first)) {
    if (statement.kind !== 'arg')
      throw failed(statement.at, 'no build stage in current context: a Dockerfile begins with FROM', {
        word: statement.at.typedName,
        at: 0,
      });
    for (const { name, raw } of statement.args) {
      const given = facts.buildArgs.get(name) ?? (raw === undefined ? undefined : expand(statement, raw));
      if (given !== undefined) metaArgs.set(name, given);
    }
  }
  if (first < 0) throw new EngineError('DOCKERFILE', `${source.file}: file with no instructions: it has no FROM`);
  for (const part of partsFrom(statements, first)) {
    const [from, ...rest] = part;
    const base = expand(from, from.raw);
    if (base === '') throw failed(from.at, `base name (${from.raw}) should not be blank`, { word: from.raw, at: from.at.restAt });
    const platform = from.rawPlatform === undefined ? undefined : expand(from, from.rawPlatform);
    stages.push({
      index: stages.length,
      name: from.stageName,
      from,
      base: named.get(base.toLowerCase()) ?? base,
      platform: platform === '' ? undefined : platform,
      statements: rest,
      uses: usedStages(rest, stages, named),
    });
    if (from.stageName !== undefined) named.set(from.stageName, stages.length - 1);
  }
  return { stages, metaArgs };
}

/** By name or number. Throws INVALID_ARGUMENT. */
export function findTarget({ stages }: StagePlan, target: string | undefined): Stage {
  if (target === undefined) return stages.at(-1)!;
  const found = stages.findLast(({ name, index }) => name === target.toLowerCase() || String(index) === target);
  if (found !== undefined) return found;
  throw new EngineError('INVALID_ARGUMENT', `the target ${JSON.stringify(target)} was not found in the provided Dockerfile`);
}

/** What has to be built for it, itself last. A stage refers only to those above it, so there are no circles. */
export function neededStages({ stages }: StagePlan, target: Stage): readonly Stage[] {
  const needed = new Set<number>([target.index]);
  for (const stage of stages.slice(0, target.index + 1).toReversed()) {
    if (!needed.has(stage.index)) continue;
    if (typeof stage.base === 'number') needed.add(stage.base);
    for (const index of stage.uses) needed.add(index);
  }
  return stages.filter(({ index }) => needed.has(index));
}

/** The stage that `--from` means, if it means one. */
export function stageNamed(stages: readonly Stage[], text: string): Stage | undefined {
  const byName = stages.findLast(({ name }) => name === text.toLowerCase());
  return byName ?? (/^\d+$/.test(text) ? stages[Number(text)] : undefined);
}

/** Throws DOCKERFILE. */
export function expanded(statement: Statement, raw: string, escape: '\\' | '`', value: (name: string) => string | undefined): string {
  try {
    return expandWord(raw, { escape, value });
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw wordFailure(statement, raw, error);
  }
}

export function wordFailure(statement: Statement, raw: string, error: WordError): Error {
  const at = statement.at.text.indexOf(raw);
  return failed(statement.at, error.message, at < 0 ? {} : { word: raw, at });
}

type Part = readonly [StatementOf<'from'>, ...Statement[]];

function partsFrom(statements: readonly Statement[], first: number): Part[] {
  const parts: [StatementOf<'from'>, ...Statement[]][] = [];
  for (const statement of statements.slice(first)) {
    if (statement.kind === 'from') parts.push([statement]);
    else parts.at(-1)!.push(statement);
  }
  return parts;
}

/** With variables in `--from` every stage may be meant. */
function usedStages(statements: readonly Statement[], above: readonly Stage[], named: ReadonlyMap<string, number>): number[] {
  const used = new Set<number>();
  for (const text of statements.flatMap(fromWords)) {
    if (text.includes('$')) for (const { index } of above) used.add(index);
    const index = named.get(text.toLowerCase()) ?? (/^\d+$/.test(text) ? above[Number(text)]?.index : undefined);
    if (index !== undefined) used.add(index);
  }
  return [...used];
}

function fromWords(statement: Statement): readonly string[] {
  if (statement.kind === 'copy') return statement.rawFrom === undefined ? [] : [statement.rawFrom];
  if (statement.kind !== 'run') return [];
  return statement.rawMounts.flatMap((mount) => /(?:^|,)from=([^,]*)/.exec(mount)?.[1] ?? []);
}
