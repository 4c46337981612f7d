import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { canMakeImages, builtFixture, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';

const ids = async (host: TestHost) =>
  (await host.succeed(['images', '--quiet', '--all', '--no-trunc'])).split('\n').filter((id) => id !== '');

describe.skipIf(!canMakeImages)('load', () => {
  test('a docker-archive and an OCI archive of one image are one image, under the names they give', async () => {
    await using host = await testHost();
    const docker = host.fixture(await fixturePath('busybox'));
    const oci = host.fixture(await fixturePath('busybox', 'oci-archive'));
    const first = await host.lichen(['load', '--input', docker]);
    const { config, diffIds } = await builtFixture('busybox');
    expect(first.stdout).toBe('Loaded image: localhost/busybox:latest\n');
    expect(first.stderr).toBe(
      `Getting image source signatures\nCopying blob ${diffIds[0]}\nCopying config ${config.digest}\nWriting manifest to image destination\n`,
    );
    expect(await host.lichen(['load', '-q', '-i', oci])).toMatchObject({ stdout: 'Loaded image: localhost/busybox:latest\n', stderr: '' });
    expect(await ids(host)).toEqual([config.digest]);
    expect(readdirSync(host.path(`${host.store}/blobs/sha256`))).toHaveLength(2);
  });

  test('an archive may come through a pipe', async () => {
    await using host = await testHost();
    const archive = await readFile(await fixturePath('configured'));
    const { stdout } = await host.lichen(['load', '-q'], { input: archive });
    expect(stdout).toBe('Loaded image: localhost/configured:v1\n');
  });

  test('what is no archive is refused with the reason for each kind', async () => {
    await using host = await testHost();
    const garbage = await host.lichen(['load', '-i', '/etc/passwd']);
    expect(garbage).toMatchObject({ stdout: '', exitCode: 125 });
    expect(garbage.stderr).toMatch(
      /^Error: payload does not match any of the supported image formats:\n \* oci: open \/etc\/passwd\/index.json: not a directory\n \* oci-archive: .*\n \* docker-archive: loading tar component "manifest.json": archive\/tar: invalid tar header\n \* dir: open \/etc\/passwd\/manifest.json: not a directory\n$/,
    );
    expect(await host.lichen(['load', '-i', '/no/such'])).toMatchObject({
      stderr: 'Error: faccessat /no/such: no such file or directory\n',
      exitCode: 125,
    });
    expect(await ids(host)).toEqual([]);
  });

  test('an image with a damaged layer leaves nothing behind', async () => {
    await using host = await testHost();
    const archive = await readFile(await fixturePath('layered'));
    const at = archive.indexOf('the epoch of this project');
    expect(at).toBeGreaterThan(0);
    archive.write('THE', at);
    const { stderr, exitCode } = await host.lichen(['load'], { input: archive });
    expect(exitCode).toBe(125);
    expect(stderr).toContain('Error: ');
    expect(await ids(host)).toEqual([]);
    await host.succeed(['image', 'prune', '--force']);
    expect(readdirSync(host.path(`${host.store}/layers/l`))).toEqual([]);
  });

  test('a load that is killed while it reads its input leaves no image, and its staging is healed', async () => {
    await using host = await testHost();
    const archive = await readFile(await fixturePath('busybox'));
    await using load = host.spawnLichen(['load']);
    load.write(archive.subarray(0, archive.length / 2));
    await expect.poll(() => stagingOf(host).length, { timeout: 10_000 }).toBeGreaterThan(0);
    load.signal('SIGKILL');
    await load.finish();
    expect(stagingOf(host)).not.toEqual([]);
    expect(await ids(host)).toEqual([]);
    await host.succeed(['image', 'prune', '--force']);
    expect(stagingOf(host)).toEqual([]);
    await host.succeed(['load', '-i', host.fixture(await fixturePath('busybox'))]);
    expect(await host.succeed(['image', 'exists', 'busybox'])).toBe('');
  });

  test('killed at any moment, an image is there whole or not at all', async () => {
    await using host = await testHost();
    const archive = host.fixture(await fixturePath('layered'));
    await host.succeed(['images']);
    for (const delayMs of [35, 50, 60, 70, 80, 90, 110]) {
      await using load = host.spawnLichen(['load', '-i', archive]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      load.signal('SIGKILL');
      await load.finish();
      for (const id of await ids(host)) await expectWhole(host, id);
      await host.succeed(['rmi', '--all', '--force']);
    }
    await host.succeed(['load', '-i', archive]);
    expect(await ids(host)).toHaveLength(1);
  });

  test('loads and removals side by side leave whole images only', async () => {
    await using host = await testHost();
    const [busybox, configured] = [host.fixture(await fixturePath('busybox')), host.fixture(await fixturePath('configured'))];
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        host.lichen(['load', '-q', '-i', busybox]),
        host.lichen(['rmi', '--force', 'configured']),
        host.lichen(['load', '-q', '-i', configured]),
        host.lichen(['rmi', '--force', 'busybox']),
        host.lichen(['image', 'prune', '--force']),
      ]);
      for (const id of await ids(host)) await expectWhole(host, id);
    }
  });
});

/** Every layer and document of the image is in the store. */
async function expectWhole(host: TestHost, id: string): Promise<void> {
  const format = '{{.GraphDriver.Data.UpperDir}}:{{index .GraphDriver.Data "LowerDir"}}';
  const directories = await host.succeed(['image', 'inspect', '--format', format, id]);
  for (const directory of directories.split(':').filter((path) => path.startsWith('/'))) {
    expect(readdirSync(host.path(directory)).length, directory).toBeGreaterThan(0);
  }
}

function stagingOf(host: TestHost): readonly string[] {
  try {
    return readdirSync(host.path(`${host.store}/tmp`));
  } catch {
    return [];
  }
}
