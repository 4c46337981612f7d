/** `--secret` and `--ssh`. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { HiddenThings } from '../../build/mounting.ts';
import { parseCsvLine } from '../../core/csv.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';

export interface HiddenFlags {
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
}

const MAX_SECRET_BYTES = 512_000;

/** Throws INVALID_ARGUMENT. */
export function hiddenThings({ secret, ssh }: HiddenFlags, env: NodeJS.ProcessEnv, cwd: string): HiddenThings {
  return {
    secrets: new Map(secret.map((text) => readSecret(text, env, cwd))),
    agents: new Map(ssh.map((text) => findAgent(text, env, cwd))),
  };
}

function readSecret(text: string, env: NodeJS.ProcessEnv, cwd: string): readonly [string, Buffer] {
  const bad = (why: string): EngineError => new EngineError('INVALID_ARGUMENT', `--secret ${JSON.stringify(text)}: ${why}`);
  const words = new Map(parseCsvLine(text).map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const));
  const odd = [...words.keys()].find((name) => !['id', 'src', 'source', 'env', 'type'].includes(name));
  if (odd !== undefined) throw bad('incorrect secret flag format: should be --secret id=foo,src=bar[,env=ENV][,type=file|env]');
  const id = words.get('id') ?? '';
  if (id === '') throw bad('it has no id');
  const source = words.get('src') ?? words.get('source');
  const type = words.get('type') ?? (words.has('env') || (source === undefined && env[id] !== undefined) ? 'env' : 'file');
  if (type !== 'env' && type !== 'file') throw bad(`invalid type ${JSON.stringify(type)}`);
  if (type === 'env') {
    const name = words.get('env') ?? source ?? id;
    const value = env[name];
    if (value === undefined) throw bad(`the variable ${name} is not set`);
    return [id, Buffer.from(value)];
  }
  try {
    const bytes = readFileSync(resolve(cwd, source ?? id));
    if (bytes.length > MAX_SECRET_BYTES) throw bad(`it is larger than ${MAX_SECRET_BYTES} bytes`);
    return [id, bytes];
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw bad(`open ${source ?? id}: ${systemWords(cause)}`);
  }
}

/** Keys would need an agent of ours; whoever has keys has ssh-agent. */
function findAgent(text: string, env: NodeJS.ProcessEnv, cwd: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const id = equals < 0 ? text : text.slice(0, equals);
  const path = equals < 0 ? env['SSH_AUTH_SOCK'] : resolve(cwd, text.slice(equals + 1));
  if (path === undefined || path === '') throw new EngineError('INVALID_ARGUMENT', `--ssh ${text}: SSH_AUTH_SOCK is not set`);
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true)
    throw new EngineError('INVALID_ARGUMENT', `--ssh ${text}: ${path} is no socket of an agent`, { hint: 'Load keys into ssh-agent.' });
  return [id, path];
}
