/** `--userns`, `--uidmap`, `--gidmap`: who is who inside and outside. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);
}

function fail(...flags: readonly string[]) {
  return host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, 'true']);
}

/** Both maps, one range a line. */
const MAPS = "for m in /proc/self/uid_map /proc/self/gid_map; do awk '{ print $1, $2, $3 }' $m; done";

describe.skipIf(!canRunContainers)('the user namespace of a container', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'configured']);
    // What runs without the user's own id must find its way through his home.
    const { home } = host.user;
    await host.run(['chmod', '711', home, `${home}/.local`, `${home}/.local/share`]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('host, the default: the container is in lichen’s own, where root is the user', async () => {
    expect(await run([], `${MAPS}; id -u; touch /tmp/x; stat -c %u /tmp/x`)).toBe(
      '0 2000 1\n1 100000 65536\n0 2000 1\n1 100000 65536\n0\n0',
    );
    expect(await run(['--userns=host'], 'readlink /proc/self/ns/user')).toBe(
      await host.succeed(['unshare', 'readlink', '/proc/self/ns/user']),
    );
  });

  test('keep-id: the user is himself inside, and what he writes outside is his', async () => {
    await host.run(['mkdir', '-p', '/tmp/mine']);
    const facts = `id -u; id -g; ${MAPS}; touch /mine/made; stat -c %u /mine/made`;
    expect(await run(['--userns=keep-id', '-v', '/tmp/mine:/mine'], facts)).toBe(
      '2000\n2000\n0 1 2000\n2000 0 1\n2001 2001 63536\n0 1 2000\n2000 0 1\n2001 2001 63536\n2000',
    );
    expect((await host.run(['stat', '-c', '%U', '/tmp/mine/made'])).stdout).toBe(`${host.user.name}\n`);
    expect(await run(['--userns=keep-id:uid=1000,gid=1001'], 'id -u; id -g')).toBe('1000\n1001');
    expect(await run(['--userns=keep-id', '-u', '0'], 'id -u; stat -c %u /')).toMatch(/^0\n/);
  });

  test('nomap leaves the user out, auto takes ids nobody else has', async () => {
    expect(await run(['--userns=nomap'], `${MAPS}; id -u`)).toBe('0 1 65536\n0 1 65536\n0');
    await host.succeed(['run', '-d', '--network=none', '--name=first', '--userns=auto', BUSYBOX, 'sleep', '600']);
    const first = (await host.succeed(['exec', 'first', 'cat', '/proc/self/uid_map'])).trim().split(/\s+/).map(Number);
    const second = (await run(['--userns=auto:size=2000'], 'cat /proc/self/uid_map')).trim().split(/\s+/).map(Number);
    // The image has a group 2000.
    expect(first).toEqual([0, 1, 2001]);
    expect(second).toEqual([0, 2002, 2000]);
    await removeNow(host, 'first');
    expect(await run(['--userns=auto', '--user=20000:21000'], MAPS)).toBe('0 1 21001\n0 1 21001');
    expect(await fail('--userns=auto:size=99999')).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('not') });
  });

  test('--uidmap and --gidmap say it range by range', async () => {
    expect(await run(['--uidmap=0:1:500', '--uidmap', '1000:0:1', '--gidmap=0:1:100'], `${MAPS}; id -u`)).toBe(
      '0 1 500\n1000 0 1\n0 1 100\n0',
    );
    expect(await run(['--uidmap=0:100:50'], MAPS)).toBe('0 100 50\n0 100 50');
    expect(await fail('--uidmap=0:1:500', '--userns=keep-id')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('mutually exclusive'),
    });
  });

  test('--subuidname takes the ids of a name in /etc/subuid', async () => {
    const own = await run([`--subuidname=${host.user.name}`], MAPS);
    expect(own.split('\n')).toEqual([expect.stringMatching(/^0 1 \d+$/), expect.stringMatching(/^0 1 \d+$/)]);
    expect(await fail('--subgidname=nobody-here')).toMatchObject({
      exitCode: 125,
      stderr: 'Error: no subuid ranges found for user "nobody-here" in /etc/subuid\n',
    });
    expect(await fail(`--subuidname=${host.user.name}`, '--userns=keep-id')).toMatchObject({
      exitCode: 125,
      stderr: 'Error: --userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive\n',
    });
  });

  test('auto leaves ids alone that were mapped by hand', async () => {
    const maps = await run(['--userns=auto:uidmapping=0:500:10,gidmapping=5:300:4,size=2000'], MAPS);
    expect(maps.split('\n')).toEqual(['0 500 10', '10 1 499', '509 510 1491', '0 1 5', '5 300 4', '9 6 294', '303 304 1697']);
  });

  test('a home that is closed to others keeps nobody out: lichen’s own runtime finds its way', async () => {
    await host.run(['chmod', '700', host.user.home]);
    const env = { LICHEN_RUNTIME: undefined };
    await host.succeed(['run', '--detach', '--name=far', '--network=none', '--userns=auto', BUSYBOX, 'sleep', '100'], { env });
    expect(await host.succeed(['inspect', '--format={{.OCIRuntime}}', 'far'])).toBe('embedded');
    expect(await host.succeed(['exec', 'far', ...sh('id -u; cat /etc/hostname | wc -l')])).toBe('0\n1');
    await removeNow(host, 'far');
    await host.run(['chmod', '711', host.user.home]);
    await host.succeed(['create', '--name=near', '--userns=auto', BUSYBOX, 'true'], { env });
    expect(await host.succeed(['inspect', '--format={{.OCIRuntime}}', 'near'])).toBe(
      await host.succeed(['info', '--format={{.Host.OCIRuntime.Name}}'], { env }),
    );
    await removeNow(host, 'near');
  });

  test('variables of the network are the container’s, whoever is mapped', async () => {
    const read = sh('cat /proc/sys/net/ipv4/ip_forward');
    for (const mode of ['keep-id', 'auto', 'nomap'])
      expect(await host.succeed(['run', '--rm', `--userns=${mode}`, '--sysctl=net.ipv4.ip_forward=1', BUSYBOX, ...read])).toBe('1');
    expect(await host.lichen(['run', '--rm', '--userns=keep-id', '--sysctl=net.ipv4.none=1', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/^Error: sysctls of the container's network: .*\/proc\/sys\/net\/ipv4\/none/),
    });
  });

  test.each([
    ['private', 'must provide at least one UID or GID mapping to configure a user namespace'],
    ['ns:/none', 'cannot find specified user namespace path: faccessat /none: no such file or directory'],
    ['container:none', 'looking up container to share user namespace with: no container with name or ID "none" found: no such container'],
    ['nomap:1', 'unrecognized namespace mode nomap:1 passed'],
    ['keep-id:foo=1', 'unknown option specified: "foo"'],
    ['auto:size=x', 'strconv.ParseUint: parsing "x": invalid syntax'],
  ])('--userns=%s is refused', async (mode, words) => {
    expect(await fail(`--userns=${mode}`)).toMatchObject({ exitCode: 125, stderr: expect.stringContaining(`Error: ${words}`) });
  });

  test('files of the image belong to the same ids inside, whatever the map', async () => {
    const facts = 'stat -c %u:%g / /home/worker /srv/data; echo x > /srv/data/y; stat -c %u /srv/data/y';
    const image = ['--entrypoint=', 'localhost/configured:v1', ...sh(facts)];
    for (const userns of ['host', 'keep-id:uid=1000,gid=1000', 'auto:size=5000', 'nomap'])
      expect(await host.succeed(['run', '--rm', '--network=none', `--userns=${userns}`, '-u', '1000', ...image])).toBe(
        '0:0\n1000:1000\n1000:1000\n1000',
      );
  });
});
