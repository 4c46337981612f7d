/** `--publish` and `--expose`: `[[ip:]hostPort:]containerPort[/proto]`, each port maybe a range. */
import type { PortMapping } from '../../../network/backend.ts';
import { isAddress } from '../../../core/address.ts';
import { invalid, parseAtoi, parseUint } from './go.ts';

const FORMAT = 'invalid port format - format is [[hostIP:]hostPort:]containerPort';

/** `hostPort` 0 in the result: any free port. Throws INVALID_ARGUMENT with Podman's words. */
export function parsePublish(text: string): PortMapping {
  const [ports, protocol = 'tcp', ...surplus] = text.split('/');
  if (surplus.length > 0) throw invalid('invalid port format - protocol can only be specified once');
  if (protocol === '') throw invalid('must provide a non-empty protocol to publish');
  const { hostIp, hostPort, containerPort } = splitPlaces(ports!);
  if (hostIp === '') throw invalid('must provide a non-empty container host IP to publish');
  if (containerPort === '') throw invalid('must provide a non-empty container port to publish');
  if (hostIp !== undefined && !isAddress(hostIp)) throw invalid(`cannot parse ${JSON.stringify(hostIp)} as an IP address`);

  const container = parseRange(containerPort, 'container');
  const host = hostPort === undefined || hostPort === '' ? undefined : parseRange(hostPort, 'host');
  if (host !== undefined && host.length !== container.length) {
    throw invalid(`host and container port ranges have different lengths: ${host.length} vs ${container.length}`);
  }
  return {
    hostIp: hostIp ?? '',
    hostPort: host?.first ?? 0,
    containerPort: container.first,
    range: container.length,
    protocol: parseProtocol(protocol),
  };
}

/** `80`, `80-90`, `80/udp` as `['80/tcp']` … one entry per port. Throws INVALID_ARGUMENT. */
export function parseExpose(text: string): string[] {
  const slash = text.indexOf('/');
  const range = slash < 0 ? text : text.slice(0, slash);
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1);
  const [first, last] = exposedRange(range, text);
  const known = exposedProtocol(protocol, first);
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${known}`);
}

interface Places {
  readonly hostIp?: string;
  readonly hostPort?: string;
  readonly containerPort: string;
}

function splitPlaces(text: string): Places {
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0) throw invalid(FORMAT);
    if (text[close + 1] !== ':') throw invalid("invalid port format - IPv6 address must be followed by a colon (':')");
    const rest = text.slice(close + 2).split(':');
    if (rest.length > 2) throw invalid(FORMAT);
    const [hostPort, containerPort] = rest.length === 2 ? rest : [undefined, rest[0]];
    return { hostIp: text.slice(1, close), containerPort: containerPort!, ...(hostPort !== undefined && { hostPort }) };
  }
  const parts = text.split(':');
  if (parts.length > 3) throw invalid(FORMAT);
  const [containerPort, hostPort, hostIp] = parts.toReversed();
  return { containerPort: containerPort!, ...(hostPort !== undefined && { hostPort }), ...(hostIp !== undefined && { hostIp }) };
}

function parseRange(text: string, place: 'host' | 'container'): { first: number; length: number } {
  const prefix = `parsing ${place} port: `;
  if (text.startsWith('-')) throw invalid(`${prefix}port numbers cannot be negative`);
  const parts = text.split('-');
  if (parts.length > 2) throw invalid(`${prefix}invalid port format - port ranges are formatted as startPort-stopPort`);
  const first = parsePort(parts[0]!, prefix);
  if (parts.length === 1) return { first, length: 1 };
  const last = parsePort(parts[1]!, prefix);
  if (last <= first)
    throw invalid(`${prefix}the end port of a range must be higher than the start port - ${last} is not higher than ${first}`);
  return { first, length: last - first + 1 };
}

function parsePort(text: string, prefix: string): number {
  let port: number;
  try {
    port = parseAtoi(text);
  } catch (error) {
    throw invalid(`${prefix}invalid port number: ${(error as Error).message}`);
  }
  if (port < 1 || port > 65_535) throw invalid(`${prefix}port numbers must be between 1 and 65535 (inclusive), got ${port}`);
  return port;
}

function parseProtocol(text: string): PortMapping['protocol'] {
  const known = (['tcp', 'udp', 'sctp'] as const).find((one) => one === text.toLowerCase());
  if (known === undefined) throw invalid(`unrecognized protocol ${JSON.stringify(text.toLowerCase())} in port mapping`);
  return known;
}

function exposedRange(range: string, text: string): [first: number, last: number] {
  const [from, to, ...surplus] = range.split('-');
  try {
    const first = parseUint(from!, 16);
    const last = to === undefined ? first : parseUint([to, ...surplus].join('-'), 16);
    if (last < first) throw invalid(`Invalid range specified for the Port: ${range}`);
    return [first, last];
  } catch (error) {
    throw invalid(`invalid range format for --expose: ${text}: ${(error as Error).message}`);
  }
}

function exposedProtocol(protocol: string, port: number): string {
  try {
    return parseProtocol(protocol);
  } catch (error) {
    throw invalid(`validating protocols for exposed port ${port}: ${(error as Error).message}`);
  }
}
