/**
 * One registry (distribution-spec v1.1): finds out how it wants to be talked to, answers its challenges, follows its redirects.
 *
 * First use: GET /v2/ over https, or over http where that is allowed; on loopback http comes first, for nobody listens in there. A 401 names the challenge; tokens are kept per scope until they expire.
 * Credentials go to the registry's own origin and the token endpoint only: a 401 from behind a redirect is an error, never answered.
 */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { tlsSettings, type CertificatePlaces } from './certificates.ts';
import { isLoopback, parseChallenge, type Challenge } from './challenge.ts';
import type { CredentialSource } from './credentials.ts';
import { failureOf, Http, type HttpRequest, type HttpResponse } from './http.ts';
import { sendFollowing } from './redirect.ts';
import { basic, fetchToken, type Token } from './token.ts';
import { pause } from './pause.ts';

export interface RegistryOptions {
  readonly credentials: CredentialSource;
  readonly certificates: CertificatePlaces;
  /** False: any certificate, and plain http; true: neither. Undefined: checked https, and plain http on loopback only. */
  readonly tlsVerify?: boolean | undefined;
  /** Refuse a token endpoint on a stranger's host, rather than ask it without the credentials of the registry. */
  readonly onlyTrustedRealms?: boolean;
  /** Without a byte moving. Default: 60 s. */
  readonly timeoutMs?: number;
  /** First pause before an overloaded registry is asked again. Default: 1 s. */
  readonly pauseMs?: number;
}

export interface RegistryRequest extends HttpRequest {
  /** Below the registry's root: `/v2/team/app/manifests/1`. */
  readonly path: string;
  /** Instead of `path`: where the registry said that an upload goes on. Credentials go there only if it is the registry itself. */
  readonly url?: URL;
  /** Repository and what is to be done in it, for the token. `mountFrom`: another repository that is read. */
  readonly repository?: { readonly path: string; readonly actions: 'pull' | 'pull,push'; readonly mountFrom?: string };
  /** For the token where no repository is meant: `registry:catalog:*`. */
  readonly scope?: string;
  /** Without credentials, whatever the registry asks for. */
  readonly anonymous?: boolean;
}

/** Asked again that often when it answers 429 or 503. */
const OVERLOAD_TRIES = 4;
const LONGEST_PAUSE_MS = 30_000;

/** Owns its connections. */
export class Registry implements Disposable {
  readonly #domain: string;
  readonly #host: string;
  readonly #options: RegistryOptions;
  readonly #http: Http;
  readonly #tokens = new Map<string, Token>();
  #session: Promise<Session> | undefined;

  /** `domain` as in references: `quay.io`, `localhost:5000`. */
  constructor(domain: string, options: RegistryOptions) {
    this.#domain = domain;
    this.#host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
    this.#options = options;
    this.#http = new Http({
      tls: async (host) => ({
        ...tlsSettings(host, options.certificates),
        verify: !(options.tlsVerify === false && host === this.#urlHost()),
      }),
      env: options.certificates.env,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
  }

  /** Throws REGISTRY_UNREACHABLE, REGISTRY_ERROR: `pinging container registry …`. Once is enough: the answer is kept. */
  async ping(signal?: AbortSignal): Promise<void> {
    await this.#open(signal);
  }

  /**
   * Any status but 401 (answered once if it can be), 429 and 503 (asked again a few times) is the caller's to judge.
   * Throws REGISTRY_UNREACHABLE, REGISTRY_UNAUTHORIZED, REGISTRY_ERROR, ABORTED.
   */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#sendAuthorised(request);
      if ((response.status !== 429 && response.status !== 503) || attempt === OVERLOAD_TRIES || isStream(request.body)) return response;
      response.body.destroy();
      await pause(this.#pauseMs(response, attempt), request.signal);
    }
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #sendAuthorised(request: RegistryRequest): Promise<HttpResponse> {
    const session = await this.#open(request.signal);
    const response = await this.#sendOnce(session, request, session.challenge);
    if (request.anonymous === true || response.status !== 401 || response.url.origin !== session.root.origin || isStream(request.body))
      return response;
    const challenge = parseChallenge(response.headers['www-authenticate']);
    if (challenge === undefined) return response;
    response.body.destroy();
    // The token may have been revoked, or the registry asks for more than at the ping. Once: a second 401 is an answer.
    this.#tokens.delete(scopeOf(request) ?? '');
    session.challenge = challenge;
    return this.#sendOnce(session, request, challenge);
  }

  async #sendOnce(session: Session, request: RegistryRequest, challenge: Challenge | undefined): Promise<HttpResponse> {
    const { path, url = new URL(path, session.root), repository: _repository, scope: _scope, anonymous, headers, ...rest } = request;
    const isTrusted = anonymous !== true && url.origin === session.root.origin;
    const authorization = isTrusted ? await this.#authorization(session, request, challenge) : undefined;
    return sendFollowing(this.#http, url, {
      ...rest,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    });
  }

  async #authorization(session: Session, request: RegistryRequest, challenge: Challenge | undefined): Promise<string | undefined> {
    if (challenge === undefined) return undefined;
    const repositoryPath = request.repository?.path;
    if (challenge.scheme === 'basic') {
      const credentials = await this.#options.credentials.find(this.#domain, repositoryPath);
      return credentials === undefined || !('username' in credentials) ? undefined : basic(credentials);
    }
    const scope = scopeOf(request);
    const known = this.#tokens.get(scope ?? '');
    if (known && known.expiresAt > Date.now()) return `Bearer ${known.value}`;
    const token = await fetchToken(this.#http, {
      challenge,
      registry: session.root,
      scope,
      domain: this.#domain,
      path: repositoryPath,
      credentials: this.#options.credentials,
      onlyTrusted: this.#options.onlyTrustedRealms === true,
      signal: request.signal,
    });
    this.#tokens.set(scope ?? '', token);
    return `Bearer ${token.value}`;
  }

  #open(signal: AbortSignal | undefined): Promise<Session> {
    // A failed ping is not kept: the next attempt may find the registry up.
    this.#session ??= this.#negotiate(signal).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #negotiate(signal: AbortSignal | undefined): Promise<Session> {
    const { tlsVerify } = this.#options;
    const pinging = `pinging container registry ${this.#host}`;
    const root = (scheme: string): URL => URL.parse(`${scheme}://${this.#host}/`) ?? invalidPort(pinging, this.#host, scheme);
    const https = root('https');
    const loopback = tlsVerify === undefined && isLoopback(https.hostname);
    if (tlsVerify !== true && isLoopback(https.hostname)) {
      const plain = await this.#try(root('http'), pinging, signal).catch(unlessAborted);
      if (plain !== undefined) return plain;
    }
    try {
      return await this.#try(https, pinging, signal);
    } catch (error) {
      if (tlsVerify !== false && !(loopback && failureOf(error) !== 'other')) throw prefixed(pinging, error);
      if (isEngineError(error, 'ABORTED')) throw error;
      return this.#try(root('http'), pinging, signal).catch((second: unknown) => {
        // Nobody listens, and on loopback nobody asked for http either: say what https met, as Podman does.
        throw prefixed(pinging, loopback && failureOf(second) === 'refused' ? error : second);
      });
    }
  }

  async #try(root: URL, pinging: string, signal: AbortSignal | undefined): Promise<Session> {
    const response = await this.#http.send(new URL('/v2/', root), { signal });
    response.body.destroy();
    if (response.status !== 200 && response.status !== 401) {
      throw new EngineError('REGISTRY_ERROR', `${pinging}: invalid status code from registry ${response.status}`);
    }
    return { root, challenge: response.status === 401 ? parseChallenge(response.headers['www-authenticate']) : undefined };
  }

  #urlHost(): string | undefined {
    return URL.parse(`https://${this.#host}/`)?.host;
  }

  /** What Retry-After asks for, within reason. */
  #pauseMs(response: HttpResponse, attempt: number): number {
    const asked = Number(response.headers['retry-after']) * 1000;
    const first = this.#options.pauseMs ?? 1000;
    const wanted = Number.isFinite(asked) && asked >= 0 ? asked : first * 2 ** (attempt - 1);
    return Math.min(wanted, first * (LONGEST_PAUSE_MS / 1000));
  }
}

interface Session {
  readonly root: URL;
  challenge: Challenge | undefined;
}

function scopeOf({ repository, scope }: RegistryRequest): string | undefined {
  if (repository === undefined) return scope;
  const { path, actions, mountFrom } = repository;
  return `repository:${path}:${actions}${mountFrom === undefined ? '' : ` repository:${mountFrom}:pull`}`;
}

/** A stream can be sent only once. */
function isStream(body: HttpRequest['body']): boolean {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** Whoever answers plain http with an error, or not at all, may speak TLS. */
function unlessAborted(error: unknown): undefined {
  if (isEngineError(error, 'ABORTED')) throw error;
}

function prefixed(prefix: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || error.message.startsWith(prefix)) return error;
  const { code, message, hint, cause } = error;
  return new EngineError(code, `${prefix}: ${message}`, { cause, ...(hint === undefined ? {} : { hint }) });
}

function invalidPort(pinging: string, host: string, scheme: string): never {
  const port = host.slice(host.lastIndexOf(':') + 1);
  throw new EngineError('REGISTRY_UNREACHABLE', `${pinging}: Get "${scheme}://${host}/v2/": dial tcp: address ${port}: invalid port`);
}
