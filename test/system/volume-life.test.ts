import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';

const volumesOf = async (host: TestHost) => (await host.succeed(['volume', 'ls', '-q'])).split('\n').filter((name) => name !== '');
const directoryOf = (host: TestHost, name: string) => host.path(`${host.store}/volumes/${name}`);

test('a volume is made, shown, and gone with its files', async () => {
  await using host = await testHost();
  expect(await host.succeed(['volume', 'create', '--label', 'a=b', '--label', 'c', 'data'])).toBe('data');
  expect(await host.succeed(['volume', 'ls'])).toBe('DRIVER      VOLUME NAME\nlocal       data');
  const [shown] = JSON.parse(await host.succeed(['volume', 'inspect', 'data'])) as Record<string, unknown>[];
  expect(shown).toMatchObject({
    Name: 'data',
    Driver: 'local',
    Labels: { a: 'b', c: '' },
    Mountpoint: `${host.store}/volumes/data/_data`,
    NeedsCopyUp: true,
  });
  expect(await host.succeed(['volume', 'inspect', '-f', '{{.Name}} {{.Driver}}', 'dat'])).toBe('data local');
  expect((await host.lichen(['volume', 'exists', 'data'])).exitCode).toBe(0);
  expect(await host.succeed(['volume', 'rm', 'data'])).toBe('data');
  expect((await host.lichen(['volume', 'exists', 'data'])).exitCode).toBe(1);
  expect(existsSync(directoryOf(host, 'data'))).toBe(false);
});

test('without a name it gets 64 hex digits; an existing name is an error unless it is to be ignored', async () => {
  await using host = await testHost();
  expect(await host.succeed(['volume', 'create'])).toMatch(/^[0-9a-f]{64}$/);
  await host.succeed(['volume', 'create', 'twice']);
  expect(await host.lichen(['volume', 'create', 'twice'])).toMatchObject({
    stderr: 'Error: volume with name twice already exists: volume already exists\n',
    exitCode: 125,
  });
  expect(await host.succeed(['volume', 'create', '--ignore', 'twice'])).toBe('twice');
});

test.each([
  [['create', 'a b'], 125, 'running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument'],
  [
    ['create', '-d', 'nosuch', 'x1'],
    125,
    'volume x1 uses volume plugin nosuch but it could not be retrieved: no volume plugin with name nosuch available: required plugin missing',
  ],
  [['create', '-o', 'foo=bar'], 125, "invalid mount option foo for driver 'local': invalid argument"],
  [['rm', 'nosuch'], 1, 'no volume with name "nosuch" found: no such volume'],
  [['inspect', 'nosuch'], 125, 'no such volume nosuch'],
  [['ls', '--filter', 'foo=bar'], 125, '"foo" is an invalid volume filter'],
  [['ls', '--filter', 'foo'], 125, 'filter input must be in the form of filter=value: foo is invalid'],
  [['ls', '--filter', 'dangling=x'], 125, '"x" is not a valid value for the "dangling" filter - must be true or false'],
])('volume %j is exit status %i: %s', async (args, exitCode, message) => {
  await using host = await testHost();
  expect(await host.lichen(['volume', ...args])).toMatchObject({ stderr: `Error: ${message}\n`, exitCode });
});

test('owner and labels are what was asked for, filters find by them', async () => {
  await using host = await testHost();
  await host.succeed(['volume', 'create', '--uid', '5', '--gid', '6', '--label', 'kind=owned', 'owned']);
  await host.succeed(['volume', 'create', 'plain']);
  expect(await host.succeed(['unshare', 'stat', '-c', '%u:%g', `${host.store}/volumes/owned/_data`])).toBe('5:6');
  expect(await host.succeed(['volume', 'ls', '-q', '--filter', 'label=kind'])).toBe('owned');
  expect(await host.succeed(['volume', 'ls', '-q', '--filter', 'label!=kind'])).toBe('plain');
  expect(await host.succeed(['volume', 'ls', '-q', '--filter', 'name=pl', '--filter', 'name=ow'])).toBe('owned\nplain');
  expect(await host.succeed(['volume', 'ls', '-q', '--filter', 'since=owned'])).toBe('plain');
});

test('prune asks, then removes what no container uses', async () => {
  await using host = await testHost();
  await host.succeed(['volume', 'create', 'one']);
  const asked = await host.lichen(['volume', 'prune'], { input: 'n\n' });
  expect(asked.stdout).toBe(
    'WARNING! This will remove all volumes not used by at least one container. The following volumes will be removed:\none\nAre you sure you want to continue? [y/N] ',
  );
  expect(await volumesOf(host)).toEqual(['one']);
  expect(await host.lichen(['volume', 'prune'])).toMatchObject({ stderr: 'Error: EOF\n', exitCode: 125 });
  expect(await host.succeed(['volume', 'prune', '--force'])).toBe('one');
  expect(await volumesOf(host)).toEqual([]);
});

describe.skipIf(!canMakeImages)('with containers', () => {
  test('a volume in use stays; with force the container goes first', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox'))]);
    const container = await host.succeed(['create', '-v', 'data:/data', 'busybox', 'true']);
    expect(await host.lichen(['volume', 'rm', 'data'])).toMatchObject({
      stderr: `Error: volume data is being used by the following container(s): ${container}: volume is being used\n`,
      exitCode: 2,
    });
    expect(await host.succeed(['volume', 'prune', '-f'])).toBe('');
    expect(await host.succeed(['volume', 'rm', '--force', 'data'])).toBe('data');
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('files of other ids go with the volume', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox'))]);
    await host.succeed([
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      'data:/data',
      'busybox',
      'sh',
      '-c',
      'mkdir -m 700 /data/x; touch /data/x/y; chown -R 1000 /data',
    ]);
    await host.succeed(['volume', 'rm', 'data']);
    expect(existsSync(directoryOf(host, 'data'))).toBe(false);
  });
});

test('a removal that is killed is finished by the next command', async () => {
  await using host = await testHost();
  for (const delayMs of [45, 55, 60, 65, 75]) {
    await host.succeed(['volume', 'create', '--ignore', 'data']);
    await host.run([
      '/bin/sh',
      '-c',
      'mkdir -p "$1/sub" && cd "$1/sub" && seq 300 | xargs touch',
      'fill',
      `${host.store}/volumes/data/_data`,
    ]);
    await using removal = host.spawnLichen(['volume', 'rm', 'data']);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    removal.signal('SIGKILL');
    await removal.finish();
    const isThere = (await host.lichen(['volume', 'exists', 'data'])).exitCode === 0;
    expect(existsSync(directoryOf(host, 'data'))).toBe(isThere);
  }
});

test.skipIf(!canShapeHosts)('a volume that cannot be removed stays one, and stops no other command', async () => {
  await using host = await testHost();
  await host.succeed(['volume', 'create', 'data']);
  const foreign = `${host.store}/volumes/data/_data/foreign`;
  await host.asRoot(['/bin/sh', '-c', 'mkdir "$1"; touch "$1/file"', 'fill', foreign]);
  const refused = await host.lichen(['volume', 'rm', 'data']);
  expect(refused).toMatchObject({ stdout: '', exitCode: 125 });
  expect(refused.stderr).toMatch(/^Error: volume data cannot be removed: E(ACCES|PERM)/);
  expect(await volumesOf(host)).toEqual(['data']);
  await host.asRoot(['rm', '-r', foreign]);
  expect(await host.succeed(['volume', 'rm', 'data'])).toBe('data');
});

describe.skipIf(!canMakeImages || !canShapeHosts)('volumes that are mounts', () => {
  test('a tmpfs of the size and owner asked for is there while a container runs, and gone afterwards', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox'))]);
    await host.succeed(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,nodev,uid=5', 'small']);
    const run = (name: string) =>
      host.succeed([
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'none',
        '--stop-signal',
        'KILL',
        '-v',
        'small:/x',
        'busybox',
        'sleep',
        '100',
      ]);
    await run('one');
    await run('two');
    expect(await host.succeed(['exec', 'one', 'sh', '-c', 'echo kept > /x/file; stat -c %u /x; df -k /x | tail -1'])).toMatch(
      /^5\ntmpfs +1024 /,
    );
    expect(await host.succeed(['volume', 'inspect', '-f', '{{.MountCount}}', 'small'])).toBe('2');
    await host.succeed(['stop', 'one']);
    expect(await host.succeed(['exec', 'two', 'cat', '/x/file'])).toBe('kept');
    await host.succeed(['rm', '-f', 'one', 'two']);
    expect(await host.succeed(['unshare', 'ls', `${host.store}/volumes/small/_data`])).toBe('');
    expect(await host.succeed(['volume', 'inspect', '-f', '{{.MountCount}}', 'small'])).toBe('0');
  });

  test('a bind shows a directory of the host, read-only if asked for', async () => {
    await using host = await testHost();
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox'))]);
    await host.writeFile(`${host.user.home}/shown/file`, 'from the host\n');
    await host.succeed(['volume', 'create', '-o', 'type=none', '-o', `device=${host.user.home}/shown`, '-o', 'o=bind,ro', 'view']);
    const { stdout, exitCode } = await host.lichen([
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      'view:/x',
      'busybox',
      'sh',
      '-c',
      'cat /x/file; touch /x/new',
    ]);
    expect({ stdout, exitCode }).toEqual({ stdout: 'from the host\n', exitCode: 1 });
    await host.succeed(['volume', 'rm', 'view']);
    expect(await host.readFile(`${host.user.home}/shown/file`)).toBe('from the host\n');
  });
});
