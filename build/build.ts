/** A build: the stages that are needed, side by side where one does not wait for another, and the image of the last. */
import { EngineError } from '../core/errors.ts';
import { hostPlatform } from '../storage/platform.ts';
import { EPOCH, OF_BUILDKIT, platformArgs, PREDEFINED } from './arguments.ts';
import { findTarget, neededStages, planStages, type StagePlan } from './dockerfile/stages.ts';
import type { BuildMachine } from './machine.ts';
import type { OwnerLookUp } from './owner.ts';
import type { BuildRequest } from './request.ts';
import { buildStage } from './stage.ts';
import { withEntry, type StageState } from './state.ts';
import type { StepRepositories } from './step-repositories.ts';

export interface BuildParts {
  readonly machine: BuildMachine;
  readonly lookUpOwner: OwnerLookUp;
  readonly repositories?: StepRepositories | undefined;
  /** One layer in the place of those that a stage has made. */
  readonly squash: (state: StageState) => Promise<StageState>;
}

/** What the target came to; it is no image yet. Throws DOCKERFILE, INVALID_ARGUMENT, and what images, layers and the runtime throw. */
export async function build(request: BuildRequest, parts: BuildParts): Promise<StageState> {
  const { dockerfile, buildArgs } = request;
  const platform = platformArgs(request.platform, hostPlatform());
  const plan = withBase(planStages(dockerfile, { buildArgs, platformArgs: platform }), request.from);
  const facts = {
    escape: dockerfile.directives.escape,
    buildArgs,
    metaArgs: plan.metaArgs,
    platformArgs: platform,
    predefinedArgs: new Set(PREDEFINED),
  };
  const target = findTarget(plan, request.target);
  const fresh = new Set(request.freshStages.map((name) => findTarget(plan, name).index));
  const running = new Map<number, Promise<StageState>>();
  const other = (index: number): Promise<StageState> => {
    const known = running.get(index);
    if (known !== undefined) return known;
    throw new EngineError('DOCKERFILE', `stage ${index} is not built yet: a stage can use those above it`);
  };
  for (const stage of neededStages(plan, target)) {
    const useCache = request.useCache && !fresh.has(stage.index);
    const built = buildStage({ ...parts, request, useCache, plan, stage, facts, other });
    const isBase = plan.stages.some(({ base }) => base === stage.index);
    const state = request.layers === 'one' && isBase && stage.index !== target.index ? built.then(parts.squash) : built;
    state.catch(() => undefined);
    running.set(stage.index, state);
  }
  const settled = await Promise.allSettled(running.values());
  const seen = settled.flatMap((one) => (one.status === 'fulfilled' ? [...one.value.declared] : []));
  warnOfUnused(request, plan, seen);
  const failure = settled.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return withLabels(await running.get(target.index)!, request);
}

function withBase(plan: StagePlan, from: string | undefined): StagePlan {
  const [first, ...rest] = plan.stages;
  return from === undefined || first === undefined ? plan : { ...plan, stages: [{ ...first, base: from }, ...rest] };
}

/** `--label` is the last step. */
function withLabels(state: StageState, { labels }: BuildRequest): StageState {
  const told = Object.entries(labels).map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`);
  return told.length === 0 ? state : withEntry(state, `/bin/sh -c #(nop) LABEL ${told.join(' ')}`);
}

/** `seen`: ARGs of the stages that were built, those of ONBUILD among them. */
function warnOfUnused({ buildArgs, warn }: BuildRequest, { stages, metaArgs }: StagePlan, seen: readonly string[]): void {
  const declared = new Set([...metaArgs.keys(), ...PREDEFINED, EPOCH, ...seen]);
  for (const { statements } of stages)
    for (const statement of statements) if (statement.kind === 'arg') for (const { name } of statement.args) declared.add(name);
  const unused = [...buildArgs.keys()].filter((name) => !declared.has(name) && !OF_BUILDKIT.test(name));
  if (unused.length > 0) warn(`[Warning] one or more build args were not consumed: [${unused.join(' ')}]`);
}
