/**
 * Published ports of a container on bridges: a forwarder in the container's own namespace. Nothing in the bridges' namespace could be told of a new port
 * later, and a forwarder there would hide who the client is. It is lichen-ports (forward/), or where that was not built a second pasta (or slirp4netns)
 * on an interface of its own. Answers go back by the way on which they were asked for, because of their source address; everything else goes to the
 * bridges. The forwarder ends with the container's namespace.
 */
import { existsSync, readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { installHint, packageWords } from '../../host/distribution.ts';
import { runHelper } from '../../host/process.ts';
import type { Forwarder, NetworkInterface, NetworkRequest } from '../backend.ts';
import { cannotPublish, chooseDefault, openBackend, type NetworkMachine } from '../choose.ts';
import { findForwarder, FORWARDER, forwardPorts, INSIDE, type ForwarderName } from '../forward/forward.ts';
import { teardownAttachment } from '../teardown.ts';

/** Link-local, as pasta's own are (169.254.1.0/24), and next to nothing of it: no address of the outside is hidden. */
const FOUR = ['-a', '169.254.77.2', '-n', '30', '-g', '169.254.77.1'];
/** Of RFC 4193. pasta takes no link-local address of IPv6 for that. */
const SIX = ['-a', 'fd4c:6963:6865:6e77::2', '-g', 'fd4c:6963:6865:6e77::1'];
const INTERFACE = 'ports0';
const LINK = ['-i', 'lo', '-I', INTERFACE, '-M', '9a:55:9a:55:9a:55'];
const TABLE = '77';

export type PortRequest = Pick<NetworkRequest, 'netns' | 'id' | 'runDir' | 'ports'>;

export interface PortMachine extends NetworkMachine {
  /** What connects containers, and forwards ports where lichen-ports is not there. */
  readonly preferred: 'pasta' | 'slirp4netns';
}

/**
 * To be called before the namespace joins any network. The process listens on the host until it is killed, or the namespace goes. What is `asked` for and
 * not there is replaced by another.
 * Throws NETWORK_SETUP (a port is taken, nothing can forward, or not over IPv6), HELPER_MISSING, INVALID_ARGUMENT (sctp).
 */
export async function publishPorts(machine: PortMachine, asked: ForwarderName, request: PortRequest): Promise<Forwarder> {
  if (asked !== FORWARDER) return publishByBackend(machine, asked, request);
  const own = findForwarder(machine.helperDirectories);
  return own === undefined ? publishByBackend(machine, machine.preferred, request) : publishByOwn(own, request);
}

async function publishByOwn(program: string, { netns, ports }: PortRequest): Promise<Forwarder> {
  const forwarder = await forwardPorts(program, netns, ports);
  try {
    if (ports.some(({ protocol }) => protocol === 'udp')) await answerDatagrams(netns, INSIDE.interface, INSIDE.addresses);
    return forwarder;
  } catch (error) {
    await teardownAttachment({ forwarder });
    throw error;
  }
}

async function publishByBackend(machine: NetworkMachine, preferred: PortMachine['preferred'], request: PortRequest): Promise<Forwarder> {
  const { name, lack } = chooseDefault(machine, preferred);
  if (lack !== undefined) throw cannotPublish(lack);
  const backend = await openBackend(name, machine);
  const attachment = await backend.setup({ ...request, options: name === 'pasta' ? pastaOptions() : ['enable_ipv6=false'] });
  try {
    const link = attachment.interfaces.find((one) => one.name === (name === 'pasta' ? INTERFACE : one.name));
    if (attachment.helper === undefined || link === undefined)
      throw new EngineError('NETWORK_SETUP', `${name} ended as soon as it was ready`);
    requireSix(link, request, name);
    await answerByIt(request.netns, link);
    if (request.ports.some(({ protocol }) => protocol === 'udp')) await answerDatagrams(request.netns, link.name, link.addresses);
    return { name, helper: attachment.helper };
  } catch (error) {
    await teardownAttachment({ ...attachment, holdsPorts: true });
    throw error;
  }
}

function pastaOptions(): string[] {
  // Loopback has an IPv6 address where the machine has any.
  return isThere('/proc/self/net/if_inet6') ? [...LINK, ...FOUR, ...SIX] : ['-4', ...LINK, ...FOUR];
}

function isThere(path: string): boolean {
  return existsSync(path) && readFileSync(path, 'latin1') !== '';
}

/** pasta before 2024 has IPv6 only where the machine is on the Internet with it, and says nothing. */
function requireSix({ addresses }: NetworkInterface, { ports }: PortRequest, name: string): void {
  const asked = ports.find(({ hostIp }) => isSix(hostIp));
  if (asked === undefined || addresses.some(isSix)) return;
  throw new EngineError('NETWORK_SETUP', `${name} cannot publish ports of containers on bridges at the IPv6 address ${asked.hostIp} here`, {
    hint: 'It needs IPv6 on this machine, and a pasta (Debian: passt) of 2025.',
  });
}

const isSix = (address: string) => address.includes(':');

async function answerByIt(netns: string, link: NetworkInterface): Promise<void> {
  for (const family of ['-4', '-6'] as const) {
    const isOf = (address: string) => isSix(address) === (family === '-6');
    const own = link.addresses.find(isOf)?.replace(/\/.*$/, '');
    const gateway = link.gateways.find(isOf);
    if (own !== undefined && gateway !== undefined) await configure(netns, family, answering(link.name, own, gateway));
  }
}

function answering(name: string, own: string, gateway: string): readonly string[] {
  return [
    `route del default via ${gateway} dev ${name}`,
    `route add default via ${gateway} dev ${name} table ${TABLE}`,
    `rule add from ${own} lookup ${TABLE}`,
  ];
}

async function configure(netns: string, family: '-4' | '-6', lines: readonly string[]): Promise<void> {
  const { code, stderr } = await runHelper('nsenter', [`--net=${netns}`, '--', 'ip', family, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    okCodes: [0, 1, 2, 127],
    package: 'util-linux',
  });
  if (code === 0) return;
  throw code === 127
    ? new EngineError('HELPER_MISSING', 'ip: not found: published ports of containers on bridges need it', {
        hint: installHint('iproute2'),
      })
    : new EngineError('NETWORK_SETUP', `ip: ${stderr.trim()}`);
}

/**
 * A UDP server that listens everywhere does not say where its answers come from, and they would leave by the way to their receiver, with the wrong
 * source. So who asked is remembered for a while, and what goes back to him gets the address that he asked, which leads it to the right table.
 */
async function answerDatagrams(netns: string, name: string, addresses: readonly string[]): Promise<void> {
  const { code, stderr } = await runHelper('nsenter', [`--net=${netns}`, '--', 'nft', '-f', '-'], {
    input: datagramRules(name, addresses),
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` },
    okCodes: [0, 1, 127],
    package: 'util-linux',
  });
  if (code === 127)
    log.warn(`nft is missing: UDP clients on other machines may get no answers from published ports (${packageWords('nftables')})`);
  else if (code !== 0) throw new EngineError('NETWORK_SETUP', `nft: ${stderr.trim()}`);
}

/** Pure. */
export function datagramRules(name: string, addresses: readonly string[]): string {
  const families = [
    { ip: 'ip', type: 'ipv4_addr', own: addresses.find((address) => !isSix(address)) },
    { ip: 'ip6', type: 'ipv6_addr', own: addresses.find(isSix) },
  ].flatMap(({ own, ...family }) => (own === undefined ? [] : [{ ...family, own: own.replace(/\/.*$/, '') }]));
  const sets = families.map(
    ({ ip, type }) => `set ${ip}-clients { type ${type} . inet_service . inet_service; flags dynamic,timeout; timeout 3m; size 65535; }`,
  );
  const come = families.map(
    ({ ip, own }) => `iifname "${name}" ${ip} daddr ${own} update @${ip}-clients { ${ip} saddr . udp sport . udp dport }`,
  );
  const go = families.map(({ ip, own }) => `${ip} daddr . udp dport . udp sport @${ip}-clients ${ip} saddr set ${own}`);
  return `table inet published {
${sets.join('\n')}
chain come { type filter hook prerouting priority mangle; ${come.join('; ')}; }
chain go { type route hook output priority mangle; ${go.join('; ')}; }
}
`;
}
