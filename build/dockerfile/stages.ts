/** The stages of a Dockerfile: which there are, which are needed for the one that is wanted, and in what order. */
import { EngineError } from '../../core/errors.ts';
import { expandWord, WordError } from './expand.ts';
import { failed } from './failure.ts';
import type { Dockerfile } from './parse.ts';
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
  /** Stages that it takes files from. */
  readonly uses: readonly number[];
}

export interface StagePlan {
  readonly stages: readonly Stage[];
  readonly names: StageNames;
  /** ARGs before the first FROM, with their values. */
  readonly metaArgs: ReadonlyMap<string, string>;
}

/** Numbers of stages by name, in order. */
export type StageNames = ReadonlyMap<string, readonly number[]>;

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
  const names = new Map<string, number[]>();
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
      base: names.get(base.toLowerCase())?.at(-1) ?? base,
      platform: platform === '' ? undefined : platform,
      statements: rest,
      uses: [],
    });
    if (from.stageName === undefined) continue;
    const numbers = names.get(from.stageName);
    if (numbers === undefined) names.set(from.stageName, [stages.length - 1]);
    else numbers.push(stages.length - 1);
  }
  const plan = { stages, names, metaArgs };
  return { ...plan, stages: stages.map((stage) => ({ ...stage, uses: usedStages(plan, stage) })) };
}

/** By name or number. Throws INVALID_ARGUMENT. */
export function findTarget({ stages }: StagePlan, target: string | undefined): Stage {
  if (target === undefined) return stages.at(-1)!;
  const found = stages.findLast(({ name, index }) => name === target.toLowerCase() || String(index) === target);
  if (found !== undefined) return found;
  throw new EngineError('INVALID_ARGUMENT', `the target ${JSON.stringify(target)} was not found in the provided Dockerfile`);
}

/** What has to be built for it, each after those that it waits for, itself last. Throws DOCKERFILE: they wait for each other. */
export function neededStages(plan: StagePlan, target: Stage): readonly Stage[] {
  const needed: Stage[] = [];
  const seen = new Map<number, 'waiting' | 'needed'>();
  const path: { readonly stage: Stage; readonly left: number[] }[] = [];
  const enter = (stage: Stage): void => {
    seen.set(stage.index, 'waiting');
    path.push({ stage, left: [...(typeof stage.base === 'number' ? [stage.base] : []), ...stage.uses] });
  };
  enter(target);
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const { stage, left } = last;
    const next = left.shift();
    if (next === undefined) {
      seen.set(stage.index, 'needed');
      needed.push(stage);
      path.pop();
    } else if (seen.get(next) === 'waiting') throw circle(plan, stage, next);
    else if (!seen.has(next)) enter(plan.stages[next]!);
  }
  return needed;
}

function circle(plan: StagePlan, stage: Stage, other: number): Error {
  const message = `circular dependency detected on stage: ${plan.stages[other]?.name ?? other}`;
  const { at, raw } = stage.from;
  if (stage.base === other) return failed(at, message, { word: raw, at: at.restAt });
  const [statement, word = ''] = stage.statements
    .flatMap((one) => fromWords(one).map((text) => [one, text] as const))
    .find(([, text]) => text.includes('$') || stageNamed(plan, text, stage.index)?.index === other) ?? [stage.from];
  return failed(statement.at, message, { word, at: statement.at.text.indexOf(`from=${word}`) + 'from='.length });
}

/** The stage that `--from` means in the stage `index`, if it means one: the last above of that name, else one below it, or itself. */
export function stageNamed({ stages, names }: Pick<StagePlan, 'stages' | 'names'>, text: string, index: number): Stage | undefined {
  const named = names.get(text.toLowerCase()) ?? [];
  const found = named.findLast((one) => one < index) ?? named.find((one) => one > index) ?? named[0];
  if (found !== undefined) return stages[found];
  return /^\d+$/.test(text) ? stages[Number(text)] : undefined;
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

/** With variables in `--from` every stage above may be meant. */
function usedStages(plan: Pick<StagePlan, 'stages' | 'names'>, { index, statements }: Stage): number[] {
  const used = new Set<number>();
  for (const text of statements.flatMap(fromWords)) {
    if (text.includes('$')) for (const above of plan.stages.slice(0, index)) used.add(above.index);
    const stage = stageNamed(plan, text, index);
    if (stage !== undefined) used.add(stage.index);
  }
  return [...used];
}

function fromWords(statement: Statement): readonly string[] {
  if (statement.kind === 'copy') return statement.rawFrom === undefined ? [] : [statement.rawFrom];
  if (statement.kind !== 'run') return [];
  return statement.rawMounts.flatMap((mount) => /(?:^|,)from=([^,]*)/.exec(mount)?.[1] ?? []);
}
