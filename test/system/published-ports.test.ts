/** What passes through published ports, by lichen-ports: clients on the machine, one server in a container. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerTo, connected } from '../host/datagrams.ts';
import { canShapeHosts, freePort, freeRange, testHost, type TestHost } from '../host/host.ts';
import { own } from '../host/own-address.ts';
import { canRunContainers, sh } from '../host/loaded.ts';
import { canBridge } from '../host/netavark.ts';

const TIMEOUT_MS = 120_000;
const SERVER = join(import.meta.dirname, '../fixtures/ports/server.mjs');
const STRANGERS = ['169.254.77.1', 'fd4c:6963:6865:6e77::1'];
let host: TestHost;
/** Where 6000 to 6007 of the container are. */
let first: number;

async function open(address: string, port: number): Promise<Socket> {
  const socket = createConnection({ host: address, port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

async function everything(socket: Socket): Promise<Buffer> {
  return Buffer.concat(await socket.toArray());
}

/** What the server says of its client, and the client's own port. */
async function seen(address: string, offset: number): Promise<{ readonly said: string; readonly localPort: number }> {
  const socket = await open(address, first + offset);
  const { localPort = 0 } = socket;
  const said = (await everything(socket)).toString();
  socket.end();
  return { said, localPort };
}

function forwarders(): readonly number[] {
  return host.processes().flatMap(({ pid, command }) => (/lichen-ports/.test(command) ? [pid] : []));
}

async function descriptorsOf(pid: number | undefined): Promise<number> {
  return Number((await host.asRoot(sh(`ls /proc/${pid}/fd | wc -l`))).stdout);
}

async function start(network = 'lan'): Promise<void> {
  const published = ['-p', `${first}-${first + 5}:6000-6005`, '-p', `${first + 6}:6006/udp`, '-p', `${first + 7}:6007`];
  const server = ['--rootfs', '/:O', process.execPath, SERVER];
  await host.succeed(['run', '-d', '--name', 'server', '--network', network, ...published, ...server]);
  while ((await host.lichen(['logs', 'server'])).stdout !== 'ready\n') await sleep(50);
}

describe.skipIf(!canRunContainers || !canBridge || !canShapeHosts || own === undefined)('published ports', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    host = await testHost();
    first = await freeRange(8);
    await host.succeed(['network', 'create', '--subnet', '10.241.0.0/24', '--subnet', 'fd00:241::/64', 'lan']);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await host.succeed(['rm', '--force', '--time', '0', '--all']);
    expect(forwarders()).toEqual([]);
    await host[Symbol.asyncDispose]();
  });

  describe.each([
    ['lan', '10\\.241\\.0\\.\\d+', 'lichen-ports'],
    ['pasta', '\\d+\\.\\d+\\.\\d+\\.\\d+', 'lichen-ports,pasta'],
    ['slirp4netns', '10\\.0\\.2\\.100', 'lichen-ports,slirp4netns'],
  ])('on network %s', (network, ownAddress, forwarder) => {
    beforeAll(async () => {
      await host.succeed(['rm', '--force', '--ignore', '--time', '0', 'server']);
      await start(network);
    }, TIMEOUT_MS);

    test('the server sees the client by address and port, and one on loopback as a stranger, not as itself', async () => {
      const { said, localPort } = await seen(own!, 0);
      expect(said).toBe(`${own!} ${localPort}`);
      expect((await seen('127.0.0.1', 0)).said).toMatch(/^169\.254\.77\.1 \d+$/);
      expect((await seen('::1', 0)).said).toMatch(/^fd4c:6963:6865:6e77::1 \d+$/);
      expect(await host.succeed(['inspect', 'server', '--format', '{{.NetworkSettings.PortForwarder}}'])).toBe(forwarder);
    });

    test('a server that listens on IPv4 alone, or at the address of its container alone, is reached as well', async () => {
      expect((await seen('::1', 5)).said).toMatch(/^169\.254\.77\.1 \d+$/);
      const expected = new RegExp(`^${ownAddress} \\d+$`);
      for (const address of ['127.0.0.1', own!, '::1']) expect((await seen(address, 4)).said, address).toMatch(expected);
    });

    test('what is sent until the client ends arrives whole, and the answer after that', async () => {
      const data = randomBytes(48 << 20);
      const socket = await open(own!, first + 1);
      socket.end(data);
      expect((await everything(socket)).toString()).toBe(createHash('sha256').update(data).digest('hex'));
    });

    test('ports are free as soon as the container has ended', async () => {
      await host.succeed(['restart', '--time', '0', 'server']);
      await expect.poll(async () => (await seen(own!, 0).catch(() => undefined))?.said, { timeout: 15_000 }).toContain(own!);
    });
  });

  describe('on a bridge', () => {
    beforeAll(async () => {
      await host.succeed(['rm', '--force', '--ignore', '--time', '0', 'server']);
      await start();
    }, TIMEOUT_MS);

    test('the container finds no address besides its own', async () => {
      const addresses = await host.succeed(['exec', 'server', 'ip', '-brief', 'address']);
      expect(addresses).toMatch(/^lo .* 127\.0\.0\.1\/8 ::1\/128 *\neth0\S* .* 10\.241\.0\.\d+\/24 fd00:241::\w+\/64 fe80::\S+ *$/);
    });

    test('both ways at once, with a client that is slow to read', async () => {
      const data = randomBytes(16 << 20);
      const socket = await open('127.0.0.1', first + 2);
      socket.pause();
      socket.end(data);
      await sleep(300);
      const back = await everything(socket);
      expect(back.equals(data)).toBe(true);
    });

    test('200 connections at once each get their own bytes back', async () => {
      const one = async (index: number): Promise<boolean> => {
        const data = randomBytes(1000 * (index + 1));
        const socket = await open(index % 2 === 0 ? own! : '127.0.0.1', first + 2);
        socket.end(data);
        return (await everything(socket)).equals(data);
      };
      const all = await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
      expect(all.filter(Boolean)).toHaveLength(200);
    });

    test('a reset of the server is one for the client, and the client’s own leaves nothing', async () => {
      const socket = await open(own!, first + 3);
      socket.write('x');
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNRESET');
      const [pid] = forwarders();
      const descriptors = () => descriptorsOf(pid);
      const before = await descriptors();
      const many = await Promise.all(Array.from({ length: 20 }, () => open(own!, first + 2)));
      for (const each of many) each.write('word');
      await Promise.all(many.map((each) => once(each, 'data')));
      expect(await descriptors()).toBeGreaterThanOrEqual(before + 40);
      for (const each of many) each.resetAndDestroy();
      // Pipes that were in use are kept for the next.
      await expect.poll(descriptors).toBeLessThanOrEqual(before + 32);
    });

    test('where nobody listens yet the client is turned away, and served as soon as somebody does', async () => {
      const refused = open('127.0.0.1', first + 7).then((socket) => once(socket, 'end'));
      await expect(refused).rejects.toThrow(/ECONNRESET/);
      await host.succeed(['kill', '--signal', 'USR1', 'server']);
      await expect.poll(async () => (await seen(own!, 7).catch(() => undefined))?.said, { timeout: 15_000 }).toContain(own!);
    });

    test('each client of a UDP port gets its own answers, from the address that it asked', async () => {
      const answer = async (address: string, index: number): Promise<string> => {
        const socket = await connected(address, first + 6);
        const { port } = socket.address();
        try {
          return (await answerTo(socket, `word ${index}`)).replace(` ${port} `, ' PORT ');
        } finally {
          socket.close();
        }
      };
      const addresses = [own!, '127.0.0.1', '::1'];
      const all = await Promise.all(Array.from({ length: 150 }, (_, index) => answer(addresses[index % 3]!, index)));
      expect(all).toEqual(
        all.map((_, index) => (index % 3 === 0 ? `${own} PORT word ${index}` : `${STRANGERS[(index % 3) - 1]} PORT word ${index}`)),
      );
    });

    test('TCP clients beyond the limit of descriptors are turned away, those of UDP take the place of older ones, and it serves on', async () => {
      const [pid] = forwarders();
      const least = (await descriptorsOf(pid)) + 20;
      expect(await host.run(['prlimit', `--pid=${pid}`, `--nofile=${least}:`])).toMatchObject({ exitCode: 0, stderr: '' });
      const sockets: Socket[] = [];
      const outcome = async (): Promise<string> => {
        const socket = createConnection({ host: own!, port: first + 2 });
        sockets.push(socket);
        socket.write('word');
        return await Promise.race([
          once(socket, 'data').then(String),
          new Promise<string>((resolve) => socket.on('error', ({ message }) => resolve(message.replace(/^\w+ /, '')))),
        ]).catch((error: unknown) => String(error));
      };
      const outcomes = await Promise.all(Array.from({ length: 60 }, outcome));
      expect(outcomes).toContain('word');
      expect(outcomes.filter((said) => said !== 'word').every((said) => said.includes('ECONNRESET'))).toBe(true);
      expect(outcomes.filter((said) => said !== 'word').length).toBeGreaterThan(40);
      for (const socket of sockets) socket.destroy();
      for (let index = 0; index < 60; index++) {
        const socket = await connected(own!, first + 6);
        expect(await answerTo(socket, `word ${index}`)).toMatch(new RegExp(` word ${index}$`));
        socket.close();
      }
      await expect.poll(async () => (await seen(own!, 0).catch(() => undefined))?.said, { timeout: 15_000 }).toContain(own!);
    });

    test('it runs with one capability, and cannot get others', async () => {
      const status = (await host.asRoot(['cat', `/proc/${forwarders()[0]}/status`])).stdout;
      expect(status).toMatch(/^CapPrm:\t0000000000002000\nCapEff:\t0000000000002000\nCapBnd:\t0000000000002000\n/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    });

    test('killed, it is there again with the next command', async () => {
      const [pid] = forwarders();
      await host.run(['kill', '-9', String(pid)]);
      await expect.poll(forwarders).toEqual([]);
      await host.succeed(['ps']);
      expect(forwarders()).toHaveLength(1);
      expect((await seen(own!, 0)).said).toContain(own!);
      const socket = await connected(own!, first + 6);
      expect(await answerTo(socket, 'again')).toMatch(/ again$/);
      socket.close();
    });

    test('it ends with the namespace, whoever takes that away', async () => {
      const netns = await host.succeed(['inspect', 'server', '--format', '{{.NetworkSettings.SandboxKey}}']);
      await host.succeed(['unshare', ...sh(`umount --lazy ${netns} && rm ${netns}`)]);
      await expect.poll(forwarders).toEqual([]);
      await host.succeed(['rm', '--force', '--time', '0', 'server']);
      await start();
      expect((await seen('127.0.0.1', 0)).said).toMatch(/^169\.254\.77\.1 /);
    });

    test('ports that are taken are named, and nothing is left', async () => {
      const run = (...flags: readonly string[]) => host.lichen(['run', '--rm', '--network', 'lan', ...flags, '--rootfs', '/:O', 'true']);
      const before = forwarders();
      expect(await run('-p', `${first + 1}:80`)).toMatchObject({
        exitCode: 126,
        stderr: expect.stringMatching(
          new RegExp(`^Error: listen tcp 0\\.0\\.0\\.0:${first + 1}: bind: address already in use\nAnother program`),
        ),
      });
      expect(await run('-p', '80:80')).toMatchObject({
        exitCode: 126,
        stderr: expect.stringContaining('cannot expose privileged port 80'),
      });
      expect(await run('-p', '192.0.2.77:8080:80')).toMatchObject({
        exitCode: 126,
        stderr: expect.stringMatching(/^Error: listen tcp 192\.0\.2\.77:8080: bind: cannot assign requested address/),
      });
      expect(await run('-p', `${await freePort()}:80/sctp`)).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('sctp') });
      expect(forwarders()).toEqual(before);
    });

    test('LICHEN_PORT_FORWARDER names another, or is refused', async () => {
      const by = (word: string) => {
        const flags = ['--rm', '--network', 'lan', '-p', '127.0.0.1::80', '--rootfs', '/:O'];
        return host.lichen(['run', ...flags, ...sh('ip -o link | grep -c ports0; true')], { env: { LICHEN_PORT_FORWARDER: word } });
      };
      expect(await by('pasta')).toMatchObject({ stdout: '1\n' });
      expect(await by('lichen-ports')).toMatchObject({ stdout: '0\n' });
      expect(await by('nosuch')).toMatchObject({
        exitCode: 126,
        stderr: 'Error: LICHEN_PORT_FORWARDER is "nosuch": it must be lichen-ports, pasta, slirp4netns\n',
      });
    });
  });
});
