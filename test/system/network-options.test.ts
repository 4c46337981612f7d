/** What `network create` can be asked for, seen from containers on such networks, and the pools that subnets come from. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findPrograms } from '../../network/bridge/netavark.ts';
import { isRecentVersion } from '../../network/bridge/version.ts';
import { askUdp, ECHO } from '../host/datagrams.ts';
import { canBridge } from '../host/netavark.ts';
import { freePort, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

/** Not Debian 12's. */
const isRecent = canBridge && isRecentVersion(execFileSync(findPrograms([]).netavark, ['--version'], { encoding: 'utf8' }));

const TIMEOUT_MS = 120_000;

let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', ...flags, BUSYBOX, ...sh(script)]);
}

async function start(name: string, flags: readonly string[], script: string): Promise<void> {
  await host.succeed(['run', '--detach', '--name', name, ...flags, BUSYBOX, ...sh(script)]);
}

function inside(name: string, script: string): Promise<string> {
  return host.succeed(['exec', name, ...sh(script)]);
}

/** Prints what a server of `SERVING` says, or `nothing`. */
function asked(place: string, tries = '1 2 3'): string {
  const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${place} 80 2>/dev/null | tail -n 1`;
  return `for try in ${tries}; do said=$(${ask}); [ -n "$said" ] && echo "$said" && exit; sleep 1; done; echo nothing`;
}

const SERVING = 'mkdir -p /www; echo page > /www/index.html; exec httpd -f -h /www -p';

describe.skipIf(!canRunContainers || !canBridge)('networks as they were asked for', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    host = await loadedHost();
  }, TIMEOUT_MS);
  afterEach(async () => {
    await host.succeed(['pod', 'rm', '--force', '--time', '0', '--all']);
    await host.succeed(['rm', '--force', '--time', '0', '--all']);
    await host.succeed(['network', 'prune', '--force']);
  }, TIMEOUT_MS);
  afterAll(() => host[Symbol.asyncDispose]());

  test('--opt mtu and --interface-name are those of the interface and of the bridge', async () => {
    await host.succeed(['network', 'create', '--opt', 'mtu=1380', '--interface-name', 'asked0', '--subnet', '10.221.0.0/24', 'asked']);
    await start('one', ['--network', 'asked'], 'exec sleep 600');
    expect(await inside('one', 'cat /sys/class/net/eth0/mtu')).toBe('1380');
    const bridge = await host.succeed(['unshare', '--rootless-netns', 'ip', '-o', 'addr', 'show', 'asked0']);
    expect(bridge).toContain('10.221.0.1/24');
  });

  test('--opt isolate keeps networks apart, --internal has no way out', async () => {
    for (const [name, subnet] of [
      ['left', '10.222.0.0/24'],
      ['right', '10.223.0.0/24'],
    ])
      await host.succeed(['network', 'create', '--opt', 'isolate=true', '--subnet', subnet!, name!]);
    await host.succeed(['network', 'create', '--subnet', '10.224.0.0/24', 'open']);
    await host.succeed(['network', 'create', '--internal', '--subnet', '10.225.0.0/24', 'closed']);
    await start('server', ['--network', 'right:ip=10.223.0.9'], `${SERVING} 80`);
    const asking = asked('10.223.0.9');
    expect(await run(['--network', 'right'], asking)).toBe('page');
    expect(await run(['--network', 'left'], asking)).toBe('nothing');
    expect(await run(['--network', 'open'], asking)).toBe('page');
    expect(await run(['--network', 'closed'], 'ip route')).not.toContain('default');
    expect(await run(['--network', 'open'], 'ip route')).toContain('default via 10.224.0.1');
  });

  test.skipIf(isRecent)('what netavark is too old for is refused', async () => {
    for (const option of ['isolate=strict', 'mode=unmanaged']) {
      await host.succeed(['network', 'create', '--opt', option, '--interface-name', 'new0', 'new']);
      expect(await host.lichen(['run', '--rm', '--network', 'new', BUSYBOX, 'true'])).toMatchObject({
        exitCode: 126,
        stderr: `Error: network new: this version of netavark does not know the option ${option}\nUpgrade netavark: 1.10 knows it.\n`,
      });
      await host.succeed(['network', 'rm', 'new']);
    }
  });

  test.skipIf(!isRecent)('--opt isolate=strict keeps a network apart from all others, whatever they are', async () => {
    const subnets = { strict: '10.241.0', severe: '10.242.0', shy: '10.243.0', open: '10.244.0' };
    const isolation: Readonly<Record<string, string>> = { strict: 'strict', severe: 'strict', shy: 'true', open: 'false' };
    for (const [name, base] of Object.entries(subnets)) {
      await host.succeed(['network', 'create', '--opt', `isolate=${isolation[name]}`, '--subnet', `${base}.0/24`, name]);
      await start(`in-${name}`, ['--network', `${name}:ip=${base}.9`], `${SERVING} 80`);
      expect(await run(['--network', name], asked(`${base}.9`))).toBe('page');
    }
    const reached = async (from: string) => {
      const said: string[] = [];
      for (const [to, base] of Object.entries(subnets))
        if ((await run(['--network', from], asked(`${base}.9`, '1'))) === 'page') said.push(to);
      return said.join(' ');
    };
    expect(await reached('strict')).toBe('strict');
    expect(await reached('shy')).toBe('shy open');
    expect(await reached('open')).toBe('shy open');
  });

  test.skipIf(!isRecent)('--opt mode=unmanaged takes a bridge that is there, and leaves it', async () => {
    await host.succeed([
      'network',
      'create',
      '--opt',
      'mode=unmanaged',
      '--interface-name',
      'own0',
      '--subnet',
      '10.245.0.0/24',
      'foreign',
    ]);
    const { exitCode, stderr } = await host.lichen(['run', '--rm', '--network', 'foreign', BUSYBOX, 'true']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/^Error: netavark: in unmanaged mode, the bridge must already exist/),
    });
    const making =
      'ip link add own0 type bridge; ip addr add 10.245.0.1/24 dev own0; ip link set own0 up; echo made; read word; ip -o addr show own0';
    const visitor = host.spawnLichen(['unshare', '--rootless-netns', ...sh(making)]);
    await visitor.waitForOutput(/made/);
    await start('one', ['--network', 'foreign:ip=10.245.0.9'], `${SERVING} 80`);
    expect(await run(['--network', 'foreign'], asked('10.245.0.9'))).toBe('page');
    await host.succeed(['rm', '--force', '--time', '0', 'one']);
    visitor.write('on\n');
    expect((await visitor.finish()).stdout).toContain('10.245.0.1/24');
  });

  test('--opt metric is that of the way out', async () => {
    await host.succeed(['network', 'create', '--opt', 'metric=77', '--subnet', '10.227.0.0/24', 'far']);
    expect(await run(['--network', 'far'], 'ip route')).toMatch(/^default via 10\.227\.0\.1 dev eth0 +metric 77/m);
  });

  // netavark before 1.10 passes over both.
  test.skipIf(!isRecent)('--opt no_default_route leaves the ways of --route', async () => {
    const route = ['--route', '10.99.0.0/16,10.228.0.7,50'];
    await host.succeed(['network', 'create', '--opt', 'no_default_route=true', ...route, '--subnet', '10.228.0.0/24', 'side']);
    const routes = await run(['--network', 'side'], 'ip route');
    expect(routes).not.toContain('default');
    expect(routes).toMatch(/^10\.99\.0\.0\/16 via 10\.228\.0\.7 dev eth0 +metric 50/m);
  });

  test('pools of containers.conf are used up one after the other, then each network must name its subnet', async () => {
    const conf = `${host.user.home}/pools.conf`;
    await host.writeFile(conf, '[network]\ndefault_subnet_pools = [{ base = "10.230.0.0/25", size = 26 }]\n');
    const create = (...flags: readonly string[]) => host.lichen(['network', 'create', ...flags], { env: { CONTAINERS_CONF: conf } });
    for (const name of ['p1', 'p2']) expect(await create(name)).toMatchObject({ exitCode: 0, stdout: `${name}\n` });
    const subnets = await host.succeed(['network', 'inspect', '--format', '{{range .Subnets}}{{.Subnet}}{{end}}', 'p1', 'p2']);
    expect(subnets).toBe('10.230.0.0/26\n10.230.0.64/26');
    expect(await create('p3')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: could not find free subnet from subnet pools/),
    });
    expect(await create('--subnet', '10.230.0.32/27', 'p3')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('is already used'),
    });
    expect(await create('--subnet', '10.231.0.0/24', 'p3')).toMatchObject({ exitCode: 0 });
    expect(await run(['--network', 'p2'], 'ip -o -4 addr show eth0')).toContain('inet 10.230.0.66/26');
  });

  test('a pod on a bridge has one address of each family and one published port for all its containers', async () => {
    const port = await freePort();
    await host.succeed(['network', 'create', '--subnet', '10.226.0.0/24', '--subnet', 'fd00:226::/64', 'lan']);
    await host.succeed([
      'pod',
      'create',
      '--name',
      'site',
      '--network',
      'lan:ip=10.226.0.9,ip6=fd00:226::9,alias=web',
      '-p',
      `127.0.0.1:${port}:80`,
    ]);
    await start('server', ['--pod', 'site'], `${SERVING} [::]:80`);
    await start('beside', ['--pod', 'site'], 'exec sleep 600');
    expect(await inside('beside', asked('127.0.0.1'))).toBe('page');
    for (const place of ['10.226.0.9', 'fd00:226::9', 'web', 'site'])
      expect(await run(['--network', 'lan'], asked(place)), place).toBe('page');
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/`)).text().catch(String)).toBe('page\n');
    const infra = await host.succeed(['pod', 'inspect', '-f', '{{.InfraContainerID}}', 'site']);
    expect(await host.succeed(['inspect', '--format', '{{.NetworkSettings.PortForwarder}}', infra])).toBe('lichen-ports');
  });

  test.skipIf(!existsSync('/usr/bin/perl')).each([['pasta'], ['lan']])(
    'datagrams reach a pod on %s by its published port',
    async (network) => {
      const port = await freePort();
      await host.succeed(['network', 'create', '--subnet', '10.229.0.0/24', '--subnet', 'fd00:229::/64', 'lan']);
      const bothFamilies = (await host.run(['pasta', '--help'])).stdout.includes('--map-guest-addr');
      const published = ['127.0.0.1', ...(bothFamilies ? ['[::1]'] : [])].flatMap((address) => ['-p', `${address}:${port}:${port}/udp`]);
      await host.succeed(['pod', 'create', '--name', 'site', '--network', network, ...published]);
      await host.succeed(['run', '--detach', '--pod', 'site', '--rootfs', '/:O', 'perl', '-e', ECHO, String(port)]);
      expect(await askUdp('127.0.0.1', port)).toBe('hello');
      if (bothFamilies) expect(await askUdp('::1', port)).toBe('hello');
      await host.succeed(['pod', 'restart', 'site']);
      expect(await askUdp('127.0.0.1', port)).toBe('hello');
    },
  );
});
