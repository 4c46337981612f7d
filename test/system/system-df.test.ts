/** `system df`, and the rule by which it agrees with du(1) (libpod/system/df.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canMakeImages } from '../fixtures/build/images.ts';
import type { TestHost } from '../host/host.ts';
import { loadedHost } from '../host/loaded.ts';

interface Row {
  readonly Type: string;
  readonly TotalCount: number;
  readonly Active: number;
  readonly RawSize: number;
  readonly RawReclaimable: number;
}

describe.skipIf(!canMakeImages)('system df', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'empty']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const rows = async (): Promise<readonly Row[]> => JSON.parse(await host.succeed(['system', 'df', '--format', 'json'])) as Row[];

  /** Bytes of the files and links below a directory of the store, each file once, as the store's own user sees them. */
  async function bytesBelow(path: string): Promise<number> {
    const script = 'find "$1" \\( -type f -o -type l \\) -printf "%i %s\\n" | sort -u | awk \'{ sum += $2 } END { print sum + 0 }\'';
    return Number(await host.succeed(['unshare', 'sh', '-c', script, 'sh', path]));
  }

  test('layers that images share count once, and what no container needs can be reclaimed', async () => {
    const [images] = await rows();
    const sizes = (await host.succeed(['images', '--format', '{{.ID}} {{.VirtualSize}}']))
      .split('\n')
      .map((line) => Number(line.split(' ')[1]));
    const base = 2_130_944;
    expect(images).toMatchObject({ TotalCount: 3, Active: 0, RawSize: sizes.reduce((sum, size) => sum + size) - base });
    expect(images!.RawReclaimable).toBe(images!.RawSize);
    await host.succeed(['create', '--name', 'one', 'busybox']);
    const [used] = await rows();
    // busybox stays, and with it the layer that is most of the other.
    expect(used).toMatchObject({ Active: 1, RawSize: images!.RawSize });
    expect(used!.RawReclaimable).toBe(images!.RawSize - sizes.find((size) => size > base && size < base + 5000)!);
    const verbose = (await host.succeed(['system', 'df', '--verbose'])).split('\n').map((line) => line.split(/ {2,}/));
    expect(verbose).toContainEqual(expect.arrayContaining(['localhost/layered', '2.164MB', '2.131MB', '33.32kB', '0']));
    expect(verbose).toContainEqual(expect.arrayContaining(['localhost/busybox', '2.132MB', '2.131MB', '1.216kB', '1']));
    await host.succeed(['rm', 'one']);
    await host.succeed(['rmi', 'busybox']);
    const [without] = await rows();
    expect(without!.RawSize).toBeLessThan(images!.RawSize);
  });

  test('images agree with du: their files, at most 2 KiB more for each entry, and 20 KiB for each layer', async () => {
    const layers = host.path(join(host.store, 'layers'));
    const names = readdirSync(layers).filter((name) => /^[0-9a-f]{64}$/.test(name));
    let [least, most] = [0, 0];
    for (const name of names) {
      const { entries } = JSON.parse(readFileSync(join(layers, name, 'layer.json'), 'utf8')) as { entries: number };
      const bytes = await bytesBelow(`${host.store}/layers/${name}/diff`);
      most += bytes + entries * 2048 + 20 * 1024;
      least += bytes - entries * 256;
    }
    const documents = await bytesBelow(`${host.store}/blobs`);
    const [images] = await rows();
    expect(images!.RawSize).toBeGreaterThanOrEqual(least);
    expect(images!.RawSize).toBeLessThanOrEqual(most + 2 * documents);
  });

  test('containers and volumes are the sum of their files', async () => {
    await host.succeed([
      'run',
      '--name',
      'two',
      '--network',
      'none',
      '-v',
      'data:/data',
      'layered',
      'sh',
      '-c',
      'echo hallo > /data/f; echo 1234567890 > /x',
    ]);
    await host.succeed(['volume', 'create', 'idle']);
    const id = await host.succeed(['ps', '-aq', '--no-trunc']);
    const [, containers, volumes] = await rows();
    expect(containers).toMatchObject({ TotalCount: 1, Active: 0, RawSize: await bytesBelow(`${host.store}/containers/${id}/upper`) });
    expect(containers!.RawReclaimable).toBe(containers!.RawSize);
    expect(volumes).toMatchObject({ TotalCount: 2, Active: 1, RawSize: await bytesBelow(`${host.store}/volumes`), RawReclaimable: 0 });
    expect(await host.succeed(['system', 'df', '--format', 'table {{.Type}}\\t{{.Total}}'])).toBe(
      'TYPE           TOTAL\nImages         2\nContainers     1\nLocal Volumes  2',
    );
    await host.succeed(['rm', '--all', '--volumes']);
    await host.succeed(['volume', 'rm', 'data', 'idle']);
  });

  test('cache mounts of builds are listed as long as there are any', async () => {
    const cwd = `${host.user.home}/cached`;
    const mount = (id: string) => `--mount=type=cache,id=${id},target=/cache`;
    await host.writeFile(
      `${cwd}/Containerfile`,
      `FROM localhost/layered\nRUN ${mount('one')} echo 12345 >/cache/f\nRUN ${mount('"a\tb"')} echo 1 >/cache/f\n`,
    );
    await host.succeed(['build', '-q', '--network', 'none', cwd]);
    expect((await rows())[3]).toEqual(
      expect.objectContaining({ Type: 'Build Cache', TotalCount: 2, Active: 0, RawSize: 8, RawReclaimable: 8 }),
    );
    const listed = (await host.succeed(['system', 'df', '--verbose'])).split('Build cache space usage:\n\n')[1]!;
    expect(listed.split('\n').map((line) => line.split(/ {2,}/))).toEqual(
      expect.arrayContaining([
        ['CACHE ID', 'IN USE', 'SIZE'],
        ['one', 'false', '6B'],
        ['a b', 'false', '2B'],
      ]),
    );
    await host.succeed(['image', 'prune', '--force', '--build-cache']);
    expect(await rows()).toHaveLength(3);
  });

  test.each([
    [['-v', '--format', 'json'], 'cannot combine --format and --verbose flags'],
    [['x'], '`lichen system df` takes no arguments'],
  ])('%j is refused', async (flags, message) => {
    expect(await host.lichen(['system', 'df', ...flags])).toMatchObject({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 });
  });
});
