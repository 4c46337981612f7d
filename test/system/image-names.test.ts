import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath, type ImageName } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';

async function hostWith(...names: readonly ImageName[]): Promise<TestHost> {
  const host = await testHost();
  for (const name of names) await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath(name))]);
  return host;
}

describe.skipIf(!canMakeImages)('images', () => {
  test('a row for each name, the last one given first, the newest image on top', async () => {
    await using host = await hostWith('busybox');
    await host.succeed(['tag', 'busybox', 'second', 'team/third:v1']);
    const { config } = await builtFixture('busybox');
    const id = config.digest.slice(7, 19);
    const rows = (await host.succeed(['images', '--format', '{{.Repository}} {{.Tag}} {{.ID}}'])).split('\n');
    expect(rows).toEqual([`localhost/team/third v1 ${id}`, `localhost/second latest ${id}`, `localhost/busybox latest ${id}`]);
    expect(await host.succeed(['images', '-q'])).toBe(id);
    expect(await host.succeed(['images', '-q', '--no-trunc'])).toBe(config.digest);
    expect((await host.succeed(['images'])).split('\n')[0]).toBe('REPOSITORY            TAG         IMAGE ID      CREATED        SIZE');
  });

  test('filters choose images, of one key any, of several all', async () => {
    await using host = await hostWith('busybox', 'configured', 'empty');
    const names = async (...filters: string[]) => {
      const shown = await host.succeed([
        'images',
        '--noheading',
        '--format',
        '{{.Repository}}',
        ...filters.flatMap((filter) => ['--filter', filter]),
      ]);
      return shown
        .split('\n')
        .map((name) => name.replace('localhost/', ''))
        .toSorted();
    };
    expect(await names('label=org.example.role')).toEqual(['configured']);
    expect(await names('label!=org.example.role')).toEqual(['busybox', 'empty']);
    expect(await names('label=org.example.role=other')).toEqual(['']);
    expect(await names('reference=bus*', 'reference=empty')).toEqual(['busybox', 'empty']);
    expect(await names('reference=localhost/*:v1')).toEqual(['configured']);
    expect(await names('reference=busybox', 'label=org.example.role')).toEqual(['']);
    expect(await names('dangling=true')).toEqual(['']);
    expect(await names('containers=false')).toHaveLength(3);
    expect(await names('until=1h')).toHaveLength(3);
    await host.succeed(['create', 'busybox', 'true']);
    expect(await names('containers=true')).toEqual(['busybox']);
    await host.succeed(['rm', '--all']);
  });

  test.each([
    [['images', '--filter', 'foo=bar'], 'invalid image filter "foo": must be in the format "filter=value or filter!=value"'],
    [['images', '--filter', 'before=nosuch'], 'could not find local image for filter "before"="nosuch": nosuch: image not known'],
    [['images', '--filter', 'until=x'], 'failed to parse value as time or duration: "x"'],
    [['tag', 'nosuch', 'x'], 'nosuch: image not known'],
    [['untag', 'nosuch'], 'nosuch: image not known'],
    [['image', 'inspect', 'nosuch'], 'nosuch: image not known'],
    [['pull', 'UPPER/case'], 'Invalid image name "UPPER/case", expected colon-separated transport:reference'],
    [['pull', '--policy', 'bogus', 'x'], 'unsupported pull policy "bogus"'],
    [['pull', '--policy', 'never', 'localhost/nosuch'], 'localhost/nosuch: image not known'],
    [['import', '/no/such'], 'error opening "/no/such": open /no/such: no such file or directory'],
  ])('%j: %s', async (args, message) => {
    await using host = await testHost();
    expect(await host.lichen(args)).toMatchObject({ stderr: `Error: ${message}\n`, exitCode: 125 });
  });
});

describe.skipIf(!canMakeImages)('rmi', () => {
  test('of several names only the one given goes, and with the last the image and what nothing else needs', async () => {
    await using host = await hostWith('busybox', 'configured');
    const { config, diffIds } = await builtFixture('configured');
    await host.succeed(['tag', 'configured:v1', 'other']);
    expect(await host.succeed(['rmi', 'other'])).toBe('Untagged: localhost/other:latest');
    expect(await host.succeed(['rmi', 'configured:v1'])).toBe(`Untagged: localhost/configured:v1\nDeleted: ${config.digest.slice(7)}`);
    const layers = readdirSync(host.path(`${host.store}/layers`));
    expect(layers).toContain(diffIds[0]!.slice(7));
    expect(layers).not.toContain(diffIds[1]!.slice(7));
    expect(await host.succeed(['rmi', '--all'])).toContain('Untagged: localhost/busybox:latest\nDeleted: ');
    expect(readdirSync(host.path(`${host.store}/layers/l`))).toEqual([]);
    expect(readdirSync(host.path(`${host.store}/blobs/sha256`))).toEqual([]);
  });

  test('an image with several names is not removed by its id without force', async () => {
    await using host = await hostWith('busybox');
    await host.succeed(['tag', 'busybox', 'other']);
    const id = await host.succeed(['images', '-q', '--no-trunc']);
    const refused = await host.lichen(['rmi', id]);
    expect(refused).toMatchObject({ exitCode: 125 });
    expect(refused.stderr).toContain(
      'by ID with more than one tag ([localhost/other:latest localhost/busybox:latest]): please force removal',
    );
    expect(await host.succeed(['rmi', '--force', id])).toBe(
      `Untagged: localhost/other:latest\nUntagged: localhost/busybox:latest\nDeleted: ${id.slice(7)}`,
    );
  });

  test('nameless parents go with the last image that is built on them, unless --no-prune', async () => {
    await using host = await hostWith('busybox');
    await host.succeed(['create', '--name', 'c', 'busybox', 'true']);
    const [first, second] = [await host.succeed(['commit', '-q', 'c', 'first']), await host.succeed(['commit', '-q', 'c', 'second'])];
    await host.succeed(['rm', 'c']);
    await host.succeed(['untag', 'busybox']);
    const parent = (await builtFixture('busybox')).config.digest.slice(7);
    const left = async () => (await host.succeed(['images', '-aq', '--no-trunc'])).split('\n').toSorted();
    expect(await left()).toEqual([first, second, parent].map((id) => `sha256:${id}`).toSorted());
    expect(await host.succeed(['rmi', 'first'])).toBe(`Untagged: localhost/first:latest\nDeleted: ${first}`);
    await host.succeed(['tag', second, 'third']);
    expect(await host.succeed(['rmi', '--no-prune', 'second', 'third'])).toContain(`Deleted: ${second}`);
    expect(await left()).toEqual([`sha256:${parent}`]);
    expect(await host.succeed(['image', 'prune', '--force', '--external'])).toBe(parent);
  });

  test('an image in use stays, with force its containers go first', async () => {
    await using host = await hostWith('busybox');
    const container = await host.succeed(['create', 'busybox', 'true']);
    const refused = await host.lichen(['rmi', 'busybox']);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(
      `Error: image used by ${container}: image is in use by a container: consider listing external containers and force-removing image\n`,
    );
    await host.succeed(['rmi', '-f', 'busybox']);
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('unknown names are exit status 1, or nothing with --ignore or --force; what is known is removed', async () => {
    await using host = await hostWith('busybox');
    expect(await host.lichen(['rmi', 'nosuch'])).toMatchObject({ stderr: 'Error: nosuch: image not known\n', exitCode: 1 });
    expect(await host.lichen(['rmi', '--ignore', 'nosuch'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect(await host.lichen(['rmi', '--force', 'nosuch'])).toMatchObject({ exitCode: 0 });
    const mixed = await host.lichen(['rmi', 'nosuch', 'busybox', 'nosuch2']);
    expect(mixed).toMatchObject({
      stderr: 'Error: 2 errors occurred:\n\t* nosuch: image not known\n\t* nosuch2: image not known\n',
      exitCode: 1,
    });
    expect(mixed.stdout).toContain('Untagged: localhost/busybox:latest\n');
  });

  test('a removal that is killed is finished by the next one', async () => {
    await using host = await hostWith('layered');
    for (const delayMs of [40, 50, 55, 60, 65, 75]) {
      await using removal = host.spawnLichen(['rmi', 'layered']);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      removal.signal('SIGKILL');
      await removal.finish();
      if ((await host.lichen(['image', 'exists', 'layered'])).exitCode === 0) {
        expect(await host.succeed(['run', '--rm', '--network', 'none', 'layered', 'cat', '/data/kept'])).toBe('lower');
      } else await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('layered'))]);
    }
    await host.succeed(['rmi', '-a']);
    expect(readdirSync(host.path(`${host.store}/layers/l`))).toEqual([]);
  });

  test('untagged images are dangling, and prune takes only those unless all are asked for', async () => {
    await using host = await hostWith('busybox', 'empty');
    await host.succeed(['untag', 'empty']);
    expect(await host.succeed(['images', '--noheading', '--filter', 'dangling=true', '--format', '{{.Repository}}:{{.Tag}}'])).toBe(
      '<none>:<none>',
    );
    expect(await host.succeed(['image', 'prune', '-f'])).toBe((await builtFixture('empty')).config.digest.slice(7));
    await host.succeed(['create', '--name', 'user', 'busybox', 'true']);
    expect(await host.succeed(['image', 'prune', '-af'])).toBe('');
    await host.succeed(['rm', 'user']);
    expect(await host.lichen(['image', 'prune', '-a'], { input: 'n\n' })).toMatchObject({
      stdout:
        'WARNING! This command removes all images without at least one container associated with them.\nAre you sure you want to continue? [y/N] ',
      exitCode: 0,
    });
    await host.lichen(['image', 'prune', '-a'], { input: 'y\n' });
    expect(await host.succeed(['images', '-aq'])).toBe('');
  });
});

describe.skipIf(!canMakeImages)('import', () => {
  test('a tar becomes an image of one layer that runs', async () => {
    await using host = await hostWith('busybox');
    const built = await builtFixture('busybox');
    const tar = await host.run([
      '/bin/sh',
      '-c',
      `tar -xOf "$1" "$(tar -tf "$1" | grep layer.tar || tar -tf "$1" | grep -m1 ${built.diffIds[0]!.slice(7)})" > layer.tar`,
      'x',
      host.fixture(await fixturePath('busybox')),
    ]);
    expect(tar.exitCode).toBe(0);
    const imported = await host.lichen(['import', '-m', 'by hand', '-c', 'CMD ["echo", "hi there"]', 'layer.tar', 'made:1']);
    expect(imported.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await host.succeed(['run', '--rm', '--network', 'none', 'made:1'])).toBe('hi there');
    expect(await host.succeed(['image', 'inspect', '-f', '{{.Comment}} {{.Architecture}} {{.RepoTags}}', 'made:1'])).toBe(
      `by hand ${process.arch === 'x64' ? 'amd64' : process.arch} [localhost/made:1]`,
    );
    expect(await host.lichen(['import', '-q', '-c', 'FOO bar', 'layer.tar'])).toMatchObject({
      stderr: 'Error: invalid change "FOO bar" - invalid instruction FOO\n',
      exitCode: 125,
    });
  });
});
