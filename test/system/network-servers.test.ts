/** Real servers in containers on one bridge: nginx, redis and the machine's perl as they stand on it, asked by name and address over IPv4 and IPv6. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askUdp, ECHO } from '../host/datagrams.ts';
import { serveName } from '../host/dns.ts';
import { canShapeHosts, freePort, testHost, type TestHost } from '../host/host.ts';
import { own } from '../host/own-address.ts';
import { canRunContainers, sh } from '../host/loaded.ts';
import { canBridge } from '../host/netavark.ts';

const TIMEOUT_MS = 120_000;
const MACHINE = ['--rootfs', '/:O'];
const NGINX = `daemon off; user root; error_log stderr; pid /tmp/pid; events {}
http { access_log off; server { listen 80; listen [::]:80; location / { return 200 "$remote_addr\\n"; } } }
`;

let host: TestHost;
let ports: { readonly web: number; readonly store: number; readonly echo: number };

async function startClient(): Promise<void> {
  await host.succeed(['run', '--detach', '--name', 'client', '--network', 'lan', ...MACHINE, 'sleep', '600']);
}

function inside(script: string): Promise<string> {
  return host.succeed(['exec', 'client', ...sh(script)]);
}

async function askTcp(address: string, port: number, question: string): Promise<string> {
  const socket = createConnection(port, address);
  socket.write(question);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

describe.skipIf(!canRunContainers || !canBridge || !canShapeHosts || own === undefined)(
  'servers on a bridge',
  { timeout: TIMEOUT_MS },
  () => {
    beforeAll(async () => {
      host = await testHost();
      ports = { web: await freePort(), store: await freePort(), echo: await freePort() };
      await host.succeed(['network', 'create', '--subnet', '10.211.0.0/24', '--subnet', 'fd00:211::/64', 'lan']);
      await startClient();
    }, TIMEOUT_MS);
    afterAll(async () => {
      await host.succeed(['rm', '--force', '--time', '0', '--all']);
      await host[Symbol.asyncDispose]();
    });

    test.skipIf(!existsSync('/usr/sbin/nginx'))('nginx is found by name, at both addresses and at its published port', async () => {
      await host.writeFile(`${host.user.home}/nginx.conf`, NGINX);
      const flags = ['--name', 'web', '--network', 'lan:ip=10.211.0.20,ip6=fd00:211::20', '-p', `${ports.web}:80`, '--tmpfs', '/var/lib'];
      const script = 'mkdir -p /var/lib/nginx && exec nginx -e stderr -c /etc/nginx.conf';
      await host.succeed(['run', '-d', ...flags, '-v', `${host.user.home}/nginx.conf:/etc/nginx.conf:ro`, ...MACHINE, ...sh(script)]);
      const got = (target: string) =>
        expect.poll(
          () => inside(`bash -c 'exec 3<>/dev/tcp/${target}/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && tail -n 1 <&3' 2>&1; true`),
          { timeout: 15_000 },
        );
      await got('10.211.0.20').toBe('10.211.0.2');
      await got('fd00:211::20').toBe('fd00:211::2');
      await got('web').toMatch(/^(10\.211\.0\.2|fd00:211::2)$/);
      const answers = await inside('busybox nslookup web 2>&1; true');
      for (const address of ['10.211.0.20', 'fd00:211::20']) expect(answers).toContain(address);
      expect(await (await fetch(`http://${own}:${ports.web}/`)).text()).toBe(`${own}\n`);
    });

    test.skipIf(!existsSync('/usr/bin/redis-server'))(
      'redis keeps what another container gives it, and answers at its published port',
      async () => {
        const flags = ['--name', 'store', '--network', 'lan', '-p', `127.0.0.1:${ports.store}:6379`, ...MACHINE];
        const words = ['redis-server', '--save', '', '--protected-mode', 'no', '--dir', '/tmp'];
        await host.succeed(['run', '-d', ...flags, ...words]);
        const ask = (...question: readonly string[]) =>
          host.succeed(['run', '--rm', '--network', 'lan', ...MACHINE, 'redis-cli', '-h', 'store', ...question]);
        await expect.poll(() => ask('set', 'key', 'value').catch(String), { timeout: 30_000 }).toBe('OK');
        expect(await ask('get', 'key')).toBe('value');
        expect(await askTcp('127.0.0.1', ports.store, 'GET key\r\n')).toBe('$5\r\nvalue\r\n');
      },
    );

    test.skipIf(!existsSync('/usr/bin/perl'))(
      'a server of datagrams that listens everywhere answers loopback and other clients',
      async () => {
        const flags = ['--name', 'echo', '--network', 'lan', '-p', `${ports.echo}:${ports.echo}/udp`, ...MACHINE];
        await host.succeed(['run', '-d', ...flags, 'perl', '-e', ECHO, String(ports.echo)]);
        expect(await askUdp(own!, ports.echo)).toBe('hello');
        expect(await askUdp('127.0.0.1', ports.echo)).toBe('hello');
      },
    );

    test('names of the outside are asked of the resolver of the machine', async () => {
      await using server = await serveName(own!, 'outside.test', '203.0.113.7');
      await host.asRoot(sh(`echo 'nameserver ${own}' >/etc/resolv.conf`));
      // The way out of the bridges knows the resolver from its start.
      await host.succeed(['rm', '--force', '--time', '0', '--all']);
      await startClient();
      expect(await inside('busybox nslookup outside.test 2>&1; true')).toMatch(/Name:\s+outside\.test\nAddress(?: 1)?: 203\.0\.113\.7/);
      expect(await inside('busybox nslookup unknown.test 2>&1; true')).toMatch(/NXDOMAIN|can't find|can't resolve/);
      expect(server.asked).toContain('outside.test');
      expect(server.asked).toContain('unknown.test');
      expect(server.asked).not.toContain('client');
      expect(await inside('busybox nslookup client 2>&1; true')).toContain('10.211.0.');
    });
  },
);
