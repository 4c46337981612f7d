/** `--network`, and the checks that need mode and other flags together. */
import { isHostsName } from '../../../network/hosts.ts';
import { parseCsvLine } from '../../../core/csv.ts';
import type { NetworkEndpoint, NetworkMode } from '../wish.ts';
import { isAddress } from '../../../core/address.ts';
import { invalid } from './go.ts';

/** All `--network` flags together; undefined: the default. Throws INVALID_ARGUMENT. */
export function parseNetworks(texts: readonly string[]): NetworkMode | undefined {
  if (texts.length === 0) return undefined;
  const modes = texts.map(parseNetwork);
  const first = modes[0];
  if (modes.length === 1) return first;
  if (first?.kind !== 'bridge') {
    const kind = first?.kind ?? 'private';
    throw invalid(`cannot set multiple networks without bridge network mode, selected mode ${kind}: invalid argument`);
  }
  const networks = new Map(first.networks.map((endpoint) => [endpoint.name, endpoint]));
  for (const [index, mode] of modes.entries()) {
    if (mode?.kind !== 'bridge') {
      throw invalid(`can only set extra network names, selected mode ${texts[index]} conflicts with bridge: invalid argument`);
    }
    for (const endpoint of mode.networks) networks.set(endpoint.name, endpoint);
  }
  return { kind: 'bridge', networks: [...networks.values()] };
}

/** Modes with a meaning of their own; anything else is the name of a network. */
function parseNetwork(text: string): NetworkMode | undefined {
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? undefined : text.slice(colon + 1);
  switch (word) {
    case '':
    case 'default':
      return undefined;
    case 'private':
      return { kind: 'private' };
    case 'pasta':
    case 'slirp4netns':
      return { kind: word, options: value === undefined || value === '' ? [] : value.split(',') };
    case 'none':
    case 'host':
      return value === undefined ? { kind: word } : { kind: 'bridge', networks: [parseEndpoint(word, value)] };
    case 'container':
      return { kind: 'container', container: needed('container', value) };
    case 'ns':
      return { kind: 'path', path: needed('path', value) };
    case 'pod':
      throw invalid('cannot use pod namespace as container is not joining a pod or pod has no infra container: invalid argument');
    case 'bridge':
      return { kind: 'bridge', networks: [value === undefined ? plainEndpoint(DEFAULT_NETWORK) : parseEndpoint(DEFAULT_NETWORK, value)] };
    default:
      // Several names with commas between them are the form of old.
      return { kind: 'bridge', networks: value === undefined ? text.split(',').map(plainEndpoint) : [parseEndpoint(word, value)] };
  }
}

/** Stands for the configured default network, whatever its name. */
export const DEFAULT_NETWORK = 'default';

function plainEndpoint(name: string): NetworkEndpoint {
  if (name === '') throw invalid('network name cannot be empty: invalid argument');
  return { name, ips: [], aliases: [] };
}

/** `ip=…,alias=…,mac=…,interface_name=…` */
function parseEndpoint(name: string, text: string): NetworkEndpoint {
  const ips: string[] = [];
  const aliases: string[] = [];
  const options: Record<string, string> = {};
  let mac: string | undefined;
  let interfaceName: string | undefined;
  const wrong = (what: string) => invalid(`invalid option for network ${name}: ${what}`);
  for (const word of parseCsvLine(text)) {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(word) ?? [];
    switch (key) {
      case 'ip':
      case 'ip6':
        if (!isAddress(value)) throw wrong(`invalid ip address ${JSON.stringify(value)}`);
        ips.push(value);
        break;
      case 'mac':
        if (!isMac(value)) throw wrong(badMac(value));
        mac = value.toLowerCase();
        break;
      case 'alias':
        if (value === '') throw wrong('alias cannot be empty');
        aliases.push(value);
        break;
      case 'interface_name':
        if (value === '') throw wrong('interface_name cannot be empty');
        interfaceName = value;
        break;
      default:
        options[key] = value;
    }
  }
  return {
    ...plainEndpoint(name),
    ips,
    aliases,
    ...(mac === undefined ? {} : { mac }),
    ...(interfaceName === undefined ? {} : { interfaceName }),
    ...(Object.keys(options).length > 0 ? { options } : {}),
  };
}

/** Of Ethernet: six bytes with colons or dashes between them. */
export function isMac(text: string): boolean {
  return /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i.test(text);
}

export function badMac(text: string): string {
  return `address ${text}: invalid MAC address`;
}

function needed(mode: string, value: string | undefined): string {
  if (value === undefined || value === '') throw invalid(`invalid config provided: namespace mode ${mode} requires a value`);
  return value;
}

/** `name:address` or `name;other:address`; the address may be `host-gateway`. Returns it as typed. */
export function parseAddHost(text: string): string {
  const colon = text.indexOf(':');
  if (colon < 0 || !text.slice(0, colon).split(';').every(isHostsName)) throw invalid(`bad format for add-host: ${JSON.stringify(text)}`);
  const address = text.slice(colon + 1);
  if (address !== 'host-gateway' && !isAddress(address)) throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return text;
}

/** Addresses, or the one word `none`. */
export function parseDnsServers(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    if (text === 'none') {
      if (texts.length > 1) throw invalid('none is not allowed to be specified with other DNS ip addresses');
    } else if (!isAddress(text)) throw invalid(`${text} is not an ip address`);
  }
  return texts;
}

/** A domain, or `.` for none at all. */
export function parseDnsSearch(text: string): string {
  if (text === '.' || /^[\w-]+(\.[\w-]+)*\.?$/.test(text)) return text;
  throw invalid(`${text} is not a valid domain`);
}

/** For the `options` line of resolv.conf(5), which ends with the line. */
export function parseDnsOption(text: string): string {
  if (/^[^\s\p{Cc}]+$/u.test(text)) return text;
  throw invalid(`invalid DNS option ${JSON.stringify(text)}: it must be one word`);
}
