/** A stage in the making: what the image would be after the steps so far. Each step gives a new one. */
import { createHash } from 'node:crypto';
import type { Digest } from '../core/digest.ts';
import type { ContainerDefaults, HistoryEntry, Platform } from '../storage/image.ts';
import type { BaseImage } from './machine.ts';

export interface StageState {
  readonly config: ContainerDefaults;
  readonly author?: string | undefined;
  readonly platform: Platform;
  readonly layers: readonly Digest[];
  /** How many of the layers are those of the base. */
  readonly baseLayers: number;
  readonly baseHistory: number;
  readonly history: readonly HistoryEntry[];
  /** ARGs of the stage that have a value, in the order in which they were declared. */
  readonly args: ReadonlyMap<string, string>;
  /** All ARGs of the stage, also those without a value. */
  readonly declared: ReadonlySet<string>;
  /** RFC 3339; empty where nothing is made yet. */
  readonly created: string;
  /** Of the first entry of the stage in the history. */
  readonly comment?: string | undefined;
  /** The image that the stage began with. */
  readonly base?: BaseImage | undefined;
}

/** The digest of all that a step can see of what was before it. */
export function stateKey({ config, author, platform, layers, args, history }: StageState): string {
  return keyOf([config, author, platform, layers, [...args], history.map(({ created_by: by, empty_layer: empty }) => [by, empty])]);
}

export function keyOf(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function envValue(env: readonly string[] | undefined, name: string): string | undefined {
  const found = env?.findLast((variable) => variable.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** The variable in its place if it is there already. */
export function withEnv(env: readonly string[] | undefined, name: string, value: string): readonly string[] {
  const known = env ?? [];
  const at = known.findIndex((variable) => variable.startsWith(`${name}=`));
  return at < 0 ? [...known, `${name}=${value}`] : known.with(at, `${name}=${value}`);
}

/** ARGs with the values that count: a variable of the image stands before one of the same name. */
export function seenArgs({ config, args }: StageState): ReadonlyMap<string, string> {
  return new Map([...args].map(([name, value]) => [name, envValue(config.Env, name) ?? value]));
}

/** What a program of a step finds: the image's variables, and ARGs that no variable of the image stands before. */
export function stepEnv({ config, args }: StageState): readonly string[] {
  const names = new Set((config.Env ?? []).map((variable) => variable.slice(0, variable.indexOf('='))));
  return [...[...args].filter(([name]) => !names.has(name)).map(([name, value]) => `${name}=${value}`), ...(config.Env ?? [])];
}

/** One more step that changed no files. */
export function withEntry(state: StageState, createdBy: string): StageState {
  const comment = state.history.length === state.baseHistory ? state.comment : undefined;
  const entry: HistoryEntry = {
    ...(state.created === '' ? {} : { created: state.created }),
    created_by: createdBy,
    ...(comment === undefined ? {} : { comment }),
    empty_layer: true,
  };
  return { ...state, history: [...state.history, entry] };
}
