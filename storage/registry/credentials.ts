/**
 * Credentials from where the containers tools and Docker keep them (containers-auth.json(5)), and back to there.
 * Read on every use, never cached, never logged, never in an argv.
 */
import { existsSync } from 'node:fs';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import {
  authFiles,
  authFileToWrite,
  changeAuthFile,
  normaliseKey,
  readAuthFile,
  type AuthDocument,
  type AuthEntry,
  type AuthFile,
  type AuthFilePlaces,
} from './auth-file.ts';
import {
  askHelper,
  DOCKER_SERVER,
  eraseFromHelper,
  listHelper,
  storeInHelper,
  type Credentials,
  type HelperOptions,
} from './credential-helper.ts';

export type { Credentials };
export type Login = Extract<Credentials, { username: string }>;

export interface CredentialPlaces extends AuthFilePlaces {
  /** `--creds USER[:PASSWORD]`: for every registry of this command. */
  readonly creds?: string | undefined;
  /** `credential-helpers` of registries.conf. */
  readonly helpers?: readonly string[];
  /** `--compat-auth-file`: `authFile` is Docker's own, written so that Docker finds it. */
  readonly compatible?: boolean;
  /** For a credential helper to answer. Default: 30 s. */
  readonly helperTimeoutMs?: number;
}

/** Something to ask for credentials. */
export interface CredentialSource {
  /** For a repository of the registry (`path` may be missing: for the registry as such). */
  find(domain: string, path?: string): Promise<Credentials | undefined>;
  /** Only what is stored under the name of that very host: what was typed for a registry is not meant for its mirrors, or hosts that it names. */
  findStored(host: string, path?: string): Promise<Credentials | undefined>;
}

export function openCredentials(places: CredentialPlaces): CredentialSource {
  const { creds } = places;
  return {
    find: async (domain, path) => (creds === undefined ? findStored(places, domain, path) : parseCreds(creds)),
    findStored: (host, path) => findStored(places, host, path),
  };
}

/** The same without what was typed on the command line. */
export function storedOnly(source: CredentialSource): CredentialSource {
  const find: CredentialSource['find'] = (domain, path) => source.findStored(domain, path);
  return { find, findStored: find };
}

/** What somebody has just typed, for one registry. */
export function typedCredentials(login: Login): CredentialSource {
  return { find: async () => login, findStored: async () => undefined };
}

/** `USER:PASSWORD`; the user is prompted for a missing password by the door, never here. Throws INVALID_ARGUMENT. */
export function parseCreds(text: string): Login {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  if (username === '') throw new EngineError('INVALID_ARGUMENT', 'credentials can not be empty');
  return { username, password: colon === -1 ? '' : text.slice(colon + 1) };
}

/**
 * Keep them for `key` (`quay.io`, `quay.io/team`) where registries.conf or the auth file says: in a helper or in the file itself.
 * Resolves with the place, for `--verbose`. Throws CONFIG, LOCKED, HELPER_*.
 */
export async function storeCredentials(places: CredentialPlaces, key: string, login: Login): Promise<string> {
  const failures: unknown[] = [];
  for (const helper of helpersToWrite(places)) {
    try {
      return helper === AUTH_FILES_HELPER ? await storeInFile(places, key, login) : await storeWith(helper, places, key, login);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** False when there was nothing to forget. Throws CONFIG, LOCKED, HELPER_*. */
export async function eraseCredentials(places: CredentialPlaces, key: string): Promise<boolean> {
  let found = false;
  for (const helper of helpersToWrite(places)) {
    if (helper === AUTH_FILES_HELPER) found = (await eraseFromFile(places, key)) || found;
    else if (!key.includes('/')) found = (await eraseFromHelper(helper, key, helperOptions(places))) || found;
  }
  return found;
}

/** All that `login` may have kept. Throws CONFIG, LOCKED, HELPER_*. */
export async function eraseAllCredentials(places: CredentialPlaces): Promise<void> {
  const options = helperOptions(places);
  for (const helper of helpersToWrite(places)) {
    if (helper === AUTH_FILES_HELPER) {
      const file = authFileToWrite(places);
      if (!existsSync(file)) continue;
      await changeAuthFile(file, async ({ credHelpers }) => {
        for (const [key, name] of credHelpers) await eraseFromHelper(name, key, options);
        return new Map();
      });
    } else {
      for (const key of await listHelper(helper, options)) await eraseFromHelper(helper, key, options);
    }
  }
}

/** What registries.conf calls the auth files themselves. */
const AUTH_FILES_HELPER = 'containers-auth.json';

function helpersToWrite({ helpers = [] }: CredentialPlaces): readonly string[] {
  return helpers.length === 0 ? [AUTH_FILES_HELPER] : helpers;
}

function helperOptions({ env, helperTimeoutMs }: CredentialPlaces): HelperOptions {
  return { env, timeoutMs: helperTimeoutMs };
}

async function storeWith(helper: string, places: CredentialPlaces, key: string, login: Login): Promise<string> {
  // The protocol knows servers only.
  if (key.includes('/')) throw new EngineError('NOT_SUPPORTED', 'namespaced key is not supported');
  await storeInHelper(helper, key, login, helperOptions(places));
  return `credential helper: ${helper}`;
}

async function storeInFile(places: CredentialPlaces, key: string, login: Login): Promise<string> {
  if (places.compatible === true && key.includes('/')) {
    throw new EngineError(
      'NOT_SUPPORTED',
      `Credentials cannot be recorded in Docker-compatible format with namespaced key ${JSON.stringify(key)}`,
    );
  }
  const file = authFileToWrite(places);
  let place = file;
  await changeAuthFile(file, async (document) => {
    const helper = helperFor(document, key, places);
    if (helper !== undefined) {
      place = await storeWith(helper, places, key, login);
      return undefined;
    }
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    const name = places.compatible === true && key === 'docker.io' ? DOCKER_SERVER : key;
    return new Map<string, Json>([...document.auths, [name, { auth }]]);
  });
  return place;
}

async function eraseFromFile(places: CredentialPlaces, key: string): Promise<boolean> {
  const file = authFileToWrite(places);
  if (!existsSync(file)) return false;
  let found = false;
  await changeAuthFile(file, async (document) => {
    const helper = helperFor(document, key, places);
    if (helper !== undefined) found = await eraseFromHelper(helper, key, helperOptions(places));
    // Under whatever spelling: what is left would still be used.
    const kept = [...document.auths].filter(([name]) => normaliseKey(name) !== key);
    if (kept.length === document.auths.size) return undefined;
    found = true;
    return new Map(kept);
  });
  return found;
}

/** Docker looks nowhere else where it has a store for all. */
function helperFor({ credHelpers, rest }: AuthDocument, key: string, { compatible }: CredentialPlaces): string | undefined {
  const store = compatible === true ? rest['credsStore'] : undefined;
  return credHelpers.get(key) ?? (typeof store === 'string' && store !== '' ? store : undefined);
}

async function findStored(places: CredentialPlaces, domain: string, path: string | undefined): Promise<Credentials | undefined> {
  const { helpers = [] } = places;
  for (const helper of helpers) {
    const found = helper === AUTH_FILES_HELPER ? await findInFiles(places, domain, path) : await ask(helper, domain, places);
    if (found) return found;
  }
  return helpers.includes(AUTH_FILES_HELPER) ? undefined : findInFiles(places, domain, path);
}

function ask(helper: string, domain: string, places: CredentialPlaces): Promise<Credentials | undefined> {
  return askHelper(helper, domain, helperOptions(places));
}

async function findInFiles(places: CredentialPlaces, domain: string, path: string | undefined): Promise<Credentials | undefined> {
  for (const file of authFiles(places)) {
    const content = readAuthFile(file);
    if (content === undefined) continue;
    const helper = content.credHelpers.get(domain);
    if (helper !== undefined) return ask(helper, domain, places);
    for (const key of keysFor(domain, path)) {
      const found = decode(content, key, file);
      if (found) return found;
    }
    const found = content.credsStore === undefined ? undefined : await askStore(content.credsStore, domain, places);
    if (found) return found;
  }
  return undefined;
}

/** Docker's store for everything. Where Docker itself is not installed its configuration is no reason to pull nothing at all. */
async function askStore(name: string, domain: string, places: CredentialPlaces): Promise<Credentials | undefined> {
  try {
    return await ask(name, domain, places);
  } catch (error) {
    if (!isEngineError(error, 'HELPER_MISSING')) throw error;
    log.warn(error.message);
    return undefined;
  }
}

/** `quay.io/team/app`, `quay.io/team`, `quay.io`. */
function* keysFor(domain: string, path: string | undefined): Generator<string> {
  const full = path === undefined ? domain : `${domain}/${path}`;
  for (let end = full.length; end > 0; end = full.lastIndexOf('/', end - 1)) yield full.slice(0, end);
}

const warned = new Set<string>();

function decode({ auths, exposed }: AuthFile, key: string, file: string): Credentials | undefined {
  const found = decodeEntry(auths.get(key), file);
  if (found !== undefined && exposed && !warned.has(file)) {
    warned.add(file);
    log.warn(`The credentials in ${file} can be read by other users (chmod 600 it)`);
  }
  return found;
}

function decodeEntry(entry: AuthEntry | undefined, file: string): Credentials | undefined {
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
