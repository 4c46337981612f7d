/** slirp4netns's control socket: one JSON object per connection, half-closed, one JSON object back (slirp4netns(1), API SOCKET). */
import { closeSync, openSync } from 'node:fs';
import { createConnection } from 'node:net';
import { EngineError } from '../core/errors.ts';
import { parseJson, type Json } from '../core/json.ts';
import { packageWords } from '../host/distribution.ts';
import type { PortMapping } from './backend.ts';
import { checkListen } from './listen.ts';

const ANSWER_LIMIT_BYTES = 65_536;
const TIMEOUT_MS = 10_000;

/** Forward every port of every mapping. Throws NETWORK_SETUP (taken, privileged), INVALID_ARGUMENT (IPv6 address, sctp). */
export async function forwardPorts(directory: string, socket: string, ports: readonly PortMapping[]): Promise<void> {
  // By way of the directory's descriptor, because the path of a socket may have 107 bytes only (unix(7)).
  const fd = openSync(directory, 'r');
  try {
    for (const mapping of ports) {
      for (let offset = 0; offset < mapping.range; offset++) await forwardOne(`/proc/self/fd/${fd}/${socket}`, mapping, offset);
    }
  } finally {
    closeSync(fd);
  }
}

/** Throws INVALID_ARGUMENT for what slirp4netns cannot forward: it listens on IPv4 only. */
export function checkForwardable(ports: readonly PortMapping[]): void {
  for (const { hostIp, protocol } of ports) {
    if (protocol === 'sctp') throw new EngineError('INVALID_ARGUMENT', "can't forward protocol: sctp");
    if (hostIp.includes(':'))
      throw new EngineError('INVALID_ARGUMENT', `slirp4netns cannot listen on the IPv6 address ${hostIp}`, {
        hint: `Use --network pasta (${packageWords('passt')}).`,
      });
  }
}

async function forwardOne(path: string, mapping: PortMapping, offset: number): Promise<void> {
  const answer = await ask(path, {
    execute: 'add_hostfwd',
    arguments: {
      proto: mapping.protocol,
      host_addr: mapping.hostIp === '' ? '0.0.0.0' : mapping.hostIp,
      host_port: mapping.hostPort + offset,
      guest_addr: '',
      guest_port: mapping.containerPort + offset,
    },
  });
  const description = describeError(answer);
  if (description === undefined) return;
  // It does not say why: find out.
  const hostIp = mapping.hostIp === '' ? '0.0.0.0' : mapping.hostIp;
  await checkListen([{ ...mapping, hostIp, hostPort: mapping.hostPort + offset, range: 1 }]);
  throw new EngineError('NETWORK_SETUP', `from slirp4netns while setting up port redirection: ${description}`);
}

function describeError(answer: Json): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined;
  const { error } = answer;
  return typeof error === 'object' && error !== null && 'desc' in error
    ? `map[desc:${JSON.stringify(error['desc'])}]`
    : JSON.stringify(error);
}

function ask(path: string, request: object): Promise<Json> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new EngineError('NETWORK_SETUP', `slirp4netns API: ${what}`));
    const socket = createConnection({ path, allowHalfOpen: true });
    let answer = '';
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('error', (error) => fail(error.message));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      if (answer.length > ANSWER_LIMIT_BYTES) socket.destroy(new Error('answer too long'));
    });
    socket.on('end', () => {
      socket.destroy();
      try {
        resolve(parseJson(answer, 'answer of slirp4netns', 'NETWORK_SETUP'));
      } catch (error) {
        reject(error);
      }
    });
    socket.end(JSON.stringify(request));
  });
}
