/** `--network`, `--publish` and the files that tell a container of its network. Clients are on the machine, servers in containers. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askUdp, ECHO } from '../host/datagrams.ts';
import { freePort, freeRange, type TestHost } from '../host/host.ts';
import { own } from '../host/own-address.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', ...flags, BUSYBOX, ...sh(script)]);
}

/** A web server for each port, answering with the port's number. */
function servers(ports: readonly number[]): readonly string[] {
  const web = ports.map((port) => `mkdir -p /www/${port}; echo port ${port} > /www/${port}/index.html; httpd -p ${port} -h /www/${port};`);
  return sh(`${web.join(' ')} exec sleep 600`);
}

async function fetchText(address: string, port: number): Promise<string> {
  const response = await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(10_000) });
  return response.text();
}

/** The server inside may be up a moment after the container is. */
function page(address: string, port: number) {
  return expect.poll(() => fetchText(address, port).catch((error: unknown) => String((error as Error).cause ?? error)), {
    timeout: 10_000,
  });
}

describe.skipIf(!canRunContainers)('the network of a container', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  describe.each(['pasta', 'slirp4netns'])('--network %s', (backend) => {
    test('published ports are reached from the host, whatever form they were asked for in', async () => {
      const [loopback, everywhere, first] = [await freePort(), await freePort(), await freeRange(3)];
      const name = `web-${backend}`;
      await host.succeed(
        ['run', '-d', '--name', name, '--network', backend, '-p', `127.0.0.1:${loopback}:8080`, `-p${everywhere}:8080/tcp`]
          .concat([`--publish=${first}-${first + 2}:7000-7002`, '-p', '127.0.0.1::8081', '--expose=8082', '-P', BUSYBOX])
          .concat(servers([8080, 7000, 7001, 7002, 8081, 8082])),
      );
      const ports = await host.succeed(['port', name]);
      const random = (inside: string) => Number(new RegExp(`^${inside} -> \\S+:(\\d+)$`, 'm').exec(ports)?.[1]);
      await page('127.0.0.1', loopback).toBe('port 8080\n');
      await page('127.0.0.1', everywhere).toBe('port 8080\n');
      await page('127.0.0.1', first).toBe('port 7000\n');
      await page('127.0.0.1', first + 2).toBe('port 7002\n');
      await page('127.0.0.1', random('8081/tcp')).toBe('port 8081\n');
      await page('127.0.0.1', random('8082/tcp')).toBe('port 8082\n');
      if (own !== undefined) {
        await page(own, everywhere).toBe('port 8080\n');
        await expect(fetchText(own, loopback)).rejects.toThrow();
      }
      await removeNow(host, name);
      await expect(fetchText('127.0.0.1', everywhere)).rejects.toThrow();
    });

    test.skipIf(own === undefined || !existsSync('/usr/bin/perl'))('so are UDP ports', async () => {
      const port = await freePort();
      const name = `echo-${backend}`;
      // slirp4netns answers no UDP client on loopback, Debian 12's pasta only where the ports are equal (docs/network.md).
      const published = ['--network', backend, '-p', `${port}:${port}/udp`];
      await host.succeed(['run', '-d', '--name', name, ...published, '--rootfs', '/:O', 'perl', '-e', ECHO, String(port)]);
      expect(await askUdp(backend === 'pasta' ? '127.0.0.1' : own!, port)).toBe('hello');
      await removeNow(host, name);
    });

    test('a port that is taken or privileged is refused and nothing is left', async () => {
      await using taken = await listen();
      const flags = (port: string) => host.lichen(['run', '--rm', '--network', backend, '-p', port, BUSYBOX, 'true']);
      expect(await flags(`${taken.port}:80`)).toMatchObject({ exitCode: 126, stderr: expect.stringMatching(/address already in use/i) });
      expect(await flags('80:80')).toMatchObject({ exitCode: 126, stderr: expect.stringMatching(/permission denied/i) });
      expect(await host.succeed(['ps', '-aq'])).toBe('');
      expect(host.processes().filter(({ command }) => command.includes(backend))).toEqual([]);
    });

    test('the container has an interface, a default route, a nameserver and its own names', async () => {
      const facts =
        'ip -o -4 addr show scope global | wc -l; ip route | grep -c ^default; grep -c ^nameserver /etc/resolv.conf; grep web.example /etc/hosts';
      const [interfaces, routes, nameservers, names] = (await run(['--network', backend, '-h', 'web.example'], facts)).split('\n');
      expect([interfaces, routes]).toEqual(['1', own === undefined ? '0' : '1']);
      expect(Number(nameservers)).toBeGreaterThan(0);
      expect(names).toMatch(/^\d+\.\d+\.\d+\.\d+\tweb\.example \w+$/);
    });
  });

  test('the default is pasta, and options after the colon are its own', async () => {
    await host.succeed(['run', '-d', '--name=usual', BUSYBOX, 'sleep', '600']);
    expect(await host.succeed(['inspect', '--format', '{{.HostConfig.NetworkMode}}', 'usual'])).toBe('pasta');
    await removeNow(host, 'usual');
    expect(await run(['--network=pasta:--mtu,1400,-I,net7'], 'cat /sys/class/net/net7/mtu')).toBe('1400');
    expect(await run(['--network=slirp4netns:cidr=10.9.0.0/16,mtu=1500'], 'ip -o -4 addr show tap0; cat /sys/class/net/tap0/mtu')).toMatch(
      /10\.9\.0\.100\/16[^]*\n1500$/,
    );
  });

  test('none has loopback only, and ports are discarded with a word', async () => {
    expect(await run(['--network=none'], 'ls /sys/class/net; ip -o link; ip -o -4 addr')).toMatch(
      /^lo\n.*<LOOPBACK,UP,LOWER_UP>.*\n.*127\.0\.0\.1\/8[^\n]*$/,
    );
    const { stderr, exitCode } = await host.lichen(['run', '--rm', '--network=none', '-p', '8080:80', BUSYBOX, 'true']);
    expect({ stderr, exitCode }).toEqual({
      stderr: 'Port mappings have been discarded because "none" network namespace mode does not support them\n',
      exitCode: 0,
    });
  });

  test('host is the host’s own', async () => {
    const port = await freePort();
    const outside = await host.run(['readlink', '/proc/self/ns/net']);
    expect(await run(['--network=host'], 'readlink /proc/self/ns/net; hostname')).toMatch(
      new RegExp(`^${outside.stdout.trim().replaceAll(/[[\]]/g, '\\$&')}\n`),
    );
    await host.succeed(['run', '-d', '--name=on-host', '--net=host', BUSYBOX, ...servers([port])]);
    await page('127.0.0.1', port).toBe(`port ${port}\n`);
    await removeNow(host, 'on-host');
  });

  test('container: and ns: join the namespace of another', async () => {
    await host.succeed(['run', '-d', '--name=owner', '-h', 'shared.example', '--add-host=friend:10.1.2.3', BUSYBOX, ...servers([8080])]);
    const facts = 'wget -q -O - http://127.0.0.1:8080/; cat /etc/hosts; hostname; readlink /proc/self/ns/net';
    await expect
      .poll(async () => (await host.lichen(['run', '--rm', '--network=container:owner', BUSYBOX, ...sh(facts)])).stdout)
      .toMatch(/^port 8080\n10\.1\.2\.3\tfriend\n[^]*\tshared\.example owner\n127\.0\.0\.1\t(\w+) \w+\n\1\nnet:/);
    const pid = await host.succeed(['inspect', '--format', '{{.State.Pid}}', 'owner']);
    expect(await run([`--network=ns:/proc/${pid}/ns/net`], 'wget -q -O - http://127.0.0.1:8080/')).toBe('port 8080');
    expect(await host.lichen(['rm', 'owner'])).toMatchObject({ exitCode: 2 });
    await removeNow(host, 'owner');
    expect(await host.lichen(['run', '--rm', '--network=container:nobody', BUSYBOX, 'true'])).toMatchObject({ exitCode: 125 });
  });

  test('hosts: own names, the host’s, added ones; another base, or none', async () => {
    const hosts = await run(
      ['--name=named', '-h=long.example', '--add-host', 'one;two:10.0.0.1', '--add-host=gate:host-gateway', '--network=slirp4netns'],
      'cat /etc/hosts',
    );
    expect(hosts).toMatch(/^10\.0\.0\.1\tone two$/m);
    expect(hosts).toMatch(/^127\.0\.0\.1\tlocalhost/m);
    expect(hosts).toMatch(/^10\.0\.2\.100\tlong\.example named$/m);
    const gateway = /^(\S+)\tgate$/m.exec(hosts)?.[1];
    expect(hosts).toMatch(new RegExp(`^${gateway}\thost\\.containers\\.internal host\\.docker\\.internal$`, 'm'));

    await host.writeFile('/tmp/hosts', '10.0.0.9 based\n');
    expect(await run(['--network=none', '--hosts-file=/tmp/hosts', '-h=x'], 'cat /etc/hosts')).toMatch(/^10\.0\.0\.9\tbased\n/);
    expect(await run(['--network=none', '--no-hosts'], 'cat /etc/hosts 2>&1; echo')).toMatch(/No such file|^$/);
    expect(await host.lichen(['run', '--rm', '--network=none', '--add-host=bad', BUSYBOX, 'true'])).toMatchObject({ exitCode: 125 });
  });

  test('host.containers.internal reaches a server on the host', async () => {
    await using server = await listen(own ?? '127.0.0.1');
    if (own === undefined) return;
    expect(await run(['--network=slirp4netns'], `nc host.containers.internal ${server.port} < /dev/null`)).toBe('from the host');
  });

  test('resolv.conf: the host’s and the helper’s, or what was asked for', async () => {
    expect(await run(['--network=slirp4netns'], 'cat /etc/resolv.conf')).toMatch(/^nameserver 10\.0\.2\.3$/m);
    const asked = [
      '--dns=10.1.1.1',
      '--dns',
      '10.1.1.2',
      '--dns-search=one.example',
      '--dns-search',
      'two.example',
      '--dns-option=ndots:2',
      '--dns-opt=rotate',
    ];
    expect(await run(asked, 'cat /etc/resolv.conf')).toBe(
      'search one.example two.example\nnameserver 10.1.1.1\nnameserver 10.1.1.2\noptions ndots:2 rotate',
    );
    expect(await run(['--dns=none'], 'cat /etc/resolv.conf 2>&1; true')).toMatch(/No such file/);
    expect(await run(['--network=host'], 'cat /etc/resolv.conf')).toContain('nameserver');
  });

  test('a container that has joined no network can still be named, and --no-hostname leaves the image’s file', async () => {
    expect(await run(['--network=none', '--no-hostname', '-h=given'], 'cat /etc/hostname 2>&1; hostname')).toMatch(
      /No such file.*\ngiven$/,
    );
  });
});

/** A server on the machine that says one line. */
async function listen(address = '127.0.0.1'): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('from the host\n'));
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return { port: bound.port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
