/** The container's /etc/hosts (hosts(5)), line for line as Podman writes it. Pure. */
import { EngineError } from '../core/errors.ts';

export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

export interface HostsRequest {
  /** Text of the base file; empty for none. */
  readonly base: string;
  /** `--add-host` words: `name:address` or `name;name:address`; the address may be `host-gateway`. */
  readonly extra: readonly string[];
  /** Where the container reaches the host; absent: no entry for it. */
  readonly hostAddress?: string | undefined;
  /** The container's own addresses and names. */
  readonly own: readonly HostEntry[];
}

const HOST_NAMES = ['host.containers.internal', 'host.docker.internal'] as const;

/**
 * User's entries, then the base file's, then ours: those only for names that are not there yet.
 * Throws INVALID_ARGUMENT for a bad --add-host word, or `host-gateway` where there is no way to the host.
 */
export function hostsFile(request: HostsRequest): string {
  const given = [...request.extra.map((word) => parseAddHost(word, request.hostAddress)), ...parseHostsFile(request.base)];
  const taken = new Set(given.flatMap(({ names }) => names));
  const ours: HostEntry[] = [
    { address: '127.0.0.1', names: ['localhost'] },
    { address: '::1', names: ['localhost'] },
    ...(request.hostAddress === undefined ? [] : [{ address: request.hostAddress, names: HOST_NAMES }]),
    ...request.own,
  ];
  const added = ours.map(({ address, names }) => ({ address, names: names.filter((name) => !taken.has(name)) }));
  return [...given, ...added]
    .filter(({ names }) => names.length > 0)
    .map(({ address, names }) => `${address}\t${names.join(' ')}\n`)
    .join('');
}

/** Comments and lines without a name are dropped. */
export function parseHostsFile(text: string): HostEntry[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.length === 0 ? [] : [{ address, names }];
  });
}

/** One word of hosts(5): a name with a line break in it would be a second entry. */
export function isHostsName(name: string): boolean {
  return /^[^\s\p{Cc}#]+$/u.test(name);
}

function parseAddHost(word: string, hostAddress: string | undefined): HostEntry {
  const colon = word.indexOf(':');
  const names = word.slice(0, colon).split(';');
  const address = word.slice(colon + 1);
  if (colon < 0 || !names.every(isHostsName)) throw bad(`bad format for add-host: ${JSON.stringify(word)}`);
  if (address !== 'host-gateway') {
    if (!/^[0-9a-fA-F:.]+$/.test(address)) throw bad(`invalid IP address in add-host: ${JSON.stringify(address)}`);
    return { address, names };
  }
  if (hostAddress === undefined)
    throw bad(`unable to replace "host-gateway" of host entry ${JSON.stringify(word)}: host containers internal IP address is empty`);
  return { address: hostAddress, names };
}

/** Where the base file lies: `none`, a path in the image, or one on the host. From `--hosts-file` or containers.conf's base_hosts_file. */
export function baseHostsFile(
  option: string | undefined,
): { readonly from: 'nowhere' } | { readonly from: 'image' | 'host'; readonly path: string } {
  if (option === 'none') return { from: 'nowhere' };
  if (option === 'image') return { from: 'image', path: '/etc/hosts' };
  return { from: 'host', path: option === undefined || option === '' ? '/etc/hosts' : option };
}

function bad(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
