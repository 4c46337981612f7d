/** `--network slirp4netns:KEY=VALUE,…` and the command line that follows from it (slirp4netns(1)). Pure. */
import { EngineError } from '../core/errors.ts';
import type { HelperOptions } from './probe.ts';

export interface SlirpOptions {
  /** Let the container reach the host's 127.0.0.1 through the gateway address. Off by default. */
  readonly allowHostLoopback: boolean;
  readonly mtu: number;
  readonly ipv6: boolean;
  readonly cidr?: string;
  /** An address or an interface name. */
  readonly outboundAddress?: string;
  readonly outboundAddress6?: string;
}

export interface SlirpAddresses {
  readonly own: string;
  readonly gateway: string;
  readonly nameserver: string;
}

const DEFAULT_CIDR = '10.0.2.0/24';
const DEFAULT_MTU = 65_520;
const MIN_MTU = 68;

/** Later words win, so configured defaults come first. Throws INVALID_ARGUMENT in Podman's words. */
export function parseSlirpOptions(words: readonly string[]): SlirpOptions {
  let options: SlirpOptions = { allowHostLoopback: false, mtu: DEFAULT_MTU, ipv6: true };
  for (const word of words) options = { ...options, ...parseWord(word) };
  return options;
}

function parseWord(word: string): Partial<SlirpOptions> {
  const equals = word.indexOf('=');
  const key = word.slice(0, equals);
  const value = word.slice(equals + 1);
  switch (equals < 0 ? '' : key) {
    case 'allow_host_loopback':
      return { allowHostLoopback: parseBoolean(key, value) };
    case 'enable_ipv6':
      return { ipv6: parseBoolean(key, value) };
    case 'mtu':
      if (!/^\d+$/.test(value) || Number(value) < MIN_MTU) throw invalid(`invalid mtu "${value}"`);
      return { mtu: Number(value) };
    case 'cidr':
      if (parseCidr(value) === undefined) throw invalid(`invalid cidr "${value}"`);
      return { cidr: value };
    case 'outbound_addr':
      if (!INTERFACE_OR_FOUR.test(value)) throw invalid(`invalid outbound_addr "${value}"`);
      return { outboundAddress: value };
    case 'outbound_addr6':
      if (!INTERFACE_OR_SIX.test(value)) throw invalid(`invalid outbound_addr6: "${value}"`);
      return { outboundAddress6: value };
    case 'port_handler':
      // Both words are Podman's; here slirp4netns forwards ports itself either way.
      if (value !== 'rootlesskit' && value !== 'slirp4netns') throw invalid(`unknown port_handler for slirp4netns: "${value}"`);
      return {};
    default:
      throw invalid(`unknown option for slirp4netns: "${word}"`);
  }
}

// Interface names hold no slash, colon or space and are at most 15 bytes long (netdevice(7), IFNAMSIZ).
const INTERFACE_OR_FOUR = /^[^/:\s-][^/:\s]{0,14}$/;
const INTERFACE_OR_SIX = /^([^/:\s-][^/:\s]{0,14}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/;

function parseBoolean(key: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid(`invalid value of ${key} for slirp4netns: "${value}"`);
}

/** The fixed hosts of slirp's network: gateway .2, DNS .3, the container .100. */
export function slirpAddresses(options: SlirpOptions): SlirpAddresses {
  const base = parseCidr(options.cidr ?? DEFAULT_CIDR)!.network;
  const at = (offset: number) => [24, 16, 8, 0].map((shift) => Math.floor((base + offset) / 2 ** shift) % 256).join('.');
  return { own: at(100), gateway: at(2), nameserver: at(3) };
}

export function prefixLength(options: SlirpOptions): number {
  return parseCidr(options.cidr ?? DEFAULT_CIDR)!.prefix;
}

function parseCidr(text: string): { network: number; prefix: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number];
  if ([a, b, c, d].some((byte) => byte > 255) || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return { network: address - (address % size), prefix };
}

export interface SlirpPlaces {
  readonly netns: string;
  /** Relative to the directory slirp4netns is started in: the path of a socket may have 107 bytes, a run directory has more. */
  readonly apiSocket?: string;
  /** Descriptors in the helper. */
  readonly readyFd: number;
  readonly exitFd?: number;
}

/** Safety options the installed version lacks are left out; something the user asked for and it lacks is INVALID_ARGUMENT. */
export function slirpArgs(options: SlirpOptions, places: SlirpPlaces, known: HelperOptions): readonly string[] {
  const asked = (name: string, flag: string, value: string | undefined) => {
    if (value === undefined) return [];
    if (!known.has(flag)) throw invalid(`${name} not supported`);
    return [`${flag}=${value}`];
  };
  const where = (flag: string, word = flag) => (known.has(flag) ? [word] : []);
  return [
    ...(options.allowHostLoopback ? [] : where('--disable-host-loopback')),
    ...where('--mtu', `--mtu=${options.mtu}`),
    ...where('--enable-sandbox'),
    ...where('--enable-seccomp'),
    ...asked('cidr', '--cidr', options.cidr),
    ...(options.ipv6 ? where('--enable-ipv6') : []),
    ...asked('outbound_addr', '--outbound-addr', options.outboundAddress),
    ...asked('outbound_addr6', '--outbound-addr6', options.outboundAddress6),
    '-c',
    '-r',
    String(places.readyFd),
    ...(places.exitFd === undefined ? [] : ['-e', String(places.exitFd)]),
    ...(places.apiSocket === undefined ? [] : ['--api-socket', places.apiSocket]),
    '--netns-type=path',
    places.netns,
    'tap0',
  ];
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
