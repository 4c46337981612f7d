/** Quadlet files written, not read: of what is there, the file that makes it anew. */
import { argumentWord } from '../../core/unit-word.ts';
import type { NetworkDefinition } from '../../network/bridge/definition.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import { GROUP, type Kind } from './keys.ts';

export type Entry = readonly [key: string, value: string];
type Group = readonly [name: string, entries: readonly Entry[]];

export interface QuadletFile {
  /** Without its kind. */
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
}

/** `after`: groups behind that of the kind; empty ones are left out. */
export function quadletFile(
  { name, kind }: Pick<QuadletFile, 'name' | 'kind'>,
  entries: readonly Entry[],
  after: readonly Group[] = [],
): QuadletFile {
  const groups: readonly Group[] = [[GROUP[kind], entries], ...after.filter(([, some]) => some.length > 0)];
  const text = groups.map(([group, some]) => `[${group}]\n${some.map(([key, value]) => `${key}=${value}\n`).join('')}`).join('\n');
  return { name, kind, text };
}

/** One file as it is, several as a `.quadlets` file (bundle.ts). */
export function quadletText(files: readonly QuadletFile[]): string {
  if (files.length === 1) return files[0]!.text;
  return files.map(({ name, text }) => `# FileName=${name}\n${text}`).join('---\n');
}

/** Words for a key that is divided into words, and for a command line. */
export function wordsOf(...words: readonly string[]): string {
  return words.map(argumentWord).join(' ');
}

/** For a key whose value is taken whole. Undefined for one that cannot stand there. */
function wholeValue(text: string): string | undefined {
  return /^$|^[\s"]|\s$|[\n\r\0]|\\$/.test(text) ? undefined : text.replaceAll('%', '%%').replaceAll('$', '$$$$');
}

/** The key where the value can stand there, else the flag. */
export function valueOrFlag(key: string, flag: string, value: string): Entry {
  const whole = wholeValue(value);
  return whole === undefined ? ['PodmanArgs', wordsOf(`--${flag}`, value)] : [key, whole];
}

export function volumeFile({ name, driver, labels, options }: VolumeRecord): QuadletFile {
  const entries: Entry[] = [['VolumeName', name]];
  if (driver !== 'local') entries.push(['Driver', driver]);
  const { image, ...others } = options;
  if (driver === 'image') entries.push(['Image', image ?? '']);
  // Device must be there for the keys Type and Options.
  for (const [option, value] of Object.entries(others))
    entries.push(['PodmanArgs', wordsOf('--opt', value === '' ? option : `${option}=${value}`)]);
  return quadletFile({ name, kind: 'volume' }, [...entries, ...labelEntries(labels)]);
}

export function networkFile(network: NetworkDefinition): QuadletFile {
  const { name, driver, subnets = [], routes = [], options = {} } = network;
  const entries: Entry[] = [['NetworkName', name]];
  if (driver !== 'bridge') entries.push(['Driver', driver]);
  if (network.network_interface !== undefined && driver === 'bridge') entries.push(['InterfaceName', network.network_interface]);
  entries.push(...subnetEntries(subnets));
  if (network.ipv6_enabled) entries.push(['IPv6', 'true']);
  if (network.internal) entries.push(['Internal', 'true']);
  if (!network.dns_enabled) entries.push(['DisableDNS', 'true']);
  for (const server of network.network_dns_servers ?? []) entries.push(['DNS', server]);
  for (const { destination, gateway, metric } of routes) {
    entries.push(['PodmanArgs', wordsOf('--route', [destination, gateway, metric].filter((part) => part !== undefined).join(','))]);
  }
  const driverOfAddresses = network.ipam_options?.['driver'];
  if (driverOfAddresses !== undefined && driverOfAddresses !== 'host-local') entries.push(['IPAMDriver', driverOfAddresses]);
  for (const [option, value] of Object.entries(options)) entries.push(['Options', wordsOf(`${option}=${value}`)]);
  return quadletFile({ name, kind: 'network' }, [...entries, ...labelEntries(network.labels ?? {})]);
}

/** Keys go together by their order, so each of them is given for all subnets or for none; the flags have no such rule. */
function subnetEntries(subnets: NonNullable<NetworkDefinition['subnets']>): Entry[] {
  const rows = subnets.map(({ subnet, gateway, lease_range: range }) => [
    ['Subnet', 'subnet', subnet] as const,
    ...(gateway === undefined ? [] : [['Gateway', 'gateway', gateway] as const]),
    ...(range === undefined ? [] : [['IPRange', 'ip-range', `${range.start_ip}-${range.end_ip}`] as const]),
  ]);
  const isEven = rows.every((row) => row.map(([key]) => key).join() === rows[0]!.map(([key]) => key).join());
  return rows.flatMap((row): readonly Entry[] =>
    isEven
      ? row.map(([key, , value]) => [key, value] as const)
      : [['PodmanArgs', wordsOf(...row.flatMap(([, flag, value]) => [`--${flag}`, value]))] as const],
  );
}

function labelEntries(labels: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(labels).map(([name, value]) => ['Label', wordsOf(`${name}=${value}`)] as const);
}
