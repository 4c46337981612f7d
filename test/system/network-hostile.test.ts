/** What is tried to hurt bridges: ports that cannot be, ways to the host's loopback, and questions that no name server should have to answer. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canBridge } from '../host/netavark.ts';
import { canShapeHosts, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const TIMEOUT_MS = 120_000;
const GATEWAY = '10.201.0.1';
let host: TestHost;

function inside(name: string, script: string): Promise<string> {
  return host.succeed(['exec', name, ...sh(script)]);
}

async function start(name: string, ...flags: readonly string[]): Promise<void> {
  await host.succeed(['run', '--detach', '--name', name, '--network', 'red', ...flags, BUSYBOX, 'sleep', '600']);
}

describe.skipIf(!canRunContainers || !canShapeHosts || !canBridge)('bridges', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    host = await loadedHost();
    await host.succeed(['network', 'create', '--subnet', '10.201.0.0/24', 'red']);
  }, TIMEOUT_MS);
  afterAll(() => host[Symbol.asyncDispose]());

  test.each([
    '65536:80',
    '65530-65540:1-11',
    '8080:0',
    '[fe80::1%eth0]:8080:80',
    '127.0.0.1.1:8080:80',
    '8080:80-81',
    '-1:80',
    '8080:80/icmp',
  ])('N01: -p %s is refused in one line, and nothing is made', async (port) => {
    const { stderr, exitCode } = await host.lichen(['run', '--rm', '--network', 'red', '-p', port, BUSYBOX, 'true']);
    expect(stderr).toMatch(/^Error: [^\n]+\n(See [^\n]+\n)?$/);
    expect([125, 126]).toContain(exitCode);
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  });

  test('N01: one port for two containers is refused to the second, and free when the first is gone', async () => {
    await start('first', '-p', '127.0.0.1:18431:80');
    const second = ['run', '--name', 'second', '--network', 'red', '-p', '127.0.0.1:18431:80', BUSYBOX, 'true'];
    expect((await host.lichen(second)).stderr).toMatch(/^Error: .*18431.*address already in use/is);
    await removeNow(host, 'first', 'second');
    await host.succeed(second);
    await removeNow(host, 'second');
  });

  test('N02: what listens on the loopback of the host is out of reach', async () => {
    await using server = createServer((socket) => socket.end('secret'));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await start('spy', '-p', '127.0.0.1:18432:80');
    for (const address of [GATEWAY, '127.0.0.1', '169.254.1.1', '169.254.1.2', '169.254.77.1'])
      expect(await inside('spy', `nc -w 2 ${address} ${port} </dev/null 2>/dev/null; true`), address).toBe('');
    await removeNow(host, 'spy');
  });

  test('N03: questions that are none leave the name server at work', async () => {
    await start('client');
    const junk = [
      `head -c 60000 /dev/zero`,
      `printf '\\0\\1\\1\\0\\377\\377\\377\\377\\0\\0\\0\\0\\300\\14\\300\\14'`,
      `head -c 400 /dev/urandom`,
      `printf '\\77'`,
    ];
    for (const bytes of junk)
      await inside('client', `for _ in 1 2 3 4 5; do ${bytes} | timeout 2 nc -u -w 1 ${GATEWAY} 53 >/dev/null 2>&1; done; true`);
    expect(await inside('client', 'ping -4 -c 1 -W 1 client 2>&1; true')).toContain('PING client (10.201.0.');
    await removeNow(host, 'client');
  });

  test.each(['nameserver fe80::1%if\n', 'nameserver\n\0\xff nonsense\n', ''])(
    'N03: with the resolv.conf %j of the host names of containers are known',
    async (text) => {
      await host.asRoot(['sh', '-c', 'cat >/etc/resolv.conf'], { input: text });
      await start('client');
      expect(await inside('client', 'ping -4 -c 1 -W 1 client 2>&1; true')).toContain('PING client (10.201.0.');
      expect(await inside('client', 'cat /etc/resolv.conf')).toMatch(/nameserver 10\.201\.0\.1\n?$/);
      await removeNow(host, 'client');
    },
  );
});
