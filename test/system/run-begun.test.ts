/** The network that the launcher begins for a plain `run`, before lichen's own Node is there (network/early.ts). */
import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

/** An interface besides loopback. */
const CONNECTED = /^ *(?!lo:)\w+:/m;

/** How the network of a `run` with these flags came to be. */
async function made(...flags: readonly string[]): Promise<'begun' | 'anew' | 'none'> {
  const { stdout, stderr, exitCode } = await host.lichen([
    'run',
    '--rm',
    '--log-level',
    'debug',
    ...flags,
    BUSYBOX,
    'cat',
    '/proc/net/dev',
  ]);
  expect(exitCode, stderr).toBe(0);
  expect(CONNECTED.test(stdout)).toBe(!flags.includes('none'));
  if (stderr.includes('begun by the launcher: ')) return 'begun';
  return stderr.includes('/unshare --net=') ? 'anew' : 'none';
}

const rest = () => readdirSync(host.path(`${host.runDir}/netns`));

async function pastas(): Promise<string> {
  const { stdout } = await host.run(['pgrep', '-f', '^[^ ]*pasta .*--netns']);
  return stdout;
}

const configure = (pastaOptions: string) =>
  host.writeFile(`${host.user.home}/.config/containers/containers.conf`, `[network]\n${pastaOptions}\n`);

describe.skipIf(!canRunContainers)('a network begun by the launcher', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(() => removeNow(host, 'served', 'holder'));
  beforeEach(async () => {
    await configure('');
    await made();
    expect(await made()).toBe('begun');
  });

  test('serves as the one made later would, and is gone with its container', async () => {
    const inspected = await host.succeed(['run', '-d', '--name', 'served', BUSYBOX, 'sleep', '600']);
    const [id, key] = (await host.succeed(['inspect', '--format', '{{.Id}} {{.NetworkSettings.SandboxKey}}', 'served'])).split(' ');
    expect(id).toBe(inspected);
    expect(key).toBe(`${host.runDir}/netns/${id}`);
    expect(rest()).toEqual([id]);
    expect(await host.succeed(['exec', 'served', 'cat', '/etc/hosts'])).toMatch(/^[\d.]+\t\w+ served$/m);
    await host.succeed(['restart', '--time', '0', 'served']);
    expect(await host.succeed(['exec', 'served', 'cat', '/proc/net/dev'])).toMatch(CONNECTED);
    await host.succeed(['rm', '--force', '--time', '0', 'served']);
    expect(rest()).toEqual([]);
    await expect.poll(pastas).toBe('');
  });

  test('is left alone by whoever asks for another, or publishes what pasta has to forward', async () => {
    expect(await made('--network', 'none')).toBe('none');
    expect(await made('-p', '127.0.0.1::80/udp')).toBe('anew');
    expect(await made('--network=pasta')).toBe('anew');
    expect(await made('-itp', '127.0.0.1::80')).toBe('begun');
    expect(await made('--publish', '127.0.0.1::80')).toBe('begun');
    const env = { LICHEN_PORT_FORWARDER: 'pasta' };
    const before = await host.lichen(['run', '--rm', BUSYBOX, 'true'], { env });
    const forwarding = await host.lichen(['run', '--rm', '--log-level', 'debug', '-p', '127.0.0.1::80', BUSYBOX, 'true'], { env });
    expect([before.exitCode, forwarding.exitCode]).toEqual([0, 0]);
    expect(forwarding.stderr).not.toContain('begun by the launcher');
  });

  test('is given up where the configuration asks for another', async () => {
    await configure('pasta_options = ["--mtu", "1400"]');
    expect(await made()).toBe('anew');
    expect(await made()).toBe('begun');
    expect(await host.succeed(['run', '--rm', BUSYBOX, ...sh('cat /sys/class/net/[!l]*/mtu')])).toBe('1400');
    await configure('default_rootless_network_cmd = "slirp4netns"');
    expect(await made()).toBe('anew');
    expect(rest()).toEqual([]);
    await expect.poll(pastas).toBe('');
  });

  test.each([
    ['the image is not there', ['run', '--pull=never', 'localhost/nothing']],
    ['a flag is wrong', ['run', '--no-such-flag', BUSYBOX]],
    ['the name is taken', ['run', '--name', 'holder', BUSYBOX]],
    ['the command is not there', ['run', '--rm', BUSYBOX, '/nothing']],
  ])('is ended where %s', async (_why, argv) => {
    await host.succeed(['create', '--replace', '--name', 'holder', BUSYBOX]);
    const { exitCode } = await host.lichen(argv);
    expect(exitCode).toBeGreaterThan(0);
    expect(rest()).toEqual([]);
    await expect.poll(pastas).toBe('');
  });

  test.each([
    'pkill -9 -f "$begun"',
    // pasta goes on, and nobody will say how it went.
    'until pgrep -f "^[^ ]*pasta .*--netns $begun"; do :; done; pkill -9 -f "^/bin/sh -c .*$begun.status"',
    'while ! pkill -9 -f "^[^ ]*pasta .*--netns $begun"; do :; done',
  ])('is made anew where its processes were killed: %s', async (kill) => {
    const wrapper = `${host.user.home}/node`;
    // In the place of Node: they end before it starts. Later ones, of the embedded runtime, are told of none.
    const script = `begun=\${LICHEN_BEGUN_NETWORK#* }; [ -z "$begun" ] || { ${kill}; }; exec /opt/lichen/node_modules/node-linux-*/bin/node "$@"`;
    await host.writeFile(wrapper, `#!/bin/sh\n${script}\n`, 0o755);
    const { stdout } = await host.lichen(['run', '--rm', BUSYBOX, 'cat', '/proc/net/dev'], { env: { LICHEN_NODE: wrapper } });
    expect(stdout).toMatch(CONNECTED);
    expect(rest()).toEqual([]);
  });

  test.each([0, 300])('of a lichen that was killed is ended by the next command, %i ms later', async (delayMs) => {
    // What becomes of the launcher ends at once: nobody takes what it began.
    await host.lichen(['run', BUSYBOX, 'true'], { env: { LICHEN_NODE: '/bin/false' } });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    expect(rest().length).toBeGreaterThan(0);
    await host.succeed(['ps']);
    expect(rest()).toEqual([]);
    await expect.poll(pastas).toBe('');
  });
});
