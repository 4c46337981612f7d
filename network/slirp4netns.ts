/**
 * User-mode networking by slirp4netns(1): a NAT of its own behind tap0 (10.0.2.100 by default), ports forwarded through its API socket.
 * It runs until it is told to end, its `--exit-fd` closes, or its namespace's last process and mount are gone and teardown comes.
 */
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { packageWords } from '../host/distribution.ts';
import { createNetworkNamespace, isNamespace } from '../host/namespaces.ts';
import { identify } from '../host/pid.ts';
import { launch, runHelper, type Launched } from '../host/process.ts';
import type { NetworkAttachment, NetworkBackend, NetworkRequest } from './backend.ts';
import { joinPorts } from './ports.ts';
import { probeOptions } from './probe.ts';
import { parseSlirpOptions, prefixLength, slirpAddresses, slirpArgs, type SlirpOptions } from './slirp4netns-args.ts';
import { teardownAttachment } from './teardown.ts';

const START_TIMEOUT_MS = 30_000;
const API_SOCKET = 'slirp4netns.sock';
const LOG = 'slirp4netns.log';
const READY_FD = 3;
const EXIT_FD = 4;

export interface SlirpMachine {
  /** Absolute path. */
  readonly program: string;
  /** Where the probe keeps what it found out. */
  readonly cacheDirectory: string;
}

export function slirp4netns({ program, cacheDirectory }: SlirpMachine): NetworkBackend {
  return {
    name: 'slirp4netns',
    async setup(request) {
      const options = parseSlirpOptions(request.options);
      const ports = joinPorts(request.ports);
      const api = ports.length === 0 ? undefined : await import('./slirp4netns-api.ts');
      api?.checkForwardable(ports);
      if (!options.allowHostLoopback && ports.some(({ protocol }) => protocol === 'udp'))
        log.warn(
          `slirp4netns sends no answers to UDP clients on 127.0.0.1 unless allow_host_loopback=true; pasta does (${packageWords('passt')})`,
        );
      const places = {
        netns: request.netns,
        readyFd: READY_FD,
        ...(request.exitFd === undefined ? {} : { exitFd: EXIT_FD }),
        ...(api === undefined ? {} : { apiSocket: API_SOCKET }),
      };
      const args = slirpArgs(options, places, await probeOptions(program, cacheDirectory));
      if (!isNamespace(request.netns)) await createNetworkNamespace(request.netns);
      const child = await start(program, args, request, options);
      try {
        await ready(child, request);
        await api?.forwardPorts(request.runDir, API_SOCKET, ports);
        return attach(child, request, options);
      } catch (error) {
        child.kill('SIGKILL');
        await child.exited;
        throw error;
      } finally {
        child.unref();
        child.pipe(READY_FD).destroy();
        removeTraces(request.runDir);
      }
    },
    teardown: teardownAttachment,
  };
}

async function start(program: string, args: readonly string[], request: NetworkRequest, options: SlirpOptions): Promise<Launched> {
  if (options.ipv6) await skipAddressDetection(request.netns);
  const output = openSync(join(request.runDir, LOG), 'w', 0o600);
  try {
    return await launch(program, args, {
      stdio: ['ignore', output, output, 'pipe', ...(request.exitFd === undefined ? [] : [request.exitFd])],
      cwd: request.runDir,
      detached: true,
      package: 'slirp4netns',
    });
  } finally {
    closeSync(output);
  }
}

/** Nobody else is on slirp's link: without this its IPv6 address could not be used for a second (RFC 4862, duplicate address detection). */
async function skipAddressDetection(netns: string): Promise<void> {
  const script = 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad';
  // A kernel without IPv6, or a read-only /proc/sys: no harm.
  await runHelper('nsenter', [`--net=${netns}`, '--', 'sh', '-c', script], { okCodes: [0, 1, 2], package: 'util-linux' });
}

/** Resolves when it has written to the ready descriptor. Throws NETWORK_SETUP with its own words when it ends first, TIMEOUT. */
async function ready(child: Launched, request: NetworkRequest): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  child.pipe(READY_FD).once('data', () => resolve(undefined));
  const late = new EngineError('TIMEOUT', `slirp4netns was not ready within ${START_TIMEOUT_MS} ms`);
  const timer = setTimeout(() => reject(late), START_TIMEOUT_MS);
  try {
    const ended = await Promise.race([promise, child.exited]);
    if (ended) throw failure(ended.code, readFileSync(join(request.runDir, LOG), 'utf8'), request);
  } finally {
    clearTimeout(timer);
  }
}

function failure(code: number, output: string, request: NetworkRequest): EngineError {
  const said = output
    .split('\n')
    .filter((line) => !/^(WARNING: Support for|sent tapfd|received tapfd)/.test(line))
    .join('\n')
    .trim();
  const message = `slirp4netns failed: exit status ${code}:\n${said}`;
  if (/\/dev\/net\/tun/.test(said))
    return new EngineError('NETWORK_SETUP', message, {
      hint: 'slirp4netns needs /dev/net/tun. As root: modprobe tun; chmod 666 /dev/net/tun',
    });
  return new EngineError(
    request.options.length > 0 && /invalid|must be|unrecognized/i.test(said) ? 'INVALID_ARGUMENT' : 'NETWORK_SETUP',
    message,
  );
}

function attach(child: Launched, request: NetworkRequest, options: SlirpOptions): NetworkAttachment {
  const helper = identify(child.pid);
  if (helper === undefined) throw new EngineError('NETWORK_SETUP', 'slirp4netns ended as soon as it was ready');
  const { own, gateway, nameserver } = slirpAddresses(options);
  return {
    backend: 'slirp4netns',
    helper,
    ...(request.ports.length > 0 ? { holdsPorts: true } : {}),
    interfaces: [{ name: 'tap0', addresses: [`${own}/${prefixLength(options)}`], gateways: [gateway] }],
    nameservers: [nameserver],
    runDir: request.runDir,
  };
}

/** The socket is of no use once the ports are forwarded, the log none once it is ready. */
function removeTraces(runDir: string): void {
  for (const name of [API_SOCKET, LOG]) rmSync(join(runDir, name), { force: true });
}
