/** One stage: its steps in order, each looked for in the cache before it is done. */
import { Root } from '../host/root.ts';
import { EngineError, isEngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import type { HistoryEntry, Platform } from '../storage/image.ts';
import { parsePlatform } from '../storage/platform.ts';
import type { AppliedLayer } from '../storage/layer/store.ts';
import type { SourceTree } from './copy/sources.ts';
import { failed, flagPlace } from './dockerfile/failure.ts';
import { parseTrigger } from './dockerfile/parse.ts';
import { readSource } from './dockerfile/source.ts';
import { expanded, neededStages, stageNamed, type Stage, type StagePlan } from './dockerfile/stages.ts';
import type { Statement, StatementOf } from './dockerfile/statement.ts';
import { fetchRepository, fetchUrl } from './fetch.ts';
import { metadataHistory, runHistory, transferHistory } from './history.ts';
import type { BaseImage, BuildMachine, CachedStep } from './machine.ts';
import { absoluteIn, applyMetadata, isMetadata, valueIn, type MetadataFacts } from './metadata.ts';
import { makeReady, mountKey, type MountFacts } from './mounting.ts';
import { MountWordError, parseRunMount, type RunMount } from './mounts.ts';
import type { BuildRequest, NamedContext } from './request.ts';
import { planRun, runStep } from './run.ts';
import { envValue, keyOf, seenArgs, stateKey, withEntry, withEnv, type StageState } from './state.ts';
import type { StepRepositories } from './step-repositories.ts';
import { addTransfer, planTransfer, type Transfer, type TransferFacts } from './transfer.ts';
import type { OwnerLookUp } from './owner.ts';
import { predefinedEnv } from './arguments.ts';

export interface StageBuild {
  readonly machine: BuildMachine;
  readonly request: BuildRequest;
  readonly useCache: boolean;
  readonly plan: StagePlan;
  readonly stage: Stage;
  readonly facts: MetadataFacts;
  readonly lookUpOwner: OwnerLookUp;
  /** Absent: there are none. */
  readonly repositories?: StepRepositories | undefined;
  /** What another stage came to. */
  readonly other: (index: number) => Promise<StageState>;
}

/** Throws DOCKERFILE, and what images, layers and the runtime throw. */
export async function buildStage(build: StageBuild): Promise<StageState> {
  const { stage, request } = build;
  const begun = await begin(build);
  const triggers = (begun.config.OnBuild ?? []).flatMap((text) =>
    parseTrigger(readSource(`ONBUILD of ${String(stage.base)}`, Buffer.from(text))),
  );
  const statements = [...triggers, ...stage.statements];
  const of = statements.length + 1;
  request.tell({
    kind: 'step',
    stage: stage.index,
    number: 1,
    of,
    text: `FROM ${baseName(build)}${stage.name === undefined ? '' : ` AS ${stage.name}`}`,
  });
  const { OnBuild: _done, ...config } = begun.config;
  let state: StageState = { ...begun, config: statements.length === 0 ? config : withPath(config) };
  for (const [index, statement] of statements.entries()) {
    request.tell({ kind: 'step', stage: stage.index, number: index + 2, of, text: stepText(statement) });
    const { state: next, cached, key, madeMs } = await step(build, state, statement);
    state = next;
    const told = { stage: stage.index, id: stateKey(state), isLast: index === statements.length - 1 };
    if (cached) request.tell({ kind: 'cached', ...told });
    build.repositories?.send({ stage: stage.index, key, state, madeMs, name: statement.at.text });
    if (!cached) request.tell({ kind: 'done', ...told });
  }
  return state;
}

function baseName({ stage, plan }: StageBuild): string {
  if (typeof stage.base === 'string') return stage.base;
  return plan.stages[stage.base]?.name ?? String(stage.base);
}

function stepText(statement: Statement): string {
  const [document] = 'heredocs' in statement ? statement.heredocs : [];
  return document === undefined ? statement.at.text : `${statement.at.text} (${document.content.trimEnd().split('\n')[0] ?? ''})`;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What Podman puts into an image that begins with nothing. */
const EMPTY_CONFIG = { Env: [`PATH=${PATH}`], WorkingDir: '/' };

/** Programs like gcc look for others along it, and a shell does not pass on the one that it assumes. */
function withPath(config: StageState['config']): StageState['config'] {
  return envValue(config.Env, 'PATH') === undefined ? { ...config, Env: withEnv(config.Env, 'PATH', PATH) } : config;
}

async function begin(build: StageBuild): Promise<StageState> {
  const { stage, request } = build;
  if (typeof stage.base === 'number') {
    const state = await build.other(stage.base);
    const own = { config: inherited(state.config, request), baseLayers: state.layers.length, baseHistory: state.history.length };
    return withRequestEnv({ ...state, ...own, comment: undefined }, request);
  }
  const { base: name } = stage;
  const empty = { args: new Map<string, string>(), declared: new Set<string>(), layers: [], baseLayers: 0, baseHistory: 0, history: [] };
  const platform = stage.platform === undefined ? request.platform : parsedPlatform(build, stage.platform);
  if (name === 'scratch') return withRequestEnv({ ...empty, config: EMPTY_CONFIG, platform, created: '' }, request);
  const context = request.contexts.get(name);
  const isWanted = stage.platform !== undefined || request.givenPlatform;
  const base = await imageOf(build, context, context?.kind === 'image' ? context.name : name, isWanted ? platform : undefined);
  const { config, author, os, architecture, variant, history = [], created = '' } = base.config;
  return withRequestEnv(
    {
      ...empty,
      config: inherited(config ?? {}, request),
      author,
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
      layers: base.layers,
      baseLayers: base.layers.length,
      history: request.layers === 'all' ? [] : history,
      baseHistory: request.layers === 'all' ? 0 : history.length,
      created,
      base,
      comment: base.name === undefined ? undefined : `FROM ${base.name}`,
    },
    request,
  );
}

/** Of the store, the machine, or the user: they say nothing of the name. */
const NOT_OF_THE_NAME = ['STORE_CORRUPT', 'STORE_FULL', 'ABORTED'] as const;

async function imageOf(
  { machine, stage }: StageBuild,
  named: NamedContext | undefined,
  text: string,
  platform: Platform | undefined,
): Promise<BaseImage> {
  const { at, raw } = stage.from;
  const bad = (message: string, more: { readonly cause?: unknown; readonly hint?: string } = {}): Error =>
    failed(at, message, { word: raw, at: at.restAt, ...more });
  if (named?.kind === 'tree') throw bad(`${text} is a directory of --build-context, and no image`);
  try {
    return await machine.image(text, platform);
  } catch (error) {
    if (!(error instanceof EngineError) || NOT_OF_THE_NAME.some((code) => code === error.code)) throw error;
    throw bad(error.message, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }
}

function parsedPlatform({ stage }: StageBuild, text: string): Platform {
  try {
    return parsePlatform(text);
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    const { at, rawPlatform = '' } = stage.from;
    throw failed(at, cause.message, { word: rawPlatform, at: at.text.indexOf(rawPlatform), cause });
  }
}

function inherited({ Labels, ...config }: StageState['config'], { inheritLabels }: BuildRequest): StageState['config'] {
  return inheritLabels && Labels !== undefined ? { ...config, Labels } : config;
}

/** `--env` is a step of its own in each stage. */
function withRequestEnv(state: StageState, { env }: BuildRequest): StageState {
  if (env.length === 0) return state;
  const told = env.map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`).join(' ');
  const config = { ...state.config, Env: env.reduce((all, [name, value]) => withEnv(all, name, value), state.config.Env ?? []) };
  return withEntry({ ...state, config }, `/bin/sh -c #(nop) ENV ${told}`);
}

interface Stepped {
  readonly state: StageState;
  readonly cached: boolean;
  readonly key: string;
  readonly madeMs: number;
}

async function step(build: StageBuild, state: StageState, statement: Statement): Promise<Stepped> {
  if (isMetadata(statement)) {
    const next = applyMetadata(state, statement, build.facts);
    const what = [statement.at.text, next.config, next.author, [...next.args]];
    return await cachedStep(build, state, next, what, metadataHistory(statement, next.declared), undefined);
  }
  if (statement.kind === 'run') return await run(build, state, statement);
  if (statement.kind === 'from') throw new Error('FROM begins a stage');
  return await transfer(build, state, statement);
}

async function run(build: StageBuild, state: StageState, statement: StatementOf<'run'>): Promise<Stepped> {
  const { machine, facts, request } = build;
  const network = statement.rawNetwork === undefined ? undefined : expanded(statement, statement.rawNetwork, facts.escape, valueIn(state));
  if (network !== undefined && !['default', 'none', 'host'].includes(network))
    throw failed(statement.at, `unsupported network mode ${JSON.stringify(network)}: it is default, none or host`, {
      ...flagPlace(statement.at, 'network'),
    });
  if (statement.rawSecurity !== undefined && statement.rawSecurity !== 'sandbox')
    throw failed(statement.at, `unsupported security mode ${JSON.stringify(statement.rawSecurity)}`, {
      ...flagPlace(statement.at, 'security'),
    });
  if (state.layers.length === 0) throw failed(statement.at, 'there is nothing to run in an empty image (FROM scratch)', { exitCode: 1 });
  await using held = new AsyncDisposableStack();
  const mounts = statement.rawMounts.map((raw) => runMount(build, state, statement, raw));
  const mountFacts: MountFacts = {
    machine,
    hidden: request.hidden,
    tree: async (from) => {
      const opened = held.use(await sourceTree(build, statement, from));
      if (opened.tree === undefined) throw new MountWordError('there is no build context');
      return opened.tree;
    },
  };
  return await explained(statement, async () => {
    const { keepsVolumes } = request;
    const keys = await Promise.all(mounts.map((mount) => mountKey(mount, mountFacts)));
    const what = ['RUN', planRun(state, statement), network, keys, ...(keepsVolumes ? ['volumes are kept'] : [])];
    return await cachedStep(build, state, state, what, runHistory(statement, seenArgs(state)), async () => {
      await using ready = await makeReady(mounts, mountFacts);
      return await runStep(machine, state, statement, {
        stage: build.stage.index,
        lookUpOwner: build.lookUpOwner,
        mounts: ready.mounts,
        env: [...predefinedEnv(facts, state), ...ready.env],
        network: network === 'none' || network === 'host' ? network : undefined,
        keepsVolumes,
      });
    });
  });
}

function runMount({ facts }: StageBuild, state: StageState, statement: StatementOf<'run'>, raw: string): RunMount {
  const text = expanded(statement, raw, facts.escape, valueIn(state));
  try {
    return parseRunMount(text, absoluteIn(state.config, '.'));
  } catch (error) {
    throw mountFailure(statement, error);
  }
}

async function explained<T>(statement: StatementOf<'run'>, work: () => Promise<T>): Promise<T> {
  return await work().catch((error: unknown) => {
    throw mountFailure(statement, error);
  });
}

function mountFailure({ at }: StatementOf<'run'>, error: unknown): unknown {
  return error instanceof MountWordError ? failed(at, error.message, { word: '--mount', at: at.text.indexOf('--mount') }) : error;
}

async function transfer(build: StageBuild, state: StageState, statement: Transfer): Promise<Stepped> {
  const { machine, request } = build;
  const from = statement.rawFrom === undefined ? undefined : expanded(statement, statement.rawFrom, build.facts.escape, valueIn(state));
  await using tree = await sourceTree(build, statement, from);
  using held = new DisposableStack();
  const facts: TransferFacts = {
    escape: build.facts.escape,
    tree: tree.tree,
    isImage: tree.isImage,
    treeName: tree.name,
    lookUpOwner: build.lookUpOwner,
    fetch: (url, checksum) => fetchUrl(machine, url, checksum),
    repository: async (url, options) => held.use(await fetchRepository(machine, url, options)),
    nowSeconds: request.timestamp ?? Math.floor(Date.now() / 1000),
  };
  const plan = await planTransfer(state, statement, facts);
  const what = [statement.kind, plan.digest, plan.to, plan.rawOwner, plan.modeText, statement.parents, statement.unpack];
  const told = transferHistory(statement, plan);
  return await cachedStep(build, state, state, what, told, () => addTransfer(machine, state, statement, plan, facts));
}

interface OpenTree extends AsyncDisposable {
  readonly tree: SourceTree | undefined;
  readonly isImage: boolean;
  readonly name: string;
}

/** What `--from` names: a stage, a `--build-context`, an image; without it the context. */
async function sourceTree(build: StageBuild, statement: Statement, from: string | undefined): Promise<OpenTree> {
  const { request, plan, stage, machine } = build;
  const nothing = async (): Promise<void> => undefined;
  if (from === undefined) return { tree: request.context, isImage: false, name: request.contextName, [Symbol.asyncDispose]: nothing };
  const context = request.contexts.get(from);
  if (context?.kind === 'tree') return { tree: context.tree, isImage: false, name: context.path, [Symbol.asyncDispose]: nothing };
  const other = stageNamed(plan, from, stage.index);
  if (other !== undefined) refuseCircle(build, statement, other, from);
  const layers =
    other === undefined ? (await imageNamed(build, statement, context?.name ?? from)).layers : (await build.other(other.index)).layers;
  if (layers.length === 0) throw failed(statement.at, `there are no files in ${from}`);
  const view = await machine.view(layers);
  const root = new Root(view.path);
  return {
    tree: { root, rules: { isLeftOut: () => false, mayHoldWanted: () => false } },
    isImage: true,
    name: from,
    [Symbol.asyncDispose]: async () => {
      root[Symbol.dispose]();
      await view[Symbol.asyncDispose]();
    },
  };
}

/** ONBUILD of a base may name a stage that nobody has waited for. Throws DOCKERFILE. */
function refuseCircle({ plan, stage }: StageBuild, statement: Statement, other: Stage, from: string): void {
  if (stage.uses.includes(other.index) || neededStages(plan, other).every(({ index }) => index < stage.index)) return;
  throw failed(statement.at, `${statement.at.name} --from=${from}: that stage is not built before this one`, fromWord(statement, from));
}

async function imageNamed({ machine }: StageBuild, statement: Statement, name: string): Promise<BaseImage> {
  const missing = `${statement.at.name} --from=${name}: no stage or image found with that name`;
  if (/^\d+$/.test(name)) throw failed(statement.at, missing, fromWord(statement, name));
  try {
    return await machine.image(name, undefined);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    throw failed(statement.at, `${missing}: ${cause.message}`, { ...fromWord(statement, name), cause });
  }
}

/** Of `--from`, or in a mount. */
function fromWord({ at }: Statement, from: string): { readonly word: string; readonly at: number } | undefined {
  const word = `from=${from}`;
  return flagPlace(at, 'from') ?? (at.text.includes(word) ? { word, at: at.text.indexOf(word) } : undefined);
}

/** `next`: the state after the step but for its layer and its history. */
async function cachedStep(
  build: StageBuild,
  state: StageState,
  next: StageState,
  what: unknown,
  createdBy: string,
  work: (() => Promise<AppliedLayer>) | undefined,
): Promise<Stepped> {
  const { machine, request } = build;
  const key = keyOf([stateKey(state), what, request.timestamp, request.fileTimes]);
  const found = findStep(build, key) ?? (await fetchStep(build, state, key, work !== undefined));
  if (found !== undefined) return { state: advanced(state, next, found, createdBy), cached: true, key, madeMs: found.madeMs };
  const applied = work === undefined ? undefined : await work();
  for (const notice of applied?.notices ?? []) log.warn(notice);
  const madeMs = Date.now();
  const created = new Date(request.timestamp === undefined ? madeMs : request.timestamp * 1000).toISOString();
  const done: CachedStep = { ...(applied === undefined ? {} : { layer: applied.facts.diffId }), created, madeMs };
  machine.cache.keep(key, done);
  return { state: advanced(state, next, done, createdBy), cached: false, key, madeMs };
}

function findStep({ machine, request, useCache }: StageBuild, key: string): CachedStep | undefined {
  const found = useCache ? machine.cache.find(key) : undefined;
  return found === undefined || found.madeMs <= newestTooOldMs(request) ? undefined : found;
}

async function fetchStep(build: StageBuild, { layers }: StageState, key: string, makesLayer: boolean): Promise<CachedStep | undefined> {
  const { machine, request, stage, repositories, useCache } = build;
  if (repositories === undefined || !useCache || request.cacheTtlMs === 0) return undefined;
  const found = await repositories.find({ stage: stage.index, key, below: layers, makesLayer, afterMs: newestTooOldMs(request) });
  if (found !== undefined) machine.cache.keep(key, found);
  return found;
}

function newestTooOldMs({ cacheTtlMs }: BuildRequest): number {
  return cacheTtlMs === undefined ? -Infinity : Date.now() - cacheTtlMs;
}

function advanced(before: StageState, next: StageState, { layer, created }: CachedStep, createdBy: string): StageState {
  const isFirst = before.history.length === before.baseHistory;
  const entry: HistoryEntry = {
    created,
    created_by: createdBy,
    ...(next.author === undefined ? {} : { author: next.author }),
    ...(isFirst && before.comment !== undefined ? { comment: before.comment } : {}),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  return { ...next, created, layers: layer === undefined ? next.layers : [...next.layers, layer], history: [...next.history, entry] };
}
