/** `WWW-Authenticate` (RFC 9110 11.6.1), and which token endpoints a registry may send us to. */
import { BlockList, isIP } from 'node:net';
import { EngineError } from '../../core/errors.ts';
import { printable } from './printable.ts';

export type Challenge = { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string };

/** The first challenge we can answer, bearer before basic. Undefined when there is none. One pass, whatever the header holds. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined;
  let basic: Challenge | undefined;
  for (const { scheme, parameters } of readChallenges(header.slice(0, 8192))) {
    const realm = parameters.get('realm');
    const service = parameters.get('service');
    if (scheme === 'bearer' && realm !== undefined) return { scheme, realm, ...(service === undefined ? {} : { service }) };
    if (scheme === 'basic') basic = { scheme };
  }
  return basic;
}

/**
 * The token endpoint of `realm`, if the registry may name it. Throws REGISTRY_ERROR: not http(s), http where the registry is https,
 * an address inside the machine or its network where the registry is not one.
 */
export function checkRealm(realm: string, registry: URL): URL {
  const refuse = (why: string): EngineError =>
    new EngineError('REGISTRY_ERROR', `registry ${registry.host} asks for a token from ${JSON.stringify(printable(realm, 200))}: ${why}`);
  const url = URL.parse(realm);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refuse('no http or https URL');
  if (url.protocol === 'http:' && registry.protocol === 'https:') throw refuse('refused to go from https to http');
  if (url.username !== '' || url.password !== '') throw refuse('the URL holds credentials');
  if (url.hostname !== registry.hostname && isInternal(url.hostname) && !isInternal(registry.hostname)) throw refuse('an internal address');
  return url;
}

/**
 * May the credentials of the registry go to this endpoint? Yes on the registry's own host, its parent domain (registry.gitlab.com → gitlab.com),
 * a sibling below the same parent, and for known pairs. Elsewhere only credentials stored for that host itself are sent.
 */
export function isTrustedRealm(realm: URL, registry: URL): boolean {
  const [asked, home] = [realm.hostname, registry.hostname];
  if (asked === home || KNOWN_REALMS[home] === asked) return true;
  if (isIP(home) !== 0 || home.includes('[')) return false;
  const parent = home.slice(home.indexOf('.') + 1);
  return parent.split('.').length >= 2 && !SHARED_SUFFIXES.has(parent) && (asked === parent || asked.endsWith(`.${parent}`));
}

export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || inList(LOOPBACK, name);
}

const KNOWN_REALMS: Readonly<Record<string, string>> = { 'registry-1.docker.io': 'auth.docker.io' };
/** Domains below which strangers live side by side. */
const SHARED_SUFFIXES = new Set([
  'co.uk',
  'com.au',
  'co.jp',
  'com.br',
  'azurecr.io',
  'amazonaws.com',
  'github.io',
  'gitlab.io',
  'ngrok.io',
  'ngrok.app',
]);

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const INTERNAL = new BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  INTERNAL.addSubnet(address, prefix, 'ipv4');
}
for (const [address, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  INTERNAL.addSubnet(address, prefix, 'ipv6');

function isInternal(hostname: string): boolean {
  return isLoopback(hostname) || inList(INTERNAL, hostname);
}

/** BlockList takes IPv4-mapped IPv6 addresses for the IPv4 ones they stand for. */
function inList(list: BlockList, hostname: string): boolean {
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

interface RawChallenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `Bearer realm="…",service="…", Basic realm="…"`: a word without `=` starts the next challenge. */
function* readChallenges(header: string): Generator<RawChallenge> {
  let current: { scheme: string; parameters: Map<string, string> } | undefined;
  let at = 0;
  while (at < header.length) {
    at = skip(header, at, ' ,\t');
    const start = at;
    while (at < header.length && !' ,=\t'.includes(header[at]!)) at++;
    const word = header.slice(start, at);
    const next = skip(header, at, ' \t');
    if (header[next] === '=') {
      const { value, end } = readValue(header, skip(header, next + 1, ' \t'));
      current?.parameters.set(word.toLowerCase(), value);
      at = end;
    } else if (word !== '') {
      if (current) yield current;
      current = { scheme: word.toLowerCase(), parameters: new Map() };
    }
  }
  if (current) yield current;
}

function readValue(header: string, at: number): { value: string; end: number } {
  let value = '';
  if (header[at] !== '"') {
    while (at < header.length && !' ,\t'.includes(header[at]!)) value += header[at++];
    return { value, end: at };
  }
  for (at++; at < header.length && header[at] !== '"'; at++) {
    if (header[at] === '\\') at++;
    value += header[at] ?? '';
  }
  return { value, end: at + 1 };
}

function skip(text: string, at: number, characters: string): number {
  while (at < text.length && characters.includes(text[at]!)) at++;
  return at;
}
