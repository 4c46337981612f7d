/** Containers on bridge networks: addresses, names, ports, joining and leaving, and helpers that die. Clients are on the machine, servers in containers. */
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { canBridge } from '../host/netavark.ts';
import { canShapeHosts, freePort, type TestHost } from '../host/host.ts';
import { own } from '../host/own-address.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const TIMEOUT_MS = 120_000;
const SLEEP = ['sleep', '600'];
let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', ...flags, BUSYBOX, ...sh(script)]);
}

async function start(name: string, flags: readonly string[], command: readonly string[] = SLEEP): Promise<void> {
  await host.succeed(['run', '--detach', '--name', name, ...flags, BUSYBOX, ...command]);
}

function inside(name: string, script: string): Promise<string> {
  return host.succeed(['exec', name, ...sh(script)]);
}

/** The address that a name has for the container, as its C library finds it; ping may not be allowed to do more than say it. */
async function lookUp(name: string, word: string): Promise<string | undefined> {
  const said = await inside(name, `ping -4 -c 1 -W 1 ${word} 2>&1; true`);
  return /^PING \S+ \((\S+)\)/m.exec(said)?.[1];
}

function web(port = 80): readonly string[] {
  return sh(`mkdir -p /www && echo page > /www/index.html && exec httpd -f -vv -p ${port} -h /www`);
}

function page(address: string, port: number) {
  const fetched = async () => (await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5000) })).text();
  return expect.poll(() => fetched().catch((error: unknown) => String((error as Error).cause ?? error)), { timeout: 15_000 });
}

/** Of all that is for all bridges: what is in the run directory beside the locks. */
function shared(): readonly string[] {
  const directory = host.path(`${host.runDir}/networks`);
  return existsSync(directory)
    ? readdirSync(directory).filter((name) => ['netns', 'shared.json', 'aardvark-dns', 'netns.pid'].includes(name))
    : [];
}

function helpers(word: string): readonly number[] {
  return host.processes().flatMap(({ pid, command }) => (command.includes(word) ? [pid] : []));
}

describe.skipIf(!canRunContainers || !canBridge)('bridges', { timeout: TIMEOUT_MS }, () => {
  beforeAll(async () => {
    host = await loadedHost();
    await host.succeed(['network', 'create', '--subnet', '10.201.0.0/24', 'red']);
    await host.succeed(['network', 'create', '--subnet', '10.202.0.0/24', '--subnet', 'fd00:202::/64', 'blue']);
  }, TIMEOUT_MS);
  afterEach(async () => {
    await host.succeed(['rm', '--force', '--time', '0', '--all']);
    expect(shared()).toEqual([]);
  }, TIMEOUT_MS);
  afterAll(() => host[Symbol.asyncDispose]());

  test('a container gets the address, MAC address and interface that it asks for, and a free one elsewhere', async () => {
    const fixed = 'red:ip=10.201.0.77,mac=02:11:22:33:44:55,interface_name=net7,alias=other';
    await start('one', ['--network', fixed, '--network', 'blue']);
    const settings = JSON.parse(await host.succeed(['inspect', 'one', '--format', '{{json .NetworkSettings.Networks}}'])) as object;
    expect(settings).toMatchObject({
      red: {
        IPAddress: '10.201.0.77',
        IPPrefixLen: 24,
        Gateway: '10.201.0.1',
        MacAddress: '02:11:22:33:44:55',
        Aliases: ['other', expect.any(String)],
      },
      blue: { IPAddress: '10.202.0.2', GlobalIPv6Address: 'fd00:202::2', GlobalIPv6PrefixLen: 64, IPv6Gateway: 'fd00:202::1' },
    });
    const seen = await inside('one', 'ip -o addr');
    expect(seen).toMatch(/net7\s+inet 10\.201\.0\.77\/24/);
    expect(seen).toMatch(/eth0\s+inet 10\.202\.0\.2\/24/);
    expect(await inside('one', 'cat /sys/class/net/net7/address')).toBe('02:11:22:33:44:55');
    expect(await host.succeed(['ps', '--filter', 'network=blue', '--format', '{{.Names}} {{.Networks}}'])).toBe('one red,blue');
    const listed = JSON.parse(await host.succeed(['network', 'inspect', 'red'])) as [{ containers: object }];
    expect(Object.values(listed[0].containers)).toEqual([
      {
        name: 'one',
        interfaces: { net7: { subnets: [{ ipnet: '10.201.0.77/24', gateway: '10.201.0.1' }], mac_address: '02:11:22:33:44:55' } },
      },
    ]);
  });

  test('--ip, --ip6, --mac-address and --network-alias do the same for one network', async () => {
    const flags = [
      '--network',
      'blue',
      '--ip',
      '10.202.0.9',
      '--ip6',
      'fd00:202::9',
      '--mac-address',
      '02:11:22:33:44:56',
      '--network-alias',
      'nine',
    ];
    await start('one', flags);
    expect(await inside('one', 'ip -o addr show eth0; cat /sys/class/net/eth0/address')).toMatch(
      /10\.202\.0\.9\/24[^]*fd00:202::9\/64[^]*02:11:22:33:44:56$/,
    );
    await start('two', ['--network', 'blue']);
    expect(await lookUp('two', 'nine')).toBe('10.202.0.9');
  });

  test('names, aliases and short ids are known in every network that two containers share, and in no other', async () => {
    await start('red1', ['--network', 'red:alias=ruby']);
    await start('both', ['--network', 'red', '--network', 'blue']);
    await start('blue1', ['--network', 'blue']);
    const id = await host.succeed(['inspect', 'red1', '--format', '{{.Id}}']);
    for (const word of ['red1', 'ruby', id.slice(0, 12)]) expect(await lookUp('both', word), word).toBe('10.201.0.2');
    expect(await lookUp('red1', 'both.dns.podman')).toBe('10.201.0.3');
    expect(await lookUp('both', 'blue1')).toBe('10.202.0.3');
    expect(await lookUp('blue1', 'red1')).toBeUndefined();
    expect(await inside('red1', 'cat /etc/resolv.conf')).toMatch(/^search dns\.podman\b[^]*\nnameserver 10\.201\.0\.1\n?$/);
    await removeNow(host, 'red1');
    expect(await lookUp('both', 'ruby')).toBeUndefined();
  });

  test('the server of a network is told whom to ask: those of --dns, of the network, or of the machine', async () => {
    await host.succeed(['network', 'create', '--subnet', '10.206.0.0/24', '--dns', '10.9.9.9', 'told']);
    await start('client', ['--network', 'red', '--dns', '10.201.0.53', '--network', 'told']);
    const known = (network: string) => host.readFile(`${host.runDir}/networks/aardvark-dns/${network}`);
    expect(await known('red')).toMatch(/^10\.201\.0\.1 (169\.254\.1\.1|10\.0\.2\.3)\n[^]* 10\.201\.0\.53\n$/);
    expect(await known('told')).toMatch(/^10\.206\.0\.1 10\.9\.9\.9\n/);
    await removeNow(host, 'client');
    await host.succeed(['network', 'rm', 'told']);
  });

  test('an internal network has no way out, and one without DNS no names', async () => {
    await host.succeed(['network', 'create', '--internal', '--disable-dns', '--subnet', '10.203.0.0/24', 'inner']);
    expect(await run(['--network', 'inner'], 'ip route; cat /etc/resolv.conf')).not.toMatch(/default|dns\.podman/);
    await host.succeed(['network', 'rm', 'inner']);
  });

  test('published ports reach the container, which sees who calls; 127.0.0.1 is listened on alone where that was asked for', async () => {
    const [everywhere, loopback] = [await freePort(), await freePort()];
    await start('web', ['--network', 'red', '-p', `${everywhere}:80`, '-p', `127.0.0.1:${loopback}:80`], web());
    await page('127.0.0.1', everywhere).toBe('page\n');
    await page('127.0.0.1', loopback).toBe('page\n');
    expect((await host.succeed(['port', 'web'])).split('\n').toSorted()).toEqual(
      [`80/tcp -> 0.0.0.0:${everywhere}`, `80/tcp -> 127.0.0.1:${loopback}`].toSorted(),
    );
    if (own !== undefined) {
      await page(own, everywhere).toBe('page\n');
      await expect(fetch(`http://${own}:${loopback}/`)).rejects.toThrow();
      expect((await host.lichen(['logs', 'web'])).stdout + (await host.lichen(['logs', 'web'])).stderr).toContain(own);
    }
    expect(await inside('web', 'ip route show default')).toMatch(/^default via 10\.201\.0\.1 dev eth0/);
    expect(await host.succeed(['inspect', 'web', '--format', '{{.NetworkSettings.PortForwarder}}'])).toBe('lichen-ports');
    await removeNow(host, 'web');
    await expect(fetch(`http://127.0.0.1:${everywhere}/`)).rejects.toThrow();
  });

  test('ports are published at addresses of IPv6', async () => {
    const [everywhere, loopback] = [await freePort(), await freePort()];
    await start('six', ['--network', 'red', '-p', `${everywhere}:80`, '-p', `[::1]:${loopback}:80`], web());
    for (const port of [everywhere, loopback]) await page('[::1]', port).toBe('page\n');
    await page('127.0.0.1', everywhere).toBe('page\n');
    await expect(fetch(`http://127.0.0.1:${loopback}/`)).rejects.toThrow();
  });

  test('without lichen-ports pasta forwards, and the client is seen as well; it may not listen on IPv6, which is one clear error', async () => {
    const env = { LICHEN_PORT_FORWARDER: 'pasta' };
    const [everywhere, loopback] = [await freePort(), await freePort()];
    const command = ['run', '--detach', '--network', 'red', '--name'];
    await host.succeed([...command, 'web', '-p', `${everywhere}:80`, BUSYBOX, ...web()], { env });
    expect(await host.succeed(['inspect', 'web', '--format', '{{.NetworkSettings.PortForwarder}}'])).toBe('pasta');
    await page('127.0.0.1', everywhere).toBe('page\n');
    if (own !== undefined) {
      await page(own, everywhere).toBe('page\n');
      expect((await host.lichen(['logs', 'web'])).stderr).toContain(own);
    }
    await removeNow(host, 'web');
    if ((await host.run(['pasta', '--help'])).stdout.includes('--map-guest-addr')) return;
    const { stderr, exitCode } = await host.lichen([...command, 'six', '-p', `[::1]:${loopback}:80`, BUSYBOX, 'true'], { env });
    expect(stderr).toMatch(
      /^Error: pasta failed with exit code 1:\nFailed to bind [^\n]* '-t ::1\/[^\n]*\nThis version of pasta listens at no IPv6 address here: upgrade passt\.$/m,
    );
    expect(exitCode).toBe(126);
    expect(shared()).toEqual([]);
  });

  test('unshare --rootless-netns runs a command among the bridges, and makes their namespace where it is not there', async () => {
    const visit = (...argv: readonly string[]) => host.lichen(['unshare', '--rootless-netns', ...argv]);
    const alone = await visit(...sh('ip -o -4 addr; cat /etc/resolv.conf; exit 7'));
    expect(alone).toMatchObject({ exitCode: 7, stderr: '' });
    expect(alone.stdout).toMatch(/\d: (?!lo)\w+ +inet [^]*nameserver (169\.254\.1\.1|10\.0\.2\.3)\n/);
    expect(await visit('nosuch')).toMatchObject({
      exitCode: 127,
      stderr: 'Error: exec: "nosuch": executable file not found in $PATH\n',
    });
    expect(shared()).toEqual([]);
    await start('one', ['--network', 'red']);
    expect((await visit('ip', '-o', '-4', 'addr')).stdout).toContain('10.201.0.1/24');
    const staying = host.spawnLichen(['unshare', '--rootless-netns', ...sh('ip -o -4 addr; read word; ip -o -4 addr')]);
    await staying.waitForOutput(/10\.201\.0\.1\/24/);
    await removeNow(host, 'one');
    expect(helpers('networks/netns.pid')).toHaveLength(1);
    await host.succeed(['ps']);
    staying.write('on\n');
    const { exitCode, stdout } = await staying.finish();
    expect(exitCode).toBe(0);
    expect(stdout.match(/10\.201\.0\.1\/24/g)).toHaveLength(1);
    expect(shared()).toEqual([]);
  });

  test('a port that is taken is one clear error and leaves nothing', async () => {
    await using server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { stderr, exitCode } = await host.lichen([
      'run',
      '--network',
      'red',
      '--name',
      'taken',
      '-p',
      `127.0.0.1:${port}:80`,
      BUSYBOX,
      'true',
    ]);
    expect(stderr).toMatch(new RegExp(`^Error: .*${port}.*address already in use`, 'is'));
    expect(exitCode).toBe(126);
    expect(helpers('pasta')).toEqual([]);
    expect(shared()).toEqual([]);
  });

  test('networks are joined and left while a container runs', async () => {
    await start('walker', ['--network', 'red']);
    await start('friend', ['--network', 'blue']);
    expect(await lookUp('walker', 'friend')).toBeUndefined();
    await host.succeed(['network', 'connect', '--alias', 'w', '--ip', '10.202.0.44', 'blue', 'walker']);
    expect(await inside('walker', 'ip -o -4 addr show eth1')).toContain('10.202.0.44/24');
    expect(await lookUp('friend', 'w')).toBe('10.202.0.44');
    expect(await lookUp('walker', 'friend')).toBe('10.202.0.2');
    const again = await host.lichen(['network', 'connect', 'blue', 'walker']);
    expect(again).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/is already connected to network "blue": network is already connected\n$/),
    });
    await host.succeed(['network', 'disconnect', 'red', 'walker']);
    expect(await inside('walker', 'ip -o -4 addr')).not.toContain('10.201.');
    expect(await inside('walker', 'cat /etc/resolv.conf')).not.toContain('10.201.');
    await host.succeed(['restart', '--time', '0', 'walker']);
    expect(await inside('walker', 'ip -o -4 addr')).toMatch(/eth0\s+inet 10\.202\.0\.44\/24/);
    await host.succeed(['network', 'disconnect', 'blue', 'walker']);
    expect(await host.succeed(['inspect', 'walker', '--format', '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}'])).toBe(
      'bridge',
    );
    const events = await host.succeed(['events', '--stream=false', '--filter', 'type=network', '--filter', 'event=disconnect']);
    expect(events).toMatch(/network disconnect [0-9a-f]{64} \(container=[0-9a-f]{64}, name=red\)/);
  });

  test('an address that is taken is refused and changes nothing; it is free when its container is gone', async () => {
    await start('first', ['--network', 'red', '--ip', '10.201.0.66']);
    await start('second', ['--network', 'blue']);
    for (const words of [
      ['run', '--network', 'red', '--ip', '10.201.0.66', '--name', 'third', BUSYBOX, 'true'],
      ['network', 'connect', '--ip', '10.201.0.66', 'red', 'second'],
    ]) {
      expect((await host.lichen(words)).stderr).toBe('Error: IPAM error: requested ip address 10.201.0.66 is already allocated\n');
    }
    expect(await host.succeed(['ps', '--filter', 'name=second', '--format', '{{.Networks}}'])).toBe('blue');
    await removeNow(host, 'first', 'third');
    await start('fourth', ['--network', 'red', '--ip', '10.201.0.66']);
  });

  test('a subnet that has no more addresses says so', async () => {
    await host.succeed(['network', 'create', '--subnet', '10.204.0.0/30', 'tiny']);
    await start('only', ['--network', 'tiny']);
    const { stderr } = await host.lichen(['run', '--rm', '--network', 'tiny', BUSYBOX, 'true']);
    expect(stderr).toMatch(
      /^Error: IPAM error: failed to find free IP in range: 10\.204\.0\.1 - 10\.204\.0\.3 .*\nAll addresses are given out/,
    );
    expect(await host.lichen(['network', 'rm', 'tiny'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('network is being used'),
    });
    expect(await host.succeed(['network', 'rm', '--force', '--time', '0', 'tiny'])).toBe('tiny');
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  });

  test('reload makes everything anew with the same addresses', async () => {
    await start('one', ['--network', 'red', '--network', 'blue']);
    const before = await inside('one', 'ip -o addr | sort; cat /sys/class/net/eth*/address');
    expect(await host.succeed(['network', 'reload', '--all'])).toMatch(/^[0-9a-f]{64}$/);
    const words = (text: string) => [...text.matchAll(/inet6? (10\S+|fd\S+)|^(\w\w:\S+)$/gm)].map(([word]) => word).toSorted();
    expect(words(await inside('one', 'ip -o addr | sort; cat /sys/class/net/eth*/address'))).toEqual(words(before));
    expect(await lookUp('one', 'one')).toBe('10.201.0.2');
  });

  test('the next command starts pasta and aardvark-dns again when they were killed', async () => {
    await start('one', ['--network', 'red']);
    const [pasta] = helpers('networks/netns.pid');
    const [dns] = helpers('aardvark-dns --config');
    expect([pasta, dns]).toEqual([expect.any(Number), expect.any(Number)]);
    await host.run(['sh', '-c', 'pid=$(cat "$XDG_RUNTIME_DIR/lichen/networks/aardvark-dns/aardvark.pid"); kill -9 "$pid"']);
    await host.run(['sh', '-c', `kill -9 $(sed 's/.*"helper":{"pid":\\([0-9]*\\).*/\\1/' "$XDG_RUNTIME_DIR/lichen/networks/shared.json")`]);
    await expect.poll(() => [...helpers('networks/netns.pid'), ...helpers('aardvark-dns --config')]).toEqual([]);
    await host.succeed(['ps']);
    expect(helpers('networks/netns.pid')).toHaveLength(1);
    expect(await lookUp('one', 'one')).toBe('10.201.0.2');
  });

  test('a namespace that is lost is made anew, and what was left of it ends', async () => {
    await start('one', ['--network', 'red']);
    const [dns] = helpers('aardvark-dns --config');
    await host.succeed(['unshare', 'umount', '--lazy', `${host.runDir}/networks/netns`]);
    await removeNow(host, 'one');
    await start('two', ['--network', 'red']);
    expect(helpers('aardvark-dns --config')).not.toContain(dns);
    expect(await lookUp('two', 'two')).toBe('10.201.0.2');
  });

  test('macvlan can be defined and not joined', async () => {
    await host.succeed(['network', 'create', '--driver', 'macvlan', '--subnet', '10.205.0.0/24', 'mac']);
    const { stderr, exitCode } = await host.lichen(['run', '--rm', '--network', 'mac', BUSYBOX, 'true']);
    expect(stderr).toMatch(
      /^Error: network mac: containers cannot be attached to macvlan networks without real root\nUse a bridge network/,
    );
    expect(exitCode).toBe(126);
    expect(await host.succeed(['network', 'prune', '--force', '--filter', 'until=1h'])).toBe('');
    await host.succeed(['network', 'rm', 'mac']);
  });

  test('update changes the servers, prune removes what nobody uses', async () => {
    await host.succeed(['network', 'create', '--label', 'kept=no', 'loose']);
    await start('one', ['--network', 'red']);
    expect(await host.succeed(['network', 'update', 'loose', '--dns-add', '9.9.9.9,8.8.8.8', '--dns-drop', '8.8.8.8'])).toBe('loose');
    expect(await host.succeed(['network', 'inspect', 'loose', '--format', '{{.NetworkDNSServers}}'])).toBe('[9.9.9.9]');
    expect(await host.succeed(['network', 'prune', '--force', '--filter', 'label=kept'])).toBe('loose');
    expect(await host.succeed(['network', 'ls', '--quiet'])).toBe('blue\npodman\nred');
  });
});

test.skipIf(!canRunContainers || !canShapeHosts)(
  'without netavark a bridge is one error that names the package, and all else works',
  { timeout: TIMEOUT_MS },
  async () => {
    await using bare = await loadedHost(['busybox'], { without: ['netavark'] });
    const { stderr, exitCode } = await bare.lichen(['run', '--network', 'podman', '--name', 'x', BUSYBOX, 'true']);
    expect(stderr).toMatch(/^Error: could not find "netavark" [^\n]*\nInstall it \(Debian: apt-get install netavark [^\n]*\n$/);
    expect(exitCode).toBe(126);
    expect(await bare.succeed(['run', '--rm', BUSYBOX, 'echo', 'works'])).toBe('works');
    expect(await bare.lichen(['unshare', '--rootless-netns', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: could not find "netavark" /),
    });
    await bare.succeed(['rm', 'x']);
  },
);
