/**
 * The files in which the containers tools and Docker keep credentials (containers-auth.json(5)): where they are, reading, changing.
 * A file that everybody may write to is not read. Changes are made aside and renamed into place under a lock, mode 0600.
 */
import { lstatSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { parseJson, type Json } from '../../core/json.ts';
import { readIdentity } from '../../host/identity.ts';
import { lockBeside, replaceFile } from '../../host/replace-file.ts';

export interface AuthFilePlaces {
  /** `--authfile`; REGISTRY_AUTH_FILE counts as one. */
  readonly authFile?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export interface AuthFile {
  /** By the registry or repository; Docker's URLs are read as what they mean. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
  /** Others than the user may read it. */
  readonly exposed: boolean;
}

export interface AuthEntry {
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** The document of an auth file, in which fields that are not ours are kept. */
export interface AuthDocument {
  readonly auths: ReadonlyMap<string, Json>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly rest: Readonly<Record<string, Json | undefined>>;
}

const LIMIT_BYTES = 2 ** 20;
const LOCK_TIMEOUT_MS = 10_000;

/** In reading order; those that do not exist are passed over, except one that was named. */
export function authFiles({ authFile, env }: AuthFilePlaces): readonly string[] {
  const named = authFile ?? (env['REGISTRY_AUTH_FILE'] || undefined);
  if (named !== undefined) return [named];
  const home = env['HOME'] ?? '/';
  const config = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers/auth.json');
  const docker = [join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json'), join(home, '.dockercfg')];
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime) return [join(runtime, 'containers/auth.json'), config, ...docker];
  const { uid } = readIdentity(env);
  const perUser = `/run/containers/${uid}/auth.json`;
  // Only root can make that directory; without a runtime directory of his own a user's file is the one in his home.
  return uid === 0 ? [perUser, config, ...docker] : [config, perUser, ...docker];
}

/** The file that `login` writes and `logout` clears. */
export function authFileToWrite(places: AuthFilePlaces): string {
  return authFiles(places)[0]!;
}

/** Undefined when there is no such file. Throws CONFIG: malformed, too large, open to everybody's writing. */
export function readAuthFile(path: string): AuthFile | undefined {
  const read = readDocument(path);
  if (read === undefined) return undefined;
  const { auths, credHelpers, rest } = parseDocument(read.text, path);
  const store = rest['credsStore'];
  return {
    auths: new Map([...auths].map(([key, entry]) => [normaliseKey(key), record(entry) ?? {}])),
    credHelpers: new Map([...credHelpers].map(([key, name]) => [normaliseKey(key), name])),
    ...(typeof store === 'string' && store !== '' ? { credsStore: store } : {}),
    exposed: (read.mode & 0o044) !== 0,
  };
}

/**
 * Change the entries of the file: `edit` gets what is there and gives what shall be there, or undefined for no change. All other fields are kept.
 * Made with its directory where it is missing. The file as it was stays until the new one is complete on the disk.
 * Throws CONFIG (as readAuthFile; somebody else's symbolic link), LOCKED, and what `edit` throws.
 */
export async function changeAuthFile(
  path: string,
  edit: (document: AuthDocument) => Promise<ReadonlyMap<string, Json> | undefined>,
): Promise<void> {
  const target = targetOf(path);
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw writing(path, cause);
  }
  using _lock = await lockBeside(target, LOCK_TIMEOUT_MS).catch((error: unknown) => {
    throw error instanceof EngineError ? error : writing(path, error);
  });
  const read = readDocument(target);
  const document = parseDocument(read?.text ?? '', path);
  const auths = await edit(document);
  if (auths === undefined) return;
  const changed: Record<string, Json | undefined> = { auths: Object.fromEntries(auths), ...document.rest };
  try {
    replaceFile(target, JSON.stringify(changed, undefined, '\t'), 0o600);
  } catch (cause) {
    throw writing(path, cause);
  }
}

function readDocument(path: string): { readonly text: string; readonly mode: number } | undefined {
  const bad = (why: string): EngineError => new EngineError('CONFIG', `reading auth file ${JSON.stringify(path)}: ${why}`);
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isFile()) throw bad('is no regular file');
    if (stat.size > LIMIT_BYTES) throw bad(`is larger than ${LIMIT_BYTES} bytes`);
    // Whoever can write to it could name a helper program, or make us log in as somebody else.
    if ((stat.mode & 0o002) !== 0) {
      const { message } = bad('everybody may write to it');
      throw new EngineError('CONFIG', message, { hint: `Run: chmod 600 ${path}` });
    }
    return { text: readFileSync(path, 'utf8'), mode: stat.mode };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw new EngineError('CONFIG', bad((error as Error).message).message, { cause: error });
  }
}

/** The parser's own words would quote what it stumbled over, and that may be a secret. */
function parseDocument(text: string, path: string): AuthDocument {
  const bad = (why: string): EngineError => new EngineError('CONFIG', `reading JSON file ${JSON.stringify(path)}: ${why}`);
  let json: Readonly<Record<string, Json | undefined>> | undefined;
  try {
    json = record(text.trim() === '' ? {} : parseJson(text, '', 'CONFIG'));
  } catch {
    throw bad('not valid JSON');
  }
  if (json === undefined) throw bad('must be an object');
  // ~/.dockercfg has no `auths` around its entries.
  if (path.endsWith('.dockercfg') && json['auths'] === undefined) return { auths: entries(json), credHelpers: new Map(), rest: {} };
  const { auths, ...rest } = json;
  const helpers = [...entries(rest['credHelpers'])].map(([key, name]): [string, string] => [key, typeof name === 'string' ? name : '']);
  return { auths: entries(auths), credHelpers: new Map(helpers), rest };
}

function entries(value: Json | undefined): ReadonlyMap<string, Json> {
  return new Map(Object.entries(record(value) ?? {}).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** Docker's old keys are URLs: `https://index.docker.io/v1/` is docker.io. */
export function normaliseKey(key: string): string {
  const bare = /^https?:\/\//.test(key) ? key.replace(/^https?:\/\//, '').split('/')[0]! : key;
  return bare === 'index.docker.io' || bare === 'registry-1.docker.io' ? 'docker.io' : bare;
}

/** What a symbolic link leads to, so that the link is kept; a link that another user planted would choose where secrets go. */
function targetOf(path: string): string {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isSymbolicLink()) return path;
    if (stat.uid === process.geteuid!()) return realpathSync(path);
  } catch (cause) {
    throw writing(path, cause);
  }
  throw new EngineError('CONFIG', `writing auth file ${JSON.stringify(path)}: is a symbolic link that belongs to another user`);
}

function writing(path: string, cause: unknown): EngineError {
  const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new EngineError(full ? 'STORE_FULL' : 'CONFIG', `writing auth file ${JSON.stringify(path)}: ${(cause as Error).message}`, {
    cause,
  });
}

function record(value: Json | undefined): Readonly<Record<string, Json | undefined>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json | undefined>>)
    : undefined;
}
