/** `login` and `logout`: credentials are tried out first and kept only where the registry takes them. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { isDomain, parseReference, repositoryOf } from '../../storage/reference.ts';
import { isInsecure, type RegistriesConf } from '../../storage/registries.ts';
import {
  eraseAllCredentials,
  eraseCredentials,
  openCredentials,
  storeCredentials,
  typedCredentials,
  type Login,
} from '../../storage/registry/credentials.ts';
import { registryFailure } from '../../storage/registry/failure.ts';
import { Registry } from '../../storage/registry/registry.ts';
import type { RegistryAccess } from './access.ts';

/** What credentials are kept for. */
export interface LoginKey {
  /** `quay.io`, `quay.io/team` */
  readonly key: string;
  /** `quay.io` */
  readonly registry: string;
}

/** A URL is read as its host; `REGISTRY/NAMESPACE` is kept. Throws INVALID_ARGUMENT, INVALID_REFERENCE. */
export function parseLoginKey(text: string): LoginKey {
  const key = /^https?:\/\//.test(text) ? hostOf(text) : text;
  const registry = key.split('/', 1)[0]!;
  if (!isDomain(registry)) throw new EngineError('INVALID_ARGUMENT', `invalid registry name ${JSON.stringify(registry.slice(0, 100))}`);
  if (registry === key) return { key, registry };
  const reference = parseKey(key);
  if (reference.tag !== undefined || reference.digest !== undefined)
    throw new EngineError('INVALID_REFERENCE', `reference ${JSON.stringify(key)} contains tag or digest`);
  if (repositoryOf(reference) !== key)
    throw new EngineError('INVALID_REFERENCE', `parse reference from ${JSON.stringify(key)}: not a full name`);
  return { key, registry };
}

/** The first search registry of registries.conf, for a command line without one. Throws CONFIG. */
export function defaultLoginKey(conf: RegistriesConf): LoginKey {
  const [first] = conf.unqualifiedSearch ?? [];
  if (first === undefined) throw new EngineError('CONFIG', 'no registries found in registries.conf, a registry must be provided');
  return parseLoginKey(first);
}

/** Who is logged in there by what is stored. A token has no name. Throws CONFIG, HELPER_*. */
export async function currentLogin({ credentials }: RegistryAccess, { key, registry }: LoginKey): Promise<Login | undefined> {
  const path = key === registry ? undefined : key.slice(registry.length + 1);
  const found = await openCredentials(credentials)
    .find(registry, path)
    .catch((error: unknown) => {
      throw prefixed('get credentials', error);
    });
  return found !== undefined && 'username' in found && found.username !== '' && found.password !== '' ? found : undefined;
}

/** Does the registry take them? Throws REGISTRY_UNREACHABLE, REGISTRY_ERROR. */
export async function isValidLogin(access: RegistryAccess, { registry }: LoginKey, login: Login, signal?: AbortSignal): Promise<boolean> {
  const { conf, certificates, tlsVerify } = access;
  using server = new Registry(registry, {
    credentials: typedCredentials(login),
    certificates,
    tlsVerify: tlsVerify ?? (isInsecure(conf, registry) ? false : undefined),
    onlyTrustedRealms: true,
  });
  try {
    const response = await server.send({ path: '/v2/', signal });
    if (response.status !== 200) throw await registryFailure(response, `login attempt to ${response.url.href}`);
    response.body.destroy();
    return true;
  } catch (error) {
    if (isEngineError(error, 'REGISTRY_UNAUTHORIZED')) return false;
    throw error;
  }
}

/**
 * Try the credentials and keep them. Resolves with the place they are kept at.
 * Throws REGISTRY_UNAUTHORIZED, REGISTRY_UNREACHABLE, REGISTRY_ERROR (nothing is written then), CONFIG, LOCKED, HELPER_*.
 */
export async function logIn(access: RegistryAccess, name: LoginKey, login: Login): Promise<string> {
  let valid;
  try {
    valid = await isValidLogin(access, name, login);
  } catch (error) {
    throw prefixed(`authenticating creds for ${JSON.stringify(name.key)}`, error);
  }
  if (!valid) throw new EngineError('REGISTRY_UNAUTHORIZED', `logging into ${JSON.stringify(name.key)}: invalid username/password`);
  return storeCredentials(access.credentials, name.key, login);
}

/** `elsewhere`: nothing of ours was there, but another tool's credentials are and they work. Throws REGISTRY_UNAUTHORIZED when nobody is logged in, CONFIG, LOCKED, HELPER_*. */
export async function logOut(access: RegistryAccess, name: LoginKey): Promise<'removed' | 'elsewhere'> {
  try {
    if (await eraseCredentials(access.credentials, name.key)) return 'removed';
  } catch (error) {
    throw prefixed(`logging out of ${JSON.stringify(name.key)}`, error);
  }
  const other = await currentLogin(access, name);
  if (other !== undefined && (await isValidLogin(access, name, other).catch(() => false))) return 'elsewhere';
  throw notLoggedIn(name);
}

export function logOutOfAll({ credentials }: RegistryAccess): Promise<void> {
  return eraseAllCredentials(credentials);
}

export function notLoggedIn({ key }: LoginKey): EngineError {
  return new EngineError('REGISTRY_UNAUTHORIZED', `not logged into ${key}`);
}

function hostOf(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw new EngineError('INVALID_ARGUMENT', 'the registry is no valid URL');
  // Not repeated: the URL holds a secret.
  if (url.username !== '' || url.password !== '')
    throw new EngineError('INVALID_ARGUMENT', `the URL of ${url.host} holds credentials: use --username and --password-stdin`);
  return url.host;
}

function parseKey(key: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(key);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^parsing reference ".*?": /, '');
    throw new EngineError('INVALID_REFERENCE', `parse reference from ${JSON.stringify(key)}: invalid reference format: ${why}`, { cause });
  }
}

function prefixed(prefix: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const { code, message, hint, cause } = error;
  return new EngineError(code, `${prefix}: ${message}`, { cause, ...(hint === undefined ? {} : { hint }) });
}
