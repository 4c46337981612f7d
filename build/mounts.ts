/** `RUN --mount=…`: the words, read. Pure. */
import { posix } from 'node:path';
import { parseCsvLine } from '../core/csv.ts';

export type RunMount =
  | {
      readonly type: 'bind';
      readonly from?: string | undefined;
      readonly source: string;
      readonly target: string;
      readonly writable: boolean;
    }
  | {
      readonly type: 'cache';
      readonly id: string;
      /** What it begins with; absent: nothing. */
      readonly origin?: { readonly from: string; readonly source: string } | undefined;
      readonly target: string;
      readonly readOnly: boolean;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: string | undefined }
  | {
      readonly type: 'secret' | 'ssh';
      readonly id: string;
      readonly target?: string | undefined;
      /** The variable that has the secret. */
      readonly env?: string | undefined;
      readonly required: boolean;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number;
    };

/** What is wrong with the words of a mount; the caller knows where they stand. */
export class MountWordError extends Error {}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  bind: ['from', 'source', 'target', 'rw', 'ro', 'z', 'bind-propagation', 'relabel'],
  cache: ['id', 'from', 'source', 'target', 'ro', 'rw', 'sharing', 'uid', 'gid', 'mode', 'z', 'relabel'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'env', 'required', 'uid', 'gid', 'mode'],
  ssh: ['id', 'target', 'required', 'uid', 'gid', 'mode'],
};

const SAME: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  readonly: 'ro',
  readwrite: 'rw',
  Z: 'z',
  'tmpfs-size': 'size',
};

/** `workdir`: what a relative target is below. Throws MountWordError. */
export function parseRunMount(text: string, workdir: string): RunMount {
  const words = new Map(parseCsvLine(text).map(option));
  const type = words.get('type') ?? 'bind';
  const known = Object.hasOwn(OPTIONS, type) ? OPTIONS[type]! : undefined;
  if (known === undefined) throw new MountWordError(`unsupported mount type ${JSON.stringify(type)}`);
  const odd = [...words.keys()].find((name) => name !== 'type' && !known.includes(name));
  if (odd !== undefined) throw new MountWordError(`unexpected key '${odd}' for mount type '${type}'`);
  const target = words.has('target') ? posix.resolve('/', workdir, words.get('target')!) : undefined;
  if (type === 'secret' || type === 'ssh') return hidden(type, words, target);
  if (target === undefined || target === '/') throw new MountWordError(`mount type ${type} needs a target`);
  if (type === 'tmpfs') return { type, target, size: words.get('size') };
  if (type === 'bind')
    return { type, from: words.get('from'), source: words.get('source') ?? '/', target, writable: flag(words, 'rw') && !flag(words, 'ro') };
  const sharing = words.get('sharing') ?? 'shared';
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked')
    throw new MountWordError(`unsupported sharing value ${JSON.stringify(sharing)}`);
  return {
    type: 'cache',
    id: words.get('id') ?? target,
    origin: origin(words),
    target,
    readOnly: flag(words, 'ro'),
    sharing,
    ...owner(words, 0o755),
  };
}

function origin(words: ReadonlyMap<string, string>): { readonly from: string; readonly source: string } | undefined {
  const [from, source] = [words.get('from'), words.get('source')];
  if (from !== undefined) return { from, source: source ?? '/' };
  if (source !== undefined) throw new MountWordError("'source' of mount type 'cache' needs 'from'");
  return undefined;
}

function option(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const typed = equals < 0 ? text : text.slice(0, equals);
  return [SAME[typed] ?? typed, equals < 0 ? 'true' : text.slice(equals + 1)];
}

function hidden(type: 'secret' | 'ssh', words: ReadonlyMap<string, string>, target: string | undefined): RunMount {
  const id = words.get('id') ?? (type === 'ssh' ? 'default' : target === undefined ? undefined : posix.basename(target));
  if (id === undefined || id === '') throw new MountWordError('mount type secret needs an id or a target');
  return { type, id, target, env: words.get('env'), required: flag(words, 'required'), ...owner(words, type === 'ssh' ? 0o600 : 0o400) };
}

function owner(words: ReadonlyMap<string, string>, mode: number): { readonly uid: number; readonly gid: number; readonly mode: number } {
  const octal = words.get('mode') ?? mode.toString(8);
  if (!/^[0-7]{1,4}$/.test(octal)) throw new MountWordError(`invalid mode ${JSON.stringify(octal)}`);
  return { uid: number(words, 'uid'), gid: number(words, 'gid'), mode: Number.parseInt(octal, 8) };
}

function number(words: ReadonlyMap<string, string>, name: string): number {
  const text = words.get(name) ?? '0';
  if (!/^\d{1,10}$/.test(text)) throw new MountWordError(`invalid value for ${name}: ${JSON.stringify(text)}`);
  return Number(text);
}

function flag(words: ReadonlyMap<string, string>, name: string): boolean {
  const text = words.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false') throw new MountWordError(`invalid value for ${name}: ${JSON.stringify(text)}`);
  return text === 'true';
}
