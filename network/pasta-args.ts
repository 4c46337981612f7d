/** The command line of pasta(1), as Podman composes it, cut down to what the installed pasta understands. Pure. */
import { EngineError } from '../core/errors.ts';
import type { NetworkInterface, NetworkRequest, PortMapping } from './backend.ts';
import type { HelperOptions } from './probe.ts';

/** Link-local, so it is very unlikely to hide anything the container wants to reach: Podman's choice. */
const DNS_FORWARD = '169.254.1.1';
const MAP_GUEST = '169.254.1.2';

export interface PastaPlan {
  readonly args: readonly string[];
  /** Addresses inside at which pasta answers DNS. */
  readonly nameservers: readonly string[];
  /** Addresses inside that lead to the host. */
  readonly hostAddresses: readonly string[];
}

export interface PastaMachine {
  /** What this pasta's --help lists. */
  readonly options: HelperOptions;
  /** Real root: pasta would change to nobody and then not be allowed to enter the namespace. */
  readonly rootful: boolean;
  readonly pidFile: string;
}

/**
 * The user's options go first and keep the matching default away. `--map-gw` is Podman's own word: it leaves out `--no-map-gw`.
 * Throws INVALID_ARGUMENT: an option pasta does not have or that belongs to us, a word that is no option, an sctp port.
 */
export function pastaArgs(request: Pick<NetworkRequest, 'netns' | 'ports' | 'options'>, machine: PastaMachine): PastaPlan {
  const user = request.options.filter((word) => word !== '--map-gw');
  const given = optionsIn(user, machine.options);
  const has = (option: string) => machine.options.has(option);
  const asked = (...names: readonly string[]) => given.filter(({ name }) => names.includes(name));
  const valuesOf = (name: string) => asked(name).flatMap(({ value }) => value ?? []);
  const mapped = (protocol: PortMapping['protocol']) => request.ports.some((port) => port.protocol === protocol);

  const nameservers = asked('--dns-forward').length > 0 ? valuesOf('--dns-forward') : has('--dns-forward') ? [DNS_FORWARD] : [];
  const ownGuest = asked('--map-guest-addr').length === 0 && has('--map-guest-addr');
  const args = [
    '--config-net',
    ...user,
    ...request.ports.flatMap(portArgs),
    ...(asked('--dns-forward').length === 0 && has('--dns-forward') ? ['--dns-forward', DNS_FORWARD] : []),
    ...(mapped('tcp') || asked('-t', '--tcp-ports').length > 0 ? [] : ['-t', 'none']),
    ...(mapped('udp') || asked('-u', '--udp-ports').length > 0 ? [] : ['-u', 'none']),
    ...(asked('-T', '--tcp-ns').length > 0 ? [] : ['-T', 'none']),
    ...(asked('-U', '--udp-ns').length > 0 ? [] : ['-U', 'none']),
    ...(request.options.includes('--map-gw') ? [] : ['--no-map-gw']),
    ...(asked('-d', '--debug', '--trace').length > 0 ? [] : ['--quiet']),
    ...(machine.rootful && asked('--runas').length === 0 ? ['--runas', '0'] : []),
    '--pid',
    machine.pidFile,
    '--netns',
    request.netns,
    ...(ownGuest ? ['--map-guest-addr', MAP_GUEST] : []),
  ];
  return { args, nameservers, hostAddresses: ownGuest ? [MAP_GUEST] : valuesOf('--map-guest-addr') };
}

/**
 * What a pasta without a local mode of its own (before November 2024) needs on a host that has no default route:
 * the addresses the newer ones take then. Published ports and the way to the host work, there is nothing else to reach.
 */
export const LOCAL_MODE = [
  '-4',
  '-i',
  'lo',
  '-a',
  '169.254.2.1',
  '-n',
  '16',
  '-g',
  '169.254.2.2',
  '-I',
  'tap0',
  '-M',
  '9a:55:9a:55:9a:55',
] as const;

const TEMPLATE_OPTIONS = /^(-[46iangIo]|--(ipv4-only|ipv6-only|interface|address|netmask|gateway|ns-ifname|outbound.*|splice-only)\b)/;

/** True if the user chose addresses or interface himself: LOCAL_MODE would contradict him, and `copiedInterface` may be wrong. */
export function choosesTemplate(options: readonly string[]): boolean {
  return options.some((word) => TEMPLATE_OPTIONS.test(word));
}

/**
 * What pasta will make of the host's interfaces, where that is beyond doubt: one interface with a default route and one address of each family,
 * which pasta copies. Undefined otherwise. Saves a look inside.
 */
export function copiedInterface(host: readonly NetworkInterface[], options: readonly string[]): NetworkInterface | undefined {
  const routed = host.filter(({ gateways }) => gateways.length > 0);
  const [only] = routed;
  if (only === undefined || routed.length > 1 || choosesTemplate(options)) return undefined;
  const six = only.addresses.filter((address) => address.includes(':'));
  const fourGateways = only.gateways.filter((address) => !address.includes(':'));
  return six.length <= 1 && only.addresses.length - six.length === 1 && fourGateways.length === 1 ? only : undefined;
}

function portArgs({ hostIp, hostPort, containerPort, range, protocol }: PortMapping): string[] {
  if (protocol === 'sctp') throw new EngineError('INVALID_ARGUMENT', "can't forward protocol: sctp");
  const address = hostIp === '' ? '' : `${hostIp}/`;
  const spec = `${address}${hostPort}-${hostPort + range - 1}:${containerPort}-${containerPort + range - 1}`;
  return [protocol === 'tcp' ? '-t' : '-u', spec];
}

/** They say where pasta works and how it is watched: ours alone. */
const RESERVED = new Set([
  '--netns',
  '--userns',
  '--netns-only',
  '-P',
  '--pid',
  '-f',
  '--foreground',
  '-F',
  '--fd',
  '-h',
  '--help',
  '--version',
]);

/**
 * Split as getopt_long(3) would. A word that is neither option nor value must not get through:
 * pasta would take it for a command, and run that in a namespace of its own.
 */
function optionsIn(words: readonly string[], known: HelperOptions): { name: string; value: string | undefined }[] {
  const found: { name: string; value: string | undefined }[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const { name, attached } = splitWord(word, known);
    const takesValue = known.get(name);
    if (takesValue === undefined) throw badOption(word.startsWith('-') ? `unrecognized option '${word}'` : `'${word}' is not an option`);
    if (RESERVED.has(name)) throw badOption(`option '${name}' cannot be given by the user`);
    const value = takesValue ? (attached ?? words[++at]) : undefined;
    if (takesValue && value === undefined) throw badOption(`option '${name}' requires an argument`);
    found.push({ name, value });
  }
  return found;
}

function splitWord(word: string, known: HelperOptions): { name: string; attached: string | undefined } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals < 0 ? { name: word, attached: undefined } : { name: word.slice(0, equals), attached: word.slice(equals + 1) };
  }
  const name = word.slice(0, 2);
  if (known.get(name) !== true || word.length === 2) return { name: word, attached: undefined };
  return { name, attached: word.slice(2) };
}

function badOption(what: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `pasta: ${what}`, {
    hint: 'pasta(1) lists the options; the installed one may be older than the page.',
  });
}
