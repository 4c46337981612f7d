import { EngineError } from '../../core/errors.ts';
import { withoutSecrets, type Http, type HttpRequest, type HttpResponse } from './http.ts';

/** As Go's client. */
const HOP_LIMIT = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those that keep method and body: for anything that is written, the others would make it a GET. */
const KEEPING = new Set([307, 308]);
/** Never sent anywhere but to the origin they were meant for. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * Send a request and follow redirects; a body that is a stream is sent once, and the redirect is the caller's. Secrets are dropped for good as soon as
 * scheme, host or port change; https never leads to http. Throws REGISTRY_ERROR on too many hops, on a bad or downgrading Location.
 */
export async function sendFollowing(http: Http, url: URL, request: HttpRequest): Promise<HttpResponse> {
  let headers = request.headers ?? {};
  let at = url;
  const followed = followable(request);
  for (let hop = 0; hop <= HOP_LIMIT; hop++) {
    const response = await http.send(at, { ...request, headers });
    if (!followed.has(response.status)) return response;
    response.body.destroy();
    const next = parseLocation(response.headers['location'], at);
    if (next.origin !== at.origin) headers = withoutSecretHeaders(headers);
    at = next;
  }
  throw new EngineError('REGISTRY_ERROR', `Get "${withoutSecrets(url)}": stopped after ${HOP_LIMIT} redirects`);
}

const NONE: ReadonlySet<number> = new Set();

function followable({ method = 'GET', body }: HttpRequest): ReadonlySet<number> {
  if (body !== undefined && !(body instanceof Uint8Array)) return NONE;
  return method === 'GET' || method === 'HEAD' ? REDIRECTS : KEEPING;
}

function parseLocation(location: string | undefined, from: URL): URL {
  const next = location === undefined ? null : URL.parse(location, from);
  if (next === null || (next.protocol !== 'https:' && next.protocol !== 'http:')) {
    throw new EngineError('REGISTRY_ERROR', `Get "${withoutSecrets(from)}": redirected to nowhere`);
  }
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw new EngineError('REGISTRY_ERROR', `Get "${withoutSecrets(from)}": refused the redirect from https to ${withoutSecrets(next)}`);
  }
  next.username = next.password = '';
  return next;
}

function withoutSecretHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name.toLowerCase())));
}
