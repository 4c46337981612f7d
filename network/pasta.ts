/**
 * User-mode networking by pasta(1): the namespace looks like the host (same interface name, address, routes), published ports are listened on
 * by pasta itself. pasta leaves the foreground with status 0 when interface, routes and listeners are ready; the daemon watches the bind mount
 * of the namespace and ends when that goes.
 */
import { readFileSync, rmSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { isNamespace, makeMountPoint, NAMESPACE_FAILED, namespaceCommand, namespaceShell } from '../host/namespaces.ts';
import { identify } from '../host/pid.ts';
import { runHelper } from '../host/process.ts';
import type { NetworkAttachment, NetworkBackend, NetworkInterface, NetworkRequest } from './backend.ts';
import { outputOfBegun, rememberCommands } from './early.ts';
import { readInterfaces, readOwnInterfaces } from './interfaces.ts';
import { choosesTemplate, copiedInterface, LOCAL_MODE, pastaArgs, type PastaPlan } from './pasta-args.ts';
import { joinPorts } from './ports.ts';
import { probeOptions, type HelperOptions } from './probe.ts';
import { teardownAttachment } from './teardown.ts';

const START_TIMEOUT_MS = 30_000;
/** Every exit status is an answer here: the message is composed from it. */
const ANY_STATUS = Array.from({ length: 256 }, (_, code) => code);

export interface PastaOptions {
  /** Absolute path. */
  readonly program: string;
  /** Where the probe keeps what it found out. */
  readonly cacheDirectory: string;
  readonly rootful: boolean;
}

export function pasta({ program, cacheDirectory, rootful }: PastaOptions): NetworkBackend {
  return {
    name: 'pasta',
    async setup(request) {
      const options = await probeOptions(program, cacheDirectory);
      const pidFile = `${request.netns}.pid`;
      const plan = pastaArgs({ ...request, ports: joinPorts(request.ports) }, { options, rootful, pidFile });
      if (!isRecent(options)) await makeUpForAge(request);
      try {
        await bringUp(program, plan, request);
        return await attach(request, plan, pidFile);
      } finally {
        rmSync(pidFile, { force: true });
      }
    },
    teardown: teardownAttachment,
  };
}

/** From August 2024 on. */
function isRecent(options: HelperOptions): boolean {
  return options.has('--map-guest-addr');
}

/** An old pasta is content when one address family of a port, or one port of a range, could be bound. */
async function makeUpForAge({ ports }: NetworkRequest): Promise<void> {
  if (ports.length === 0) return;
  const { checkListen } = await import('./listen.ts');
  await checkListen(ports);
  if (ports.some(({ protocol, hostPort, containerPort }) => protocol === 'udp' && hostPort !== containerPort))
    log.warn('this version of pasta sends no answers to UDP clients on 127.0.0.1 where host port and container port differ: upgrade passt');
}

async function bringUp(program: string, plan: PastaPlan, request: NetworkRequest): Promise<void> {
  const { netns, begun, portsBeside = false } = request;
  const commands = { netns, make: namespaceCommand(netns), connect: [program, ...plan.args], portsBeside };
  const output = begun && (await outputOfBegun(begun, commands));
  if (output !== undefined) return void heard(output);
  const isThere = isNamespace(netns);
  if (!isThere) makeMountPoint(netns);
  await start(program, plan, request, isThere ? commands.connect : namespaceShell(commands.make, commands.connect));
  if (request.usual && request.ports.length === 0) rememberCommands(commands);
}

async function start(program: string, plan: PastaPlan, request: NetworkRequest, argv: readonly string[]): Promise<void> {
  const first = await run(argv);
  if (first.code === 0) return;
  if (first.code === NAMESPACE_FAILED) throw new EngineError('NETWORK_SETUP', `cannot make a network namespace: ${first.said}`);
  if (!/External interface not usable/.test(first.said) || choosesTemplate(request.options)) throw failure(first, request);
  const second = await run([program, ...LOCAL_MODE, ...plan.args]);
  if (second.code !== 0) throw failure(second, request);
  log.warn('this machine has no default route: containers reach published ports and the host, nothing else');
}

interface Outcome {
  readonly code: number;
  readonly said: string;
}

async function run([program = '', ...args]: readonly string[]): Promise<Outcome> {
  const result = await runHelper(program, args, { okCodes: ANY_STATUS, timeoutMs: START_TIMEOUT_MS, package: 'passt' });
  const output = `${result.stdout}${result.stderr}`;
  return { code: result.code, said: result.code === 0 ? heard(output) : essence(output) };
}

/** What it says when all went well is for those who want to know. */
function heard(output: string): string {
  const said = essence(output);
  if (said !== '') log.info(() => `pasta: ${said}`);
  return said;
}

/** What pasta said without its usage page and, where there is no syslog, the old one's complaints about that. */
function essence(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^\d+\.\d{4}: /, ''));
  const usage = lines.findIndex((line) => line.startsWith('Usage: '));
  return (usage < 0 ? lines : lines.slice(0, usage))
    .filter((line) => !/^Failed to send \d+ bytes to syslog$/.test(line))
    .join('\n')
    .trim();
}

function failure({ code, said }: Outcome, request: NetworkRequest): EngineError {
  const message = `pasta failed with exit code ${code}:\n${said}`;
  const hint = hintFor(said);
  if (hint === undefined && request.options.length > 0 && /invalid|unrecognized|too large|too small|requires an argument/i.test(said))
    return new EngineError('INVALID_ARGUMENT', message);
  return new EngineError('NETWORK_SETUP', message, hint === undefined ? {} : { hint });
}

function hintFor(said: string): string | undefined {
  const privileged = /port [^\s]*?(\d+): Permission denied/.exec(said);
  if (privileged)
    return `Choose a port from ${unprivilegedStart()} on, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${privileged[1]}`;
  if (/Address already in use/.test(said)) return 'Another program listens there (ss -ltnup shows it): end it, or publish another port.';
  if (/Failed to bind any port for '-[tu] [\da-f]*:/.test(said))
    return 'This version of pasta listens at no IPv6 address here: upgrade passt.';
  if (/\/dev\/net\/tun|tun socket|TUN/.test(said)) return 'pasta needs /dev/net/tun. As root: modprobe tun; chmod 666 /dev/net/tun';
  if (/network namespace.*Permission denied/.test(said)) return 'AppArmor may forbid it: as root, `aa-status` and `dmesg | grep pasta`.';
  return undefined;
}

function unprivilegedStart(): number {
  return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
}

async function attach(request: NetworkRequest, plan: PastaPlan, pidFile: string): Promise<NetworkAttachment> {
  const helper = identify(Number(readFileSync(pidFile, 'latin1')));
  if (helper === undefined) throw new EngineError('NETWORK_SETUP', 'pasta ended as soon as it was ready');
  try {
    const copied = copiedInterface(readOwnInterfaces(), request.options);
    const interfaces = copied === undefined ? await readInterfaces(request.netns) : [copied];
    const [hostAddress] = reachable(plan.hostAddresses, interfaces);
    return {
      backend: 'pasta',
      helper,
      ...(request.ports.length > 0 ? { holdsPorts: true } : {}),
      interfaces,
      nameservers: reachable(plan.nameservers, interfaces),
      ...(hostAddress === undefined ? {} : { hostAddress }),
      runDir: request.runDir,
    };
  } catch (error) {
    await teardownAttachment({ helper, holdsPorts: true });
    throw error;
  }
}

/** Addresses of a family the namespace has. */
function reachable(addresses: readonly string[], interfaces: readonly NetworkInterface[]): string[] {
  const isSix = (address: string) => address.includes(':');
  const families = new Set(interfaces.flatMap((entry) => entry.addresses).map(isSix));
  return addresses.filter((address) => families.has(isSix(address)));
}
