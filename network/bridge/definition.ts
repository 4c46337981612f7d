/**
 * What a network is: one JSON file each, in the words of netavark(1), which gets it as it stands. The default network has no file until it is changed.
 * Reading and writing; who may do it when is libpod's to say.
 */
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import { replaceFile } from '../../host/replace-file.ts';
import { firstAddress, formatAddress, formatSubnet, parseSubnet } from './address.ts';

export interface NetworkDefinition {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly driver: string;
  /** The bridge, or the interface that the driver sits on. */
  readonly network_interface?: string;
  readonly created: string;
  readonly subnets?: readonly NetworkSubnet[];
  readonly routes?: readonly NetworkRoute[];
  readonly ipv6_enabled: boolean;
  readonly internal: boolean;
  readonly dns_enabled: boolean;
  readonly network_dns_servers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly ipam_options?: Readonly<Record<string, string>>;
}

export interface NetworkSubnet {
  readonly subnet: string;
  readonly gateway?: string;
  readonly lease_range?: { readonly start_ip?: string; readonly end_ip?: string };
}

export interface NetworkRoute {
  readonly destination: string;
  readonly gateway: string;
  readonly metric?: number;
}

export interface DefaultNetwork {
  readonly name: string;
  /** CIDR. */
  readonly subnet: string;
}

/** Nearly every command on networks comes by it, and loading node:crypto costs 5 ms. */
const USUAL_NAME = 'podman';
const USUAL_ID = '2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9';

/** The network that is there without anybody having made it. Throws CONFIG. */
export function defaultDefinition({ name, subnet }: DefaultNetwork, nowMs: number): NetworkDefinition {
  const parsed = parseSubnet(subnet);
  if (parsed === undefined) throw new EngineError('CONFIG', `containers.conf: [network] default_subnet: invalid CIDR address: ${subnet}`);
  return {
    name,
    id: name === USUAL_NAME ? USUAL_ID : hash('sha256', name),
    driver: 'bridge',
    network_interface: 'podman0',
    created: new Date(nowMs).toISOString(),
    subnets: [{ subnet: formatSubnet(parsed), gateway: formatAddress(firstAddress(parsed)) }],
    ipv6_enabled: parsed.family === 6,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: 'host-local' },
  };
}

/** All of them by name. A file that cannot be read is passed over with a warning: it must not be in the way of all others. */
export function readDefinitions(directory: string, standard: DefaultNetwork, nowMs: number): NetworkDefinition[] {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.json')) : [];
  const found = files.flatMap((file) => readDefinition(join(directory, file)) ?? []);
  if (!found.some(({ name }) => name === standard.name)) found.push(defaultDefinition(standard, nowMs));
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readDefinition(path: string): NetworkDefinition | undefined {
  try {
    const value = parseJson(readFileSync(path), path, 'CONFIG');
    const isWhole = isRecord(value) && [value['name'], value['id'], value['driver']].every((field) => typeof field === 'string');
    if (isWhole) return { ipv6_enabled: false, internal: false, dns_enabled: false, created: '', ...value } as unknown as NetworkDefinition;
    log.warn(`${path} defines no network: name, id or driver is missing`);
  } catch (error) {
    log.warn(`${path}: ${(error as Error).message}`);
  }
  return undefined;
}

/** Complete under its name, or as it was. */
export function writeDefinition(directory: string, definition: NetworkDefinition): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  replaceFile(join(directory, `${definition.name}.json`), `${JSON.stringify(definition, undefined, 5)}\n`, 0o644);
}

export function removeDefinition(directory: string, name: string): void {
  rmSync(join(directory, `${name}.json`), { force: true });
}

/** By name, id, or the beginning of an id. Throws NO_SUCH_NETWORK, AMBIGUOUS_ID. */
export function findDefinition(definitions: readonly NetworkDefinition[], word: string): NetworkDefinition {
  const exact = definitions.find(({ name }) => name === word) ?? definitions.find(({ id }) => id === word);
  if (exact) return exact;
  const [first, second] = word === '' ? [] : definitions.filter(({ id }) => id.startsWith(word));
  if (second) throw new EngineError('AMBIGUOUS_ID', `more than one result for network ID ${word}`);
  if (first) return first;
  throw new EngineError('NO_SUCH_NETWORK', `unable to find network with name or ID ${word}: network not found`);
}
