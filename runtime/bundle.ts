/** A bundle: a directory with config.json (runtime-spec bundle.md). */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { isRecord, parseJson } from '../core/json.ts';
import { HOOK_KINDS, NAMESPACE_TYPES, type Config, type Process } from './config.ts';

export interface Bundle {
  readonly path: string;
  readonly config: Config;
  /** Absolute. */
  readonly rootfs: string;
}

/** Throws INVALID_ARGUMENT: no such bundle, or a configuration that does not hold together. */
export function readBundle(path: string): Bundle {
  const bundle = resolve(path);
  const config = checkedConfig(readDocument(join(bundle, 'config.json')));
  if (config.root === undefined) throw wrong('root: required');
  const rootfs = resolve(bundle, config.root.path);
  if (!statSync(rootfs, { throwIfNoEntry: false })?.isDirectory()) throw wrong(`root.path: ${rootfs} is no directory`);
  return { path: bundle, config, rootfs };
}

/** An OCI process, as `exec` is given one. Throws INVALID_ARGUMENT. */
export function readProcess(path: string): Process {
  return checkedProcess(readDocument(path), 'process');
}

/** A JSON object. Throws INVALID_ARGUMENT. */
export function readDocument(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new EngineError('INVALID_ARGUMENT', missing ? `${path} does not exist` : `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  const document = parseJson(text, path, 'INVALID_ARGUMENT');
  if (!isRecord(document)) throw new EngineError('INVALID_ARGUMENT', `${path}: not an object`);
  return document;
}

/** Of another process that is to be kept as it is: the document as text. */
export function checkedConfig(document: Readonly<Record<string, unknown>>): Config {
  const config = document as unknown as Config;
  const version = /^(\d+)\.\d+\.\d+(?:[-+].*)?$/.exec(typeof config.ociVersion === 'string' ? config.ociVersion : '');
  if (version === null) throw wrong('ociVersion: required');
  if (version[1] !== '1') throw wrong(`ociVersion: ${config.ociVersion} is not supported`);
  if (config.root !== undefined && typeof config.root?.path !== 'string') throw wrong('root.path: required');
  if (config.process !== undefined) checkedProcess(config.process as unknown as Readonly<Record<string, unknown>>, 'process');
  for (const [index, mount] of list(config.mounts, 'mounts').entries()) {
    if (typeof mount?.destination !== 'string' || mount.destination === '') throw wrong(`mounts[${index}].destination: required`);
    list(mount.options, `mounts[${index}].options`);
  }
  const seen = new Set<string>();
  for (const { type, path } of list(config.linux?.namespaces, 'linux.namespaces')) {
    if (!NAMESPACE_TYPES.includes(type)) throw wrong(`linux.namespaces: unknown type ${JSON.stringify(type)}`);
    if (seen.has(type)) throw wrong(`linux.namespaces: ${type} is there twice`);
    if (path !== undefined && path !== '' && !path.startsWith('/')) throw wrong(`linux.namespaces: ${path} is not absolute`);
    seen.add(type);
  }
  for (const kind of HOOK_KINDS) {
    for (const hook of list(config.hooks?.[kind], `hooks.${kind}`)) {
      if (typeof hook?.path !== 'string' || !hook.path.startsWith('/')) throw wrong(`hooks.${kind}: path must be absolute`);
      if (hook.timeout !== undefined && !(hook.timeout > 0)) throw wrong(`hooks.${kind}: timeout must be greater than zero`);
    }
  }
  if (Object.hasOwn(config.annotations ?? {}, '')) throw wrong('annotations: a key is empty');
  for (const device of list(config.linux?.devices, 'linux.devices')) {
    if (typeof device?.path !== 'string' || !device.path.startsWith('/')) throw wrong('linux.devices: path must be absolute');
    if (!['c', 'u', 'b', 'p'].includes(device.type)) throw wrong(`linux.devices: unknown type ${JSON.stringify(device.type)}`);
  }
  return config;
}

function checkedProcess(document: Readonly<Record<string, unknown>>, what: string): Process {
  const process = document as unknown as Process;
  if (typeof process.cwd !== 'string' || !process.cwd.startsWith('/')) throw wrong(`${what}.cwd: must be an absolute path`);
  const args = list(process.args, `${what}.args`);
  if (args.length === 0) throw wrong(`${what}.args: required`);
  for (const word of [...args, ...list(process.env, `${what}.env`)]) {
    if (typeof word !== 'string' || word.includes('\0')) throw wrong(`${what}: a word of args or env is no text`);
  }
  const types = list(process.rlimits, `${what}.rlimits`).map(({ type }) => type);
  if (new Set(types).size < types.length) throw wrong(`${what}.rlimits: a type is there twice`);
  return process;
}

function list<T>(value: readonly T[] | null | undefined, what: string): readonly T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(`${what}: not a list`);
  return value;
}

function wrong(what: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `config.json: ${what}`);
}
