/** How fast bytes reach a container through a port that is published, as a client on the machine sees it. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

const CHUNK = Buffer.alloc(1 << 20);
/** One for each engine: containers of both run at once. */
const PORTS = { lichen: 19_471, podman: 19_472 } as const;
const TRIES = 100;

export const SENT_MIB = 512;
/** Flags of `run`, and the command that swallows whatever comes, one connection after the other. */
export function published(engine: Engine): readonly string[] {
  return ['-p', `${PORTS[engine.name]}:9000`];
}
export const SWALLOW = ['nc', '-ll', '-p', '9000', '-e', 'sh', '-c', 'cat >/dev/null'] as const;

/** The machine's own address, by which clients on other machines come; those on loopback may have a shorter way. Throws where there is none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((entries = []) => entries);
  const found = all.find(({ internal, family }) => !internal && family === 'IPv4');
  if (found === undefined) throw new Error('this machine has no address but loopback');
  return found.address;
}

/** Milliseconds from the connection to the other end's goodbye, which comes when everything has been read. */
export async function sendMany(engine: Engine, address: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await send(address, PORTS[engine.name]);
    } catch (error) {
      // The server may not listen yet.
      if (tries === TRIES) throw error;
      await sleep(50);
    }
  }
}

async function send(address: string, port: number): Promise<number> {
  const socket = createConnection({ host: address, port, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
    const before = performance.now();
    const goodbye = once(socket, 'end');
    socket.resume();
    for (let sent = 0; sent < SENT_MIB; sent++) if (!socket.write(CHUNK)) await Promise.race([once(socket, 'drain'), goodbye]);
    if (socket.readableEnded) throw new Error('the other end hung up');
    socket.end();
    await goodbye;
    return performance.now() - before;
  } finally {
    socket.destroy();
  }
}
