/** Published ports in their simplest form. Pure. (The text of `-p` is parsed, and free host ports are found, in libpod/spec.) */
import { EngineError } from '../core/errors.ts';
import type { PortMapping } from './backend.ts';

const MAX_PORT = 65_535;

/**
 * Per address and protocol: sort, drop what another range covers, join ranges that touch and keep the same distance to their container ports.
 * Throws INVALID_ARGUMENT when a range leaves 1–65535 or one host port would lead to two container ports.
 */
export function joinPorts(ports: readonly PortMapping[]): readonly PortMapping[] {
  ports.forEach(checkRange);
  return [...Map.groupBy(ports, ({ hostIp, protocol }) => `${hostIp}/${protocol}`).values()].flatMap(joinGroup);
}

function joinGroup(group: readonly PortMapping[]): readonly PortMapping[] {
  const joined: PortMapping[] = [];
  for (const port of group.toSorted((a, b) => a.hostPort - b.hostPort || b.range - a.range)) {
    const last = joined.at(-1);
    const distance = last === undefined ? Infinity : port.hostPort - last.hostPort;
    if (last !== undefined && distance <= last.range && distance === port.containerPort - last.containerPort)
      joined[joined.length - 1] = { ...last, range: Math.max(last.range, distance + port.range) };
    else if (last !== undefined && distance < last.range)
      throw new EngineError('INVALID_ARGUMENT', `conflicting port mappings for host port ${port.hostPort} (protocol ${port.protocol})`);
    else joined.push(port);
  }
  return joined;
}

function checkRange({ hostPort, containerPort, range }: PortMapping): void {
  for (const [kind, port] of Object.entries({ host: hostPort, container: containerPort })) {
    if (port < 1 || range < 1 || port + range - 1 > MAX_PORT)
      throw new EngineError('INVALID_ARGUMENT', `${kind} port range ${port}-${port + range - 1} is not within 1-${MAX_PORT}`);
  }
}
