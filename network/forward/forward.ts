/**
 * Published ports through lichen-ports (main.c says how it works): one small process in the container's namespace, which splices. It is built where
 * there is a C compiler (scripts/build.ts); packagers may put it beside other helpers.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { EngineError } from '../../core/errors.ts';
import { identify } from '../../host/pid.ts';
import { runHelper } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';
import type { Forwarder, NetworkBackend, PortMapping } from '../backend.ts';
import { joinPorts } from '../ports.ts';

export const FORWARDER = 'lichen-ports';
const FORWARDERS = [FORWARDER, 'pasta', 'slirp4netns'] as const;
/** What forwards ports, as far as it is there. */
export type ForwarderName = (typeof FORWARDERS)[number];

/** Where it speaks to the container from, and to: inside.h. */
export const INSIDE = { interface: 'lo', addresses: ['169.254.77.2', 'fd4c:6963:6865:6e77::2'] } as const;

const START_TIMEOUT_MS = 30_000;
const ANSWERS = [0, 1];

/** From LICHEN_PORT_FORWARDER. Throws INVALID_ARGUMENT. */
export function parseForwarder(word: string | undefined): ForwarderName {
  const known = FORWARDERS.find((name) => name === (word || FORWARDER));
  if (known !== undefined) return known;
  throw new EngineError('INVALID_ARGUMENT', `LICHEN_PORT_FORWARDER is ${JSON.stringify(word)}: it must be ${FORWARDERS.join(', ')}`);
}

/** Undefined where it was not built. */
export function findForwarder(helperDirectories: readonly string[]): string | undefined {
  const dist = import.meta.filename.endsWith('.ts') ? join(import.meta.dirname, '../../dist') : import.meta.dirname;
  const built = join(dist, `${FORWARDER}-${process.arch}`);
  return findProgram(FORWARDER, helperDirectories) ?? (existsSync(built) ? built : undefined);
}

/** A backend with lichen-ports beside it, which takes TCP off its hands. It cannot take UDP without nft, which only bridges need. */
export function withForwarder(backend: NetworkBackend, program: string): NetworkBackend {
  return {
    ...backend,
    async setup(request) {
      const [streams, left] = [request.ports.filter(isStream), request.ports.filter((port) => !isStream(port))];
      const attachment = await backend.setup({ ...request, ports: left, portsBeside: true });
      if (streams.length === 0) return attachment;
      try {
        return { ...attachment, forwarder: await forwardPorts(program, request.netns, joinPorts(streams)) };
      } catch (error) {
        await backend.teardown({ ...attachment, holdsPorts: true });
        throw error;
      }
    },
  };
}

function isStream({ protocol }: PortMapping): boolean {
  return protocol === 'tcp';
}

/** It listens when this resolves, until it is killed or the namespace's bind mount goes. Throws NETWORK_SETUP, INVALID_ARGUMENT (sctp). */
export async function forwardPorts(program: string, netns: string, ports: readonly PortMapping[]): Promise<Forwarder> {
  const args = [netns, ...ports.map(portWord)];
  const { code, stdout, stderr } = await runHelper(program, args, { okCodes: ANSWERS, timeoutMs: START_TIMEOUT_MS });
  if (code !== 0) throw await failure(stderr);
  const helper = identify(Number(stdout));
  if (helper === undefined) throw new EngineError('NETWORK_SETUP', `${FORWARDER} ended as soon as it was ready`);
  return { name: FORWARDER, helper };
}

function portWord({ protocol, hostIp, hostPort, containerPort, range }: PortMapping): string {
  if (protocol === 'sctp') throw new EngineError('INVALID_ARGUMENT', "can't forward protocol: sctp");
  return [protocol, hostIp, hostPort, containerPort, range].join(',');
}

async function failure(said: string): Promise<EngineError> {
  const [, protocol = '', address = '', port, errno] = /^listen (tcp|udp) (\S+) (\d+) (\d+)$/m.exec(said) ?? [];
  if (port === undefined) return new EngineError('NETWORK_SETUP', `${FORWARDER}: ${said.trim()}`);
  const { listenError } = await import('../listen.ts');
  const code = getSystemErrorName(-Number(errno));
  return listenError(address, Number(port), protocol as PortMapping['protocol'], { code, message: code });
}
