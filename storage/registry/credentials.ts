/**
 * Credentials from where the containers tools and Docker keep them (containers-auth.json(5)).
 * Read on every use, never cached, never logged, never in an argv.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { parseJson, type Json } from '../../core/json.ts';
import { runHelper } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';

export type Credentials = { readonly username: string; readonly password: string } | { readonly identityToken: string };

export interface CredentialPlaces {
  /** `--authfile`; REGISTRY_AUTH_FILE counts as one. */
  readonly authFile?: string | undefined;
  /** `--creds USER[:PASSWORD]`: for every registry of this command. */
  readonly creds?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** `credential-helpers` of registries.conf. */
  readonly helpers?: readonly string[];
}

/** Something to ask for the credentials of a repository (`path` may be missing: for the registry as such). */
export interface CredentialSource {
  find(domain: string, path?: string): Promise<Credentials | undefined>;
}

export function openCredentials(places: CredentialPlaces): CredentialSource {
  const { creds } = places;
  if (creds !== undefined) return { find: async () => parseCreds(creds) };
  return { find: (domain, path) => findStored(places, domain, path) };
}

/** The file that `login` writes: `--authfile`, REGISTRY_AUTH_FILE, or the one in the runtime directory. */
export function authFileToWrite(places: CredentialPlaces): string {
  return authFiles(places)[0]!;
}

/** In reading order; those that do not exist are passed over, except one that was named. */
export function authFiles({ authFile, env }: CredentialPlaces): readonly string[] {
  const named = authFile ?? (env['REGISTRY_AUTH_FILE'] || undefined);
  if (named !== undefined) return [named];
  const home = env['HOME'] ?? '/';
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    runtime ? join(runtime, 'containers/auth.json') : `/run/containers/${process.getuid!()}/auth.json`,
    join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers/auth.json'),
    join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json'),
    join(home, '.dockercfg'),
  ];
}

/** `USER:PASSWORD`; the user is prompted for a missing password by the door, never here. Throws INVALID_ARGUMENT. */
export function parseCreds(text: string): Credentials {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  if (username === '') throw new EngineError('INVALID_ARGUMENT', 'credentials can not be empty');
  return { username, password: colon === -1 ? '' : text.slice(colon + 1) };
}

export interface AuthFile {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
}

export interface AuthEntry {
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** Undefined when there is no such file. Throws CONFIG. */
export function readAuthFile(path: string): AuthFile | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const bad = (why: string): EngineError => new EngineError('CONFIG', `reading auth file ${JSON.stringify(path)}: ${why}`);
  if (!stat.isFile()) throw bad('is no regular file');
  if (stat.size > AUTH_FILE_LIMIT_BYTES) throw bad(`is larger than ${AUTH_FILE_LIMIT_BYTES} bytes`);
  const text = readFileSync(path, 'utf8');
  const json = record(text.trim() === '' ? {} : parseSecret(text, `reading auth file ${JSON.stringify(path)}`, 'CONFIG'));
  if (json === undefined) throw bad('must be an object');
  // ~/.dockercfg has no `auths` around its entries.
  const auths = record(json['auths']) ?? (path.endsWith('.dockercfg') ? json : {});
  return {
    auths: new Map(Object.entries(auths).map(([key, entry]) => [normaliseKey(key), record(entry) ?? {}])),
    credHelpers: new Map(Object.entries(record(json['credHelpers']) ?? {}).map(([key, name]) => [normaliseKey(key), String(name)])),
    ...(typeof json['credsStore'] === 'string' && json['credsStore'] !== '' ? { credsStore: json['credsStore'] } : {}),
  };
}

const AUTH_FILE_LIMIT_BYTES = 2 ** 20;
const DOCKER_SERVER = 'https://index.docker.io/v1/';
/** What registries.conf calls the auth files themselves. */
const AUTH_FILES_HELPER = 'containers-auth.json';

async function findStored(places: CredentialPlaces, domain: string, path: string | undefined): Promise<Credentials | undefined> {
  for (const helper of places.helpers ?? []) {
    const found = helper === AUTH_FILES_HELPER ? await findInFiles(places, domain, path) : await askHelper(helper, domain);
    if (found) return found;
  }
  return (places.helpers ?? []).includes(AUTH_FILES_HELPER) ? undefined : findInFiles(places, domain, path);
}

async function findInFiles(places: CredentialPlaces, domain: string, path: string | undefined): Promise<Credentials | undefined> {
  for (const file of authFiles(places)) {
    const content = readAuthFile(file);
    if (content === undefined) continue;
    const helper = content.credHelpers.get(domain);
    if (helper !== undefined) return askHelper(helper, domain);
    for (const key of keysFor(domain, path)) {
      const found = decode(content.auths.get(key), file);
      if (found) return found;
    }
    if (content.credsStore !== undefined) {
      const found = await askHelper(content.credsStore, domain);
      if (found) return found;
    }
  }
  return undefined;
}

/** `quay.io/team/app`, `quay.io/team`, `quay.io`. */
function* keysFor(domain: string, path: string | undefined): Generator<string> {
  const full = path === undefined ? domain : `${domain}/${path}`;
  for (let end = full.length; end > 0; end = full.lastIndexOf('/', end - 1)) yield full.slice(0, end);
}

/** Docker's old keys are URLs: `https://index.docker.io/v1/` is docker.io. */
function normaliseKey(key: string): string {
  const bare = /^https?:\/\//.test(key) ? key.replace(/^https?:\/\//, '').split('/')[0]! : key;
  return bare === 'index.docker.io' || bare === 'registry-1.docker.io' ? 'docker.io' : bare;
}

function decode(entry: AuthEntry | undefined, file: string): Credentials | undefined {
  if (entry === undefined) return undefined;
  if (typeof entry.identitytoken === 'string' && entry.identitytoken !== '') return { identityToken: entry.identitytoken };
  if (typeof entry.auth !== 'string' || entry.auth === '') return undefined;
  const text = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1)
    throw new EngineError('CONFIG', `reading auth file ${JSON.stringify(file)}: an auth entry is not base64 of USER:PASSWORD`);
  // Some writers pad with NULs.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** What a failed helper says may be a secret: its status is told, not its words. */
const ANY_STATUS = Array.from({ length: 256 }, (_, status) => status);

/** docker-credential-helpers: `docker-credential-NAME get`, server on stdin, JSON on stdout. Undefined when it knows none. */
async function askHelper(name: string, domain: string): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    throw new EngineError('CONFIG', `invalid credential helper name ${JSON.stringify(name.slice(0, 100))}`);
  const program = findProgram(`docker-credential-${name}`);
  if (program === undefined) {
    throw new EngineError('HELPER_MISSING', `credential helper docker-credential-${name} is not installed`, {
      hint: 'Install it, or take its name out of credHelpers and credsStore.',
    });
  }
  const server = domain === 'docker.io' ? DOCKER_SERVER : domain;
  const { code, stdout } = await runHelper(program, ['get'], { input: server, timeoutMs: 30_000, okCodes: ANY_STATUS });
  if (code !== 0) {
    if (/not found/i.test(stdout)) return undefined;
    throw new EngineError('HELPER_FAILED', `docker-credential-${name} get: exit status ${code}`);
  }
  const answer = record(parseSecret(stdout, `answer of docker-credential-${name}`, 'HELPER_FAILED'));
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

/** The words of a JSON error quote what they stumbled over, which may be a password. */
function parseSecret(text: string, what: string, code: 'CONFIG' | 'HELPER_FAILED'): Json {
  try {
    return parseJson(text, what, code);
  } catch {
    throw new EngineError(code, `${what}: not valid JSON`);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}
