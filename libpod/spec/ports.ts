/** Published and exposed ports of a container. */
import type { PortMapping } from '../../network/backend.ts';
import { joinPorts } from '../../network/ports.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import { EngineError } from '../../core/errors.ts';
import type { NetworkMode, NetworkWish } from './wish.ts';

export interface PortFacts {
  /** A host port nobody listens on at this moment. */
  readonly freePort: (protocol: PortMapping['protocol'], hostIp: string) => number;
  /** Talk for the user that is no error. */
  readonly warn: (message: string) => void;
}

export interface Ports {
  readonly ports: readonly PortMapping[];
  /** `80/tcp`, those of the image and those asked for, single ports. */
  readonly expose: readonly string[];
}

const MAX_EXPOSED = 65_535;

/** Every host port is decided here. Throws INVALID_ARGUMENT, IMAGE_CORRUPT. */
export function containerPorts(wish: NetworkWish, mode: NetworkMode, image: ContainerDefaults | undefined, facts: PortFacts): Ports {
  const asked = wish.expose.flatMap((text) => parseExposed(text));
  if (!publishes(mode)) {
    if (wish.ports.length > 0 || wish.publishAll === true) {
      facts.warn(`Port mappings have been discarded because "${mode.kind}" network namespace mode does not support them`);
    }
    return { ports: [], expose: [...new Set(asked)] };
  }
  const expose = [...new Set([...imagePorts(image), ...asked])];
  const published = wish.ports.flatMap((port) => withHostPorts(port, facts));
  return { ports: joinPorts(wish.publishAll === true ? [...published, ...publishRest(expose, published, facts)] : published), expose };
}

function publishes(mode: NetworkMode): boolean {
  return mode.kind === 'pasta' || mode.kind === 'slirp4netns' || mode.kind === 'bridge' || mode.kind === 'private';
}

/** Random host ports need not follow each other, so a range of them becomes single ports. */
function withHostPorts(port: PortMapping, facts: PortFacts): PortMapping[] {
  if (port.hostPort !== 0) return [port];
  return Array.from({ length: port.range }, (_, offset) => ({
    ...port,
    hostPort: facts.freePort(port.protocol, port.hostIp),
    containerPort: port.containerPort + offset,
    range: 1,
  }));
}

function publishRest(expose: readonly string[], published: readonly PortMapping[], facts: PortFacts): PortMapping[] {
  return expose.flatMap((text) => {
    const [number, protocol] = text.split('/') as [string, PortMapping['protocol']];
    const containerPort = Number(number);
    const isPublished = published.some(
      (port) => port.protocol === protocol && containerPort >= port.containerPort && containerPort < port.containerPort + port.range,
    );
    return isPublished ? [] : [{ hostIp: '', hostPort: facts.freePort(protocol, ''), containerPort, range: 1, protocol }];
  });
}

function imagePorts(image: ContainerDefaults | undefined): string[] {
  const declared = Object.keys(image?.ExposedPorts ?? {});
  if (declared.length > MAX_EXPOSED) throw new EngineError('IMAGE_CORRUPT', `the image exposes ${declared.length} ports`);
  return declared.flatMap((text) => parseExposed(text));
}

/** `80`, `80/udp`, `70-72`. Throws INVALID_ARGUMENT. */
function parseExposed(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first < 1 || last > 65_535 || last < first) {
    throw new EngineError('INVALID_ARGUMENT', `invalid exposed port ${JSON.stringify(text)}: want PORT[-PORT][/tcp|/udp|/sctp]`);
  }
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${(match[3] ?? 'tcp').toLowerCase()}`);
}
