/**
 * OCI hooks that the machine's administrator or the user asks for (oci-hooks(5)): JSON files of the hooks directories, each with a program, the
 * moments to call it at, and the containers that it is for.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { isRecord } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import { systemWords } from '../../core/system-words.ts';
import { runHelper } from '../../host/process.ts';
import type { OciConfig, OciHook } from '../spec/oci-types.ts';

const STAGES = ['precreate', 'prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
/** For a hook that changes the configuration and names no time-out of its own. */
const PRECREATE_TIMEOUT_SECONDS = 60;

type Stage = (typeof STAGES)[number];

interface HookFile {
  readonly hook: OciHook;
  readonly stages: readonly Stage[];
  /** One condition that holds is enough; else all must hold. */
  readonly any: boolean;
  readonly always: boolean | undefined;
  readonly hasBindMounts: boolean | undefined;
  /** Both patterns must fit one annotation. */
  readonly annotations: readonly (readonly [key: RegExp, value: RegExp])[];
  readonly commands: readonly RegExp[];
}

/**
 * `config` with the hooks of `directories` that are for it; hooks of the stage precreate have changed it already. Of files with one name that of the
 * last directory counts. Directories that are missing are passed over, and so are those that others could write to.
 * Throws INVALID_ARGUMENT (exit status 126): a file that describes no hook; HELPER_FAILED, TIMEOUT: a precreate hook failed.
 */
export async function withMachineHooks(config: OciConfig, directories: readonly string[], hasBindMounts: boolean): Promise<OciConfig> {
  const wanted = readHooks(directories).filter((file) => isFor(file, config, hasBindMounts));
  const hooks: Record<string, readonly OciHook[]> = { ...config.hooks };
  for (const stage of STAGES) {
    const called = wanted.filter(({ stages }) => stages.includes(stage)).map(({ hook }) => hook);
    if (stage !== 'precreate' && called.length > 0) hooks[stage] = [...(hooks[stage] ?? []), ...called];
  }
  let changed = Object.keys(hooks).length === 0 ? config : { ...config, hooks };
  for (const { hook, stages } of wanted) if (stages.includes('precreate')) changed = await filtered(changed, hook);
  return changed;
}

function readHooks(directories: readonly string[]): readonly HookFile[] {
  const files = new Map<string, string>();
  for (const directory of directories) for (const name of namesIn(directory)) files.set(name, join(directory, name));
  return [...files.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => readHook(path));
}

/** Whoever can write there would run programs in our name. (Whose a directory is cannot be told in a user namespace, where root's id is nobody's.) */
function namesIn(directory: string): readonly string[] {
  try {
    if ((statSync(directory).mode & 0o022) !== 0) {
      log.warn(`Hooks of ${directory} are not called: others can write to it`);
      return [];
    }
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw setUp(`open ${directory}: ${systemWords(error)}`);
  }
}

function readHook(path: string): HookFile {
  try {
    const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isRecord(document)) throw new Error('the document is no object');
    const version = document['version'] ?? '0.1.0';
    if (version === '1.0.0') return currentForm(document);
    if (version === '0.1.0') return oldForm(document);
    throw new Error(`unrecognized hook version: ${JSON.stringify(version)}`);
  } catch (error) {
    throw setUp(`parsing hook ${JSON.stringify(path)}: ${(error as Error).message}`);
  }
}

function currentForm(document: Record<string, unknown>): HookFile {
  const { hook, when, stages } = document;
  if (!isRecord(hook)) throw new Error('missing required property: hook');
  if (!isRecord(when)) throw new Error('missing required property: when');
  return {
    hook: checkedHook(hook),
    stages: checkedStages(stages),
    any: when['or'] === true,
    always: flag(when['always'], 'when.always'),
    hasBindMounts: flag(when['hasBindMounts'], 'when.hasBindMounts'),
    annotations: Object.entries(isRecord(when['annotations']) ? when['annotations'] : {}).map(([key, value]) => [
      pattern(key, 'annotation key'),
      pattern(value, 'annotation value'),
    ]),
    commands: texts(when['commands'] ?? [], 'when.commands').map((text) => pattern(text, 'command')),
  };
}

/** Files without a version: the program is the hook, one condition is enough, and annotations are looked at by their values. */
function oldForm(document: Record<string, unknown>): HookFile {
  const { hook, arguments: given, stages, stage, cmds, cmd, annotations, annotation, hasbindmounts } = document;
  const args = texts(given ?? [], 'arguments');
  return {
    hook: checkedHook({ path: hook, ...(args.length > 0 && { args: [hook, ...args] }) }),
    stages: checkedStages(stages ?? stage),
    any: true,
    always: undefined,
    hasBindMounts: flag(hasbindmounts, 'hasbindmounts'),
    annotations: texts(annotations ?? annotation ?? [], 'annotations').map((text) => [/.*/, pattern(text, 'annotation value')]),
    commands: texts(cmds ?? cmd ?? [], 'cmds').map((text) => pattern(text, 'command')),
  };
}

function checkedHook({ path, args, env, timeout }: Record<string, unknown>): OciHook {
  if (typeof path !== 'string' || path === '') throw new Error('missing required property: hook.path');
  if (!path.startsWith('/')) throw new Error(`hook.path is no absolute path: ${path}`);
  try {
    statSync(path);
  } catch (error) {
    throw new Error(`stat ${path}: ${systemWords(error)}`, { cause: error });
  }
  if (timeout !== undefined && !(Number.isInteger(timeout) && (timeout as number) > 0))
    throw new Error('hook.timeout is no number of seconds');
  return {
    path,
    ...(args !== undefined && { args: texts(args, 'hook.args') }),
    ...(env !== undefined && { env: texts(env, 'hook.env') }),
    ...(timeout !== undefined && { timeout: timeout as number }),
  };
}

function checkedStages(value: unknown): readonly Stage[] {
  const stages = texts(value ?? [], 'stages');
  if (stages.length === 0) throw new Error('missing required property: stages');
  const unknown = stages.find((stage) => !(STAGES as readonly string[]).includes(stage));
  if (unknown !== undefined) throw new Error(`unknown stage ${JSON.stringify(unknown)}`);
  return stages as readonly Stage[];
}

function flag(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new Error(`${name} is neither true nor false`);
}

function texts(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new Error(`${name} is no list of strings`);
}

function pattern(value: unknown, what: string): RegExp {
  try {
    return new RegExp(String(value));
  } catch (cause) {
    throw new Error(`invalid ${what} ${JSON.stringify(value)}: ${(cause as Error).message}`, { cause });
  }
}

function isFor(file: HookFile, { annotations, process }: OciConfig, hasBindMounts: boolean): boolean {
  const answers = [
    ...(file.always === undefined ? [] : [file.always]),
    ...(file.hasBindMounts === undefined ? [] : [file.hasBindMounts && hasBindMounts]),
    ...file.annotations.map(([key, value]) => Object.entries(annotations).some(([name, text]) => key.test(name) && value.test(text))),
    ...(file.commands.length === 0 ? [] : [file.commands.some((command) => command.test(process.args[0] ?? ''))]),
  ];
  return file.any ? answers.includes(true) : answers.length > 0 && !answers.includes(false);
}

/** The hook reads the configuration and writes the one that is to hold. */
async function filtered(config: OciConfig, { path, args = [], env = [], timeout }: OciHook): Promise<OciConfig> {
  const variables = env.map((text) => [text.split('=', 1)[0]!, text.slice(text.indexOf('=') + 1)] as const);
  const { stdout } = await runHelper(path, args.slice(1), {
    input: JSON.stringify(config),
    env: Object.fromEntries(variables),
    timeoutMs: (timeout ?? PRECREATE_TIMEOUT_SECONDS) * 1000,
  });
  let changed: unknown;
  try {
    changed = JSON.parse(stdout);
  } catch (error) {
    throw setUp(`the output of precreate hook ${path} is no configuration: ${(error as Error).message}`);
  }
  if (!isRecord(changed) || !isRecord(changed['process']) || !isRecord(changed['linux']))
    throw setUp(`the output of precreate hook ${path} is no configuration`);
  return changed as unknown as OciConfig;
}

function setUp(what: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `setting up OCI Hooks: ${what}`, { exitCode: 126 });
}
