/** Instructions that change the image's settings and no files. Pure. */
import { posix } from 'node:path';
import { parseSignal } from '../core/signal.ts';
import type { ContainerDefaults } from '../storage/image.ts';
import { expandWords, WordError } from './dockerfile/expand.ts';
import { failed } from './dockerfile/failure.ts';
import { expanded, wordFailure } from './dockerfile/stages.ts';
import type { Command, Statement } from './dockerfile/statement.ts';
import { envValue, withEnv, type StageState } from './state.ts';

export interface MetadataFacts {
  readonly escape: '\\' | '`';
  readonly buildArgs: ReadonlyMap<string, string>;
  /** ARGs before the first FROM: what an ARG without a value takes. */
  readonly metaArgs: ReadonlyMap<string, string>;
  readonly platformArgs: ReadonlyMap<string, string>;
  /** Set whenever they are given: HTTP_PROXY and its kin. */
  readonly predefinedArgs: ReadonlySet<string>;
}

export type MetadataStatement = Exclude<Statement, { readonly kind: 'from' | 'run' | 'copy' | 'add' }>;

export function isMetadata(statement: Statement): statement is MetadataStatement {
  return !['from', 'run', 'copy', 'add'].includes(statement.kind);
}

/** Variables as the words of a step see them. */
export function valueIn(state: StageState): (name: string) => string | undefined {
  return (name) => envValue(state.config.Env, name) ?? state.args.get(name);
}

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

export function shellOf({ Shell }: ContainerDefaults): readonly string[] {
  return Shell ?? DEFAULT_SHELL;
}

/** Throws DOCKERFILE. */
export function applyMetadata(state: StageState, statement: MetadataStatement, facts: MetadataFacts): StageState {
  const { config } = state;
  const expand = (raw: string): string => expanded(statement, raw, facts.escape, valueIn(state));
  const set = (more: Partial<ContainerDefaults>): StageState => ({ ...state, config: { ...config, ...more } });
  switch (statement.kind) {
    case 'arg':
      return declare(state, statement, facts);
    case 'env':
      return set({ Env: statement.pairs.reduce((env, { rawName, raw }) => withEnv(env, expand(rawName), expand(raw)), config.Env ?? []) });
    case 'label':
      return set({
        Labels: { ...config.Labels, ...Object.fromEntries(statement.pairs.map(({ rawName, raw }) => [expand(rawName), expand(raw)])) },
      });
    case 'expose':
      return set({
        ExposedPorts: { ...config.ExposedPorts, ...keys(statement.raws.flatMap((raw) => ports(statement, raw, facts, state))) },
      });
    case 'volume':
      return set({ Volumes: { ...config.Volumes, ...keys(statement.raws.map((raw) => volume(config, expand(raw)))) } });
    case 'user':
      return set({ User: expand(statement.raw) });
    case 'workdir':
      return set({ WorkingDir: absoluteIn(config, expand(statement.raw)) });
    case 'stopsignal':
      return set({ StopSignal: stopSignal(statement, expand(statement.raw)) });
    case 'cmd':
      return set({ Cmd: argvOf(config, statement.command) });
    case 'entrypoint': {
      // A command of the base was meant for the entrypoint of the base.
      const { Cmd, ...rest } = config;
      const keepsCommand =
        Cmd !== undefined && state.history.slice(state.baseHistory).some(({ created_by: by }) => by?.includes('#(nop) CMD ') === true);
      return { ...state, config: { ...rest, ...(keepsCommand ? { Cmd } : {}), Entrypoint: argvOf(config, statement.command) } };
    }
    case 'shell':
      return set({ Shell: statement.words });
    case 'healthcheck':
      return set({ Healthcheck: statement.check });
    case 'onbuild':
      return set({ OnBuild: [...(config.OnBuild ?? []), statement.text] });
    case 'maintainer':
      return { ...state, author: statement.text };
  }
}

export function argvOf(config: ContainerDefaults, command: Command): readonly string[] {
  return 'argv' in command ? command.argv : [...shellOf(config), command.line];
}

export function absoluteIn({ WorkingDir = '/' }: ContainerDefaults, path: string): string {
  const joined = posix.resolve('/', WorkingDir === '' ? '/' : WorkingDir, path);
  return joined;
}

function declare(state: StageState, statement: Extract<Statement, { kind: 'arg' }>, facts: MetadataFacts): StageState {
  let args = state.args;
  const declared = new Set([...state.declared, ...statement.args.map(({ name }) => name)]);
  for (const { name, raw } of statement.args) {
    const own = raw === undefined ? undefined : expanded(statement, raw, facts.escape, valueIn(state));
    const value = facts.buildArgs.get(name) ?? own ?? facts.metaArgs.get(name) ?? facts.platformArgs.get(name) ?? args.get(name);
    if (value !== undefined) args = new Map([...args, [name, value]]);
  }
  return { ...state, args, declared };
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function volume(config: ContainerDefaults, path: string): string {
  return path.startsWith('/') ? path : absoluteIn(config, path);
}

const PORT = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i;

function ports(statement: Statement, raw: string, { escape }: MetadataFacts, state: StageState): string[] {
  let words: string[];
  try {
    words = expandWords(raw, { escape, value: valueIn(state) });
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw wordFailure(statement, raw, error);
  }
  return words.flatMap((word) => {
    const [, first, last = first, protocol = 'tcp'] = PORT.exec(word) ?? [];
    if (first === undefined || Number(last) < Number(first) || Number(last) > 65535 || Number(first) < 1)
      throw failed(statement.at, `invalid containerPort: ${word}`, { word: raw, at: statement.at.text.indexOf(raw) });
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, index) => `${Number(first) + index}/${protocol.toLowerCase()}`);
  });
}

function stopSignal(statement: Statement, text: string): string {
  try {
    parseSignal(text);
  } catch (cause) {
    throw failed(statement.at, `invalid signal: ${text}`, { word: statement.at.rest, at: statement.at.restAt, cause });
  }
  return text;
}
