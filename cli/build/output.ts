/** `--output`, in Podman's words and in those of Docker. */
import { resolve } from 'node:path';
import { parseCsvLine } from '../../core/csv.ts';
import { EngineError } from '../../core/errors.ts';
import type { BuildOutput } from '../../libpod/build/output.ts';
import type { CommandContext } from '../command.ts';
import { archiveOutput } from '../output.ts';

export interface OutputWish {
  readonly outputs: readonly BuildOutput[];
  /** Of `type=image,name=…`. */
  readonly tags: readonly string[];
  /** Something is written to stdout: nothing else is. */
  readonly takesStdout: boolean;
  /** The image goes to the registries of its names. */
  readonly pushes: boolean;
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  local: ['dest'],
  tar: ['dest'],
  docker: ['dest', 'name'],
  oci: ['dest', 'name', 'tar'],
  image: ['name', 'push'],
  registry: ['name'],
};

/** Throws INVALID_ARGUMENT. */
export function readOutputs(context: CommandContext, texts: readonly string[]): OutputWish {
  const read = texts.map((text) => readOutput(context, text));
  return {
    outputs: read.flatMap(({ output }) => output ?? []),
    tags: read.flatMap(({ tags }) => tags),
    takesStdout: read.some(({ output }) => output !== undefined && 'to' in output && typeof output.to !== 'string'),
    pushes: read.some(({ pushes }) => pushes === true),
  };
}

interface ReadOutput {
  readonly output?: BuildOutput;
  readonly tags: readonly string[];
  readonly pushes?: boolean;
}

function readOutput(context: CommandContext, text: string): ReadOutput {
  const bad = (why: string): EngineError =>
    new EngineError('INVALID_ARGUMENT', `failed to parse build output ${JSON.stringify(text)}: ${why}`);
  const words = text.includes('=')
    ? new Map(parseCsvLine(text).map(keyValue))
    : new Map([
        ['type', text === '-' ? 'tar' : 'local'],
        ['dest', text],
      ]);
  const type = words.get('type') ?? '';
  const known = Object.hasOwn(KEYS, type) ? KEYS[type]! : undefined;
  if (known === undefined)
    throw bad(type === '' ? 'it has no type' : `invalid type ${JSON.stringify(type)}: it is local, tar, docker, oci, image or registry`);
  const odd = [...words.keys()].find((key) => key !== 'type' && !known.includes(key));
  if (odd !== undefined) throw bad(`unrecognized key ${JSON.stringify(odd)}`);
  const push = words.get('push') ?? 'false';
  if (push !== 'true' && push !== 'false') throw bad(`push=${push} is neither true nor false`);
  const tags = (words.get('name') ?? '').split(',').filter((name) => name !== '');
  const dest = words.get('dest');
  if (type === 'image' || type === 'registry') return { tags, pushes: type === 'registry' || push === 'true' };
  if (type === 'docker' && dest === undefined) return { tags };
  if (dest === '') throw bad('dest is empty');
  if (type === 'local') {
    if (dest === undefined) throw bad('type=local needs a dest');
    if (dest === '-') throw bad('"type=local" can not be used with "dest=-"');
    return { output: { kind: 'local', directory: resolve(context.cwd, dest) }, tags };
  }
  const isDirectory = type === 'oci' && words.get('tar') === 'false';
  if (isDirectory && (dest === undefined || dest === '-')) throw bad('a directory needs a dest');
  const to =
    dest === undefined || dest === '-'
      ? archiveOutput(context, undefined, `refusing to write ${type} to the terminal: redirect it, or use dest=FILE`)
      : resolve(context.cwd, dest);
  if (type === 'tar') return { output: { kind: 'tar', to }, tags };
  return { output: { kind: 'image', format: type === 'docker' ? 'docker-archive' : isDirectory ? 'oci-dir' : 'oci-archive', to }, tags };
}

function keyValue(word: string): readonly [string, string] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
}
