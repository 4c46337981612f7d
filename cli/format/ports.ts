/** Published and exposed ports as ps and port print them. */
import type { PortMapping } from '../../network/backend.ts';

/** `0.0.0.0:8080->80/tcp, 127.0.0.1:9000-9003->90-93/udp, 53/udp`; neighbouring ports are one range. */
export function formatPorts(mappings: readonly PortMapping[], exposed: readonly string[]): string {
  return [...mergeMappings(mappings).map(formatMapping), ...formatExposed(mappings, exposed)].join(', ');
}

/** The lines of `port`, one per port: `80/tcp -> 0.0.0.0:8080`. */
export function listPorts(mappings: readonly PortMapping[]): { readonly container: string; readonly host: string }[] {
  return mappings.flatMap((mapping) =>
    Array.from({ length: mapping.range }, (_, step) => ({
      container: `${mapping.containerPort + step}/${mapping.protocol}`,
      host: `${hostAddress(mapping)}:${mapping.hostPort + step}`,
    })),
  );
}

function formatMapping(mapping: PortMapping): string {
  const host = portRange(mapping.hostPort, mapping.range);
  return `${hostAddress(mapping)}:${host}->${portRange(mapping.containerPort, mapping.range)}/${mapping.protocol}`;
}

function hostAddress(mapping: PortMapping): string {
  return mapping.hostIp === '' ? '0.0.0.0' : mapping.hostIp;
}

function portRange(first: number, count: number): string {
  return count > 1 ? `${first}-${first + count - 1}` : String(first);
}

function mergeMappings(mappings: readonly PortMapping[]): readonly PortMapping[] {
  const merged: PortMapping[] = [];
  for (const mapping of mappings) {
    const last = merged.at(-1);
    if (last && continues(last, mapping)) merged[merged.length - 1] = { ...last, range: last.range + mapping.range };
    else merged.push(mapping);
  }
  return merged;
}

function continues(last: PortMapping, next: PortMapping): boolean {
  return (
    last.hostIp === next.hostIp &&
    last.protocol === next.protocol &&
    last.hostPort + last.range === next.hostPort &&
    last.containerPort + last.range === next.containerPort
  );
}

/** Exposed and not published, by protocol and number. */
function formatExposed(mappings: readonly PortMapping[], exposed: readonly string[]): string[] {
  const ports = exposed.map(parseExposed).filter(({ port, protocol }) => !mappings.some((mapping) => covers(mapping, port, protocol)));
  ports.sort((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol < b.protocol ? -1 : 1));
  const ranges: { first: number; count: number; protocol: string }[] = [];
  for (const { port, protocol } of ports) {
    const last = ranges.at(-1);
    if (last && last.protocol === protocol && last.first + last.count === port) last.count++;
    else ranges.push({ first: port, count: 1, protocol });
  }
  return ranges.map(({ first, count, protocol }) => `${portRange(first, count)}/${protocol}`);
}

function parseExposed(text: string): { port: number; protocol: string } {
  const [port, protocol] = text.split('/');
  return { port: Number(port), protocol: protocol ?? 'tcp' };
}

function covers(mapping: PortMapping, port: number, protocol: string): boolean {
  return mapping.protocol === protocol && port >= mapping.containerPort && port < mapping.containerPort + mapping.range;
}

/** Podman's ExposedPorts: port → protocols. */
export function exposedByPort(exposed: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const ports = new Map<number, string[]>();
  for (const { port, protocol } of exposed.map(parseExposed)) ports.set(port, [...(ports.get(port) ?? []), protocol]);
  return ports;
}
