/** Bearer tokens from the endpoint that a registry names (distribution, docs/spec/auth). */
import { EngineError } from '../../core/errors.ts';
import { checkRealm, isTrustedRealm, type Challenge } from './challenge.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { registryFailure } from './failure.ts';
import { readBody, withoutSecrets, type Http, type HttpRequest } from './http.ts';

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface TokenRequest {
  readonly challenge: Extract<Challenge, { scheme: 'bearer' }>;
  readonly registry: URL;
  /** `repository:team/app:pull`, several separated by spaces; ours, not what the challenge says. */
  readonly scope: string | undefined;
  /** Domain and path by which credentials are looked up. */
  readonly domain: string;
  readonly path: string | undefined;
  readonly credentials: CredentialSource;
  readonly onlyTrusted: boolean;
  readonly signal: AbortSignal | undefined;
}

const TOKEN_LIMIT_BYTES = 2 ** 20;
/** When the endpoint says nothing (token.md: "defaults to 60 seconds"), and the most we believe. */
const LIFETIME_MS = { least: 60_000, most: 3_600_000 };

/** Throws REGISTRY_UNAUTHORIZED, REGISTRY_ERROR (realm refused, answer unusable), REGISTRY_UNREACHABLE. */
export async function fetchToken(http: Http, request: TokenRequest): Promise<Token> {
  const { challenge, registry, domain, signal } = request;
  const realm = checkRealm(challenge.realm, registry);
  if (request.onlyTrusted && !isTrustedRealm(realm, registry)) {
    throw new EngineError(
      'REGISTRY_ERROR',
      `registry ${registry.host} wants the credentials to be sent to ${withoutSecrets(realm)}, which is another host: nothing was sent`,
    );
  }
  const credentials = await credentialsFor(realm, request);
  const { url, ...rest } = formatRequest(realm, request, credentials);
  const response = await http.send(url, { ...rest, signal });
  if (response.status >= 300 && response.status < 400) {
    response.body.destroy();
    throw new EngineError('REGISTRY_ERROR', `requesting bearer token: ${withoutSecrets(url)} redirects, which a token endpoint must not`);
  }
  if (response.status !== 200) {
    const failure = await registryFailure(response, 'requesting bearer token');
    if (response.status !== 401 && response.status !== 403) throw failure;
    const hint = `Log in: lichen login ${isTrustedRealm(realm, registry) ? domain : realm.host}`;
    throw new EngineError(
      'REGISTRY_UNAUTHORIZED',
      `unable to retrieve auth token: invalid username/password: ${failure.message.replace(/^requesting bearer token: /, '')}`,
      { hint },
    );
  }
  return parseToken(await readBody(response, TOKEN_LIMIT_BYTES), url);
}

/** Looked up only after the realm was checked; a stranger's endpoint gets what was stored for it, not for the registry. */
async function credentialsFor(realm: URL, { registry, domain, path, credentials }: TokenRequest): Promise<Credentials | undefined> {
  return isTrustedRealm(realm, registry) ? credentials.find(domain, path) : credentials.findStored(realm.host);
}

function formatRequest(
  realm: URL,
  { challenge, scope }: TokenRequest,
  credentials: Credentials | undefined,
): Pick<HttpRequest, 'method' | 'headers' | 'body'> & { url: URL } {
  if (credentials !== undefined && 'identityToken' in credentials) {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credentials.identityToken, client_id: 'lichen' });
    if (challenge.service !== undefined) form.set('service', challenge.service);
    if (scope !== undefined) form.set('scope', scope);
    return {
      url: realm,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
    };
  }
  const url = new URL(realm);
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
  for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
  if (credentials !== undefined) url.searchParams.set('account', credentials.username);
  return { url, headers: credentials === undefined ? {} : { authorization: basic(credentials) } };
}

export function basic({ username, password }: Extract<Credentials, { username: string }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function parseToken(body: Buffer, url: URL): Token {
  const bad = (why: string): EngineError => new EngineError('REGISTRY_ERROR', `requesting bearer token: ${withoutSecrets(url)}: ${why}`);
  let json: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    json = JSON.parse(body.toString('utf8')) as typeof json;
  } catch {
    throw bad('the answer is not JSON');
  }
  const value = json?.token ?? json?.access_token;
  // Anything else in a header could start another header.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw bad('the answer holds no usable token');
  const lifetimeMs = typeof json?.expires_in === 'number' ? json.expires_in * 1000 : LIFETIME_MS.least;
  return { value, expiresAt: Date.now() + Math.min(Math.max(lifetimeMs, LIFETIME_MS.least), LIFETIME_MS.most) };
}
