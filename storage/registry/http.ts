/**
 * One HTTP request, nothing more: redirects, credentials and retries are decided by those who know what is asked for.
 * Node's own client, not undici: it is there without being loaded from the bundle, and takes certificates per registry.
 */
import http from 'node:http';
import type { AgentOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { isLoopback } from './challenge.ts';
import { printable } from './printable.ts';

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly url: URL;
  /** Lower-case names; repeated headers joined with commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
}

/** What https needs to know about a host. */
export interface TlsSettings {
  /** PEM. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate will do. Only for the very host the user called insecure. */
  readonly verify: boolean;
}

export interface HttpOptions {
  /** `host` with its port where it is not the usual one. */
  readonly tls: (host: string) => Promise<TlsSettings>;
  readonly env?: NodeJS.ProcessEnv;
  /** Without a byte moving, and for the headers to arrive. Default: 60 s. */
  readonly timeoutMs?: number;
}

const HEADER_LIMIT_BYTES = 64 * 1024;
const SOCKETS_PER_HOST = 8;

/** Owns its sockets. */
export class Http implements Disposable {
  readonly #options: HttpOptions;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the headers; any status is an answer. Throws REGISTRY_UNREACHABLE in Go's words
   * (`Get "https://…": dial tcp 127.0.0.1:5000: connect: connection refused`), ABORTED.
   */
  async send(url: URL, request: HttpRequest = {}): Promise<HttpResponse> {
    const { method = 'GET', body, signal } = request;
    if (signal?.aborted) throw aborted(url, signal);
    log.debug(() => `${method} ${withoutSecrets(url)}`);
    const agent = await this.#agent(url);
    const { request: open } = url.protocol === 'https:' ? await import('node:https') : http;
    const timeoutMs = this.#options.timeoutMs ?? 60_000;
    return new Promise((resolve, reject) => {
      const outgoing = open(url, {
        method,
        agent,
        headers: { 'user-agent': 'lichen', 'accept-encoding': 'identity', ...request.headers },
        maxHeaderSize: HEADER_LIMIT_BYTES,
        timeout: timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      // A server that drips headers keeps the socket busy: this clock does not care. It starts when the request has been sent.
      let headersDue: NodeJS.Timeout | undefined;
      let answered = false;
      outgoing.on('finish', () => {
        if (!answered) headersDue = setTimeout(() => outgoing.destroy(timedOut(method, url)), timeoutMs);
      });
      outgoing.on('timeout', () => outgoing.destroy(timedOut(method, url)));
      outgoing.on('close', () => clearTimeout(headersDue));
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        reject(signal?.aborted ? aborted(url, signal) : unreachable(error, method, url)),
      );
      outgoing.on('response', (incoming) => {
        answered = true;
        clearTimeout(headersDue);
        resolve({ status: incoming.statusCode ?? 0, url, headers: flatten(incoming.headers), body: incoming });
      });
      if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
      else body.once('error', (error) => outgoing.destroy(error)).pipe(outgoing);
    });
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #agent(url: URL): Promise<http.Agent> {
    const known = this.#agents.get(url.origin);
    if (known) return known;
    // As Go's client, and unlike Node's: a proxy cannot reach our loopback.
    const proxyEnv = isLoopback(url.hostname) ? {} : (this.#options.env ?? process.env);
    const common = { keepAlive: true, maxSockets: SOCKETS_PER_HOST, proxyEnv };
    const agent = url.protocol === 'https:' ? await this.#tlsAgent(url, common) : new http.Agent(common);
    this.#agents.set(url.origin, agent);
    return agent;
  }

  /** TLS takes 20 ms to load. */
  async #tlsAgent(url: URL, common: AgentOptions): Promise<http.Agent> {
    const { Agent } = await import('node:https');
    return new Agent({ ...common, ...tlsOptions(await this.#options.tls(url.host)) });
  }
}

/** The body in memory. Throws REGISTRY_ERROR when it is longer than `limitBytes`, or does not arrive within `timeoutMs`. */
export async function readBody(response: HttpResponse, limitBytes: number, timeoutMs = 60_000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => response.body.destroy(timedOut('GET', response.url)), timeoutMs);
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes)
        throw new EngineError('REGISTRY_ERROR', `${withoutSecrets(response.url)}: the answer is longer than ${limitBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof EngineError ? error : unreachable(error as NodeJS.ErrnoException, 'GET', response.url);
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks);
}

/** A URL for logs and messages: signed download links carry their secret in the query. */
export function withoutSecrets(url: URL): string {
  return printable(`${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`, 300);
}

function tlsOptions({ ca, cert, key, verify }: TlsSettings): AgentOptions {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function flatten(headers: http.IncomingHttpHeaders): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
}

/** The error behind a REGISTRY_UNREACHABLE: is anything listening, does it speak TLS? Others decide by it whether plain HTTP is worth a try. */
export function failureOf(error: unknown): 'refused' | 'not-tls' | 'other' {
  const cause = error instanceof EngineError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  const code = firstOf(cause)?.code ?? '';
  if (code === 'ECONNREFUSED') return 'refused';
  return NOT_TLS.has(code) ? 'not-tls' : 'other';
}

/** A name that nobody knows, a certificate that does not hold, a server without TLS: trying again would end the same way. */
export function isLasting(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = firstOf(cause)?.code ?? '';
    if (LASTING.has(code) || NOT_TLS.has(code) || UNKNOWN_AUTHORITY.has(code)) return true;
  }
  return false;
}

const LASTING = new Set(['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID']);
const NOT_TLS = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST']);

function unreachable(error: NodeJS.ErrnoException, method: string, url: URL): EngineError {
  if (error instanceof EngineError) return error;
  const verb = `${method[0]}${method.slice(1).toLowerCase()}`;
  const hint = hintFor(error);
  return new EngineError('REGISTRY_UNREACHABLE', `${verb} "${withoutSecrets(url)}": ${goWords(error, url)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Go's net and crypto/tls packages word the errors that users know from Podman. */
function goWords(error: NodeJS.ErrnoException, url: URL): string {
  const first = firstOf(error) ?? error;
  const { address, port, code = '' } = first as NodeJS.ErrnoException & { address?: string; port?: number };
  const peer = address === undefined ? url.host : `${isIP(address) === 6 ? `[${address}]` : address}:${port ?? ''}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${peer}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${peer}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${peer}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${peer}: i/o timeout`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${url.hostname}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`;
    case 'ECONNRESET':
      return 'read: connection reset by peer';
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`;
  }
  if (UNKNOWN_AUTHORITY.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  if (NOT_TLS.has(code) && url.protocol === 'https:') return 'http: server gave HTTP response to HTTPS client';
  return printable(first.message, 300);
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function hintFor(error: NodeJS.ErrnoException): string | undefined {
  const code = firstOf(error)?.code ?? '';
  if (UNKNOWN_AUTHORITY.has(code)) {
    return 'If you trust the registry, put its CA into ~/.config/containers/certs.d/HOST:PORT/ca.crt, or use --tls-verify=false.';
  }
  if (NOT_TLS.has(code))
    return 'If the registry speaks plain HTTP, use --tls-verify=false, or set insecure=true for it in registries.conf.';
  return undefined;
}

/** A host with several addresses fails once for each; the first is the one that Podman names. */
function firstOf(error: NodeJS.ErrnoException | undefined): NodeJS.ErrnoException | undefined {
  return error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
}

function timedOut(method: string, url: URL): EngineError {
  const verb = `${method[0]}${method.slice(1).toLowerCase()}`;
  return new EngineError('REGISTRY_UNREACHABLE', `${verb} "${withoutSecrets(url)}": net/http: timeout awaiting response`);
}

function aborted(url: URL, signal: AbortSignal): EngineError {
  return new EngineError('ABORTED', `${withoutSecrets(url)}: context canceled`, { cause: signal.reason });
}
