import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { findProgram } from '../../host/search.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';

test('info tells of host, store, registries, plugins and version, in YAML, JSON and by template', async () => {
  await using host = await testHost();
  const sections = (await host.succeed(['info'])).split('\n').filter((line) => /^\w/.test(line));
  expect(sections).toEqual(['host:', 'makes:', 'plugins:', 'registries: {}', 'store:', 'version:']);
  const info = JSON.parse(await host.succeed(['system', 'info', '--format', 'json'])) as Record<string, Record<string, unknown>>;
  expect(Object.keys(info)).toEqual(['host', 'store', 'registries', 'plugins', 'version', 'makes']);
  expect(info['store']).toMatchObject({
    graphRoot: host.store,
    runRoot: host.runDir,
    containerStore: { number: 0 },
    imageStore: { number: 0 },
  });
  expect(info['host']).toMatchObject({ os: 'linux', databaseBackend: 'sqlite', security: { rootless: host.user.uid !== 0 } });
  expect(await host.succeed(['info', '--format', '{{.Host.OS}} {{.Store.GraphRoot}}'])).toBe(`linux ${host.store}`);
  expect(await host.lichen(['info', '-f', '{{.Foo}}'])).toMatchObject({
    stderr: 'Error: template: info:1:2: executing "info" at <.Foo>: can\'t evaluate field Foo in type system.infoReport\n',
    exitCode: 125,
  });
});

/** The suite may run on makes that its environment asks for. */
const NOTHING_ASKED = { LICHEN_RUNTIME: undefined, LICHEN_MONITOR: undefined };

describe.skipIf(!canShapeHosts)('info tells the makes of runtime, monitor, network and driver, and why each was chosen', () => {
  const makes = async (host: TestHost, flags: readonly string[] = [], env: Record<string, string> = {}) => {
    const { stdout, stderr, exitCode } = await host.lichen([...flags, 'info', '-f', 'json'], { env });
    expect(exitCode, stderr).toBe(0);
    return (JSON.parse(stdout) as { makes: Record<string, { name: string; path: string; why: string }> }).makes;
  };

  test.skipIf(!['crun', 'conmon', 'pasta'].every((name) => findProgram(name) !== undefined))('those that are installed', async () => {
    await using host = await testHost({ env: NOTHING_ASKED });
    expect(await makes(host)).toEqual({
      runtime: { name: 'crun', path: findProgram('crun'), why: 'crun is installed' },
      monitor: { name: 'conmon', path: expect.stringMatching(/\/conmon$/), why: 'conmon is installed' },
      network: { name: 'pasta', path: expect.stringMatching(/\/pasta$/), why: 'pasta is installed' },
      driver: { name: 'overlay', path: '', why: `overlayfs works for ${host.store}` },
    });
    expect(await host.succeed(['info', '-f', '{{.Makes.Monitor.Name}}: {{.Makes.Monitor.Why}}'])).toBe('conmon: conmon is installed');
  });

  test('those that were asked for, and by what', async () => {
    await using host = await testHost({ env: NOTHING_ASKED });
    const own = { runtime: 'lichen-runtime', monitor: expect.stringMatching(/monitor-main/) as string };
    const flags = ['--root=/tmp/copies', '--runtime=embedded', '--conmon=embedded', '--storage-driver=vfs'];
    expect(await makes(host, flags)).toMatchObject({
      runtime: { name: 'embedded', path: expect.stringContaining(own.runtime), why: 'asked for by --runtime' },
      monitor: { name: 'embedded', path: own.monitor, why: 'asked for by --conmon' },
      driver: { name: 'vfs', path: '', why: 'asked for' },
    });
    await host.writeFile(
      `${host.user.home}/.config/containers/containers.conf`,
      '[engine]\nruntime = "embedded"\nconmon_path = ["/bin/true"]\n[network]\ndefault_rootless_network_cmd = "slirp4netns"\n',
    );
    expect(await makes(host)).toMatchObject({
      runtime: { name: 'embedded', why: 'asked for by containers.conf' },
      monitor: { name: 'conmon', path: '/bin/true', why: 'conmon_path of containers.conf' },
      network: { name: 'slirp4netns', why: 'slirp4netns is installed' },
    });
    expect(await makes(host, ['--runtime=/no/such', '--conmon=/no/such'])).toMatchObject({
      runtime: { name: '', path: '', why: 'default OCI runtime "/no/such" not found: invalid argument' },
      monitor: { name: '', path: '', why: '/no/such: not found' },
    });
    expect(await makes(host, [], { LICHEN_RUNTIME: 'embedded', LICHEN_MONITOR: 'embedded' })).toMatchObject({
      runtime: { name: 'embedded', why: 'asked for by LICHEN_RUNTIME' },
      monitor: { name: 'embedded', why: 'asked for by LICHEN_MONITOR' },
    });
  });

  test('those that are left where others are missing', async () => {
    await using host = await testHost({ env: NOTHING_ASKED, without: ['crun', 'runc', 'conmon', 'pasta', 'slirp4netns'] });
    expect(await makes(host)).toMatchObject({
      runtime: { name: 'embedded', why: 'neither crun nor runc is installed' },
      monitor: { name: 'embedded', why: 'conmon is not installed' },
      network: { name: 'none', path: '', why: 'neither pasta nor slirp4netns is installed' },
    });
    await using second = await testHost({ without: ['pasta'] });
    expect(await makes(second)).toMatchObject({ network: { name: 'slirp4netns', why: 'pasta is not installed' } });
  });
});

test('info shows search registries and entries of registries.conf', async () => {
  await using host = await testHost();
  await host.writeFile(
    `${host.user.home}/.config/containers/registries.conf`,
    'unqualified-search-registries = ["example.test"]\n[[registry]]\nlocation = "other.test"\nblocked = true\n',
  );
  const { registries } = JSON.parse(await host.succeed(['info', '-f', 'json'])) as { registries: Record<string, unknown> };
  expect(registries).toMatchObject({ search: ['example.test'], 'other.test': { Location: 'other.test', Blocked: true } });
});

describe.skipIf(!canShapeHosts)('unshare', () => {
  test('a command runs inside the namespaces, and its exit status is ours', async () => {
    await using host = await testHost();
    const { stdout, exitCode } = await host.lichen([
      'unshare',
      'sh',
      '-c',
      'id -u; echo "$CONTAINERS_GRAPHROOT $CONTAINERS_RUNROOT ${LICHEN_ENTERED-}"; exit 7',
    ]);
    // A lichen in there has to know whose it is: to the kernel its user is root.
    const entered = `${host.user.uid}:${host.user.uid}`;
    expect({ stdout, exitCode }).toEqual({ stdout: `0\n${host.store} ${host.runDir} ${entered}\n`, exitCode: 7 });
    expect((await host.lichen(['unshare', 'sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
    expect((await host.lichen(['unshare', 'cat', '/proc/self/uid_map'])).stdout).toMatch(new RegExp(`^ *0 +${host.user.uid} +1$`, 'm'));
  });

  test('what is not there is told, with 127', async () => {
    await using host = await testHost();
    expect(await host.lichen(['unshare', 'nosuch'])).toMatchObject({
      stderr: 'Error: exec: "nosuch": executable file not found in $PATH\n',
      exitCode: 127,
    });
    expect(await host.lichen(['unshare'])).toMatchObject({
      stderr: 'Error: no command specified and no $SHELL specified\n',
      exitCode: 125,
    });
  });

  test('after system migrate the next command makes new namespaces', async () => {
    await using host = await testHost();
    const holder = async () => {
      await host.succeed(['images']);
      return host.readFile(`${host.runDir}/pause`);
    };
    const before = await holder();
    expect(await holder()).toBe(before);
    expect(await host.succeed(['system', 'migrate'])).toBe('');
    await expect.poll(() => host.processes()).toEqual([]);
    expect(await holder()).not.toBe(before);
  });
});

describe.skipIf(!canMakeImages)('prune and reset', () => {
  test('system prune asks, then removes containers at rest, what they used, and nothing that runs', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox'))]);
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('empty'))]);
    const resting = await host.succeed(['create', '-v', 'used:/x', 'busybox', 'true']);
    const running = await host.succeed([
      'run',
      '-d',
      '--network',
      'none',
      '--stop-signal',
      'KILL',
      '-v',
      'busy:/x',
      'busybox',
      'sleep',
      '100',
    ]);
    expect((await host.lichen(['system', 'prune'], { input: 'n\n' })).stdout).toBe(
      'WARNING! This command removes:\n\t- all stopped containers\n\t- all networks not used by at least one container\n\t- all dangling images\n\t- all dangling build cache\n\nAre you sure you want to continue? [y/N] ',
    );
    const pruned = await host.succeed(['system', 'prune', '--all', '--volumes', '--force']);
    expect(pruned).toMatch(
      new RegExp(
        `^Deleted Containers\n${resting}\nDeleted Volumes\nused\nDeleted Images\n[0-9a-f]{64}\nTotal reclaimed space: [0-9.]+k?B$`,
      ),
    );
    expect(await host.succeed(['ps', '-aq', '--no-trunc'])).toBe(running);
    expect(await host.succeed(['images', '--noheading', '--format', '{{.Repository}}'])).toBe('localhost/busybox');
    expect(await host.lichen(['system', 'prune', '-f', '--filter', 'foo=bar'])).toMatchObject({
      stderr: 'Error: foo is an invalid filter\n',
      exitCode: 125,
    });
    await host.succeed(['rm', '--force', '--all']);
  });

  test('system reset leaves nothing: no container, process, mount, image or volume', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('layered'))]);
    await host.succeed(['volume', 'create', 'data']);
    await host.succeed([
      'run',
      '-d',
      '--network',
      'none',
      '--stop-signal',
      'KILL',
      '--user',
      '1000',
      '-v',
      'data:/x',
      'layered',
      'sleep',
      '100',
    ]);
    expect(await host.lichen(['system', 'reset'], { input: 'n\n' })).toMatchObject({ exitCode: 0 });
    expect(await host.succeed(['ps', '-q'])).not.toBe('');
    await host.succeed(['system', 'reset', '--force']);
    expect(readdirSync(host.path(host.store))).toEqual([]);
    expect(readdirSync(host.path(host.runDir))).toEqual([]);
    expect(host.processes()).toEqual([]);
    expect(await host.succeed(['images', '-q'])).toBe('');
  });
});
