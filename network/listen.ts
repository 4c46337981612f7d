/** Can these host ports be listened on? Asked by binding them for a moment, as whoever asks for them. */
import { readFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { EngineError } from '../core/errors.ts';
import type { PortMapping } from './backend.ts';

type Protocol = PortMapping['protocol'];

/** Throws NETWORK_SETUP naming the first port that cannot be bound and why. Ports of protocols we cannot try are passed over. */
export async function checkListen(ports: readonly PortMapping[]): Promise<void> {
  for (const { hostIp, hostPort, range, protocol } of ports) {
    for (let port = hostPort; port < hostPort + range; port++) {
      const problem = await tryListen(hostIp, port, protocol);
      if (problem !== undefined) throw listenError(hostIp, port, protocol, problem);
    }
  }
}

type Problem = NodeJS.ErrnoException | undefined;

/** Without an address: both families, or IPv4 alone where the kernel has no IPv6. */
async function tryListen(hostIp: string, port: number, protocol: Protocol): Promise<Problem> {
  if (protocol === 'sctp') return undefined;
  const once = protocol === 'udp' ? bindDatagram : listenStream;
  if (hostIp !== '') return once(hostIp, port);
  const both = await once('::', port);
  return both?.code === 'EAFNOSUPPORT' ? once('0.0.0.0', port) : both;
}

function listenStream(host: string, port: number): Promise<Problem> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function bindDatagram(address: string, port: number): Promise<Problem> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => socket.close(() => resolve(error)));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
};

/** `problem` is what the kernel said of it. */
export function listenError(
  hostIp: string,
  port: number,
  protocol: Protocol,
  problem: { readonly code?: string; readonly message: string },
): EngineError {
  const address = hostIp === '' ? '0.0.0.0' : hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  const text = `listen ${protocol} ${address}:${port}: bind: ${WORDS[problem.code ?? ''] ?? problem.message}`;
  if (problem.code === 'EACCES') {
    const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
    return new EngineError(
      'NETWORK_SETUP',
      `cannot expose privileged port ${port}, you can add 'net.ipv4.ip_unprivileged_port_start=${port}' to /etc/sysctl.conf (currently ${start}), or choose a larger port number (>= ${start}): ${text}`,
    );
  }
  const hint =
    problem.code === 'EADDRINUSE' ? 'Another program listens there (ss -ltnup shows it): end it, or publish another port.' : undefined;
  return new EngineError('NETWORK_SETUP', text, { cause: problem, ...(hint === undefined ? {} : { hint }) });
}
