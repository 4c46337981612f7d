/** `history`, `image tree` and `diff`: what images and containers are made of. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages } from '../fixtures/build/images.ts';
import type { TestHost } from '../host/host.ts';
import { loadedHost, removeNow } from '../host/loaded.ts';

describe.skipIf(!canMakeImages)('looking at images', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'empty']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const lines = async (...args: string[]) => (await host.succeed(args)).split('\n');
  const idOf = async (name: 'busybox' | 'layered') => (await builtFixture(name)).config.digest.slice('sha256:'.length);

  test.each([['history'], ['image', 'history']])(
    '%s %s shows each step, with the id of the image that ends with its layer',
    async (...words) => {
      const [busybox, layered] = [await idOf('busybox'), await idOf('layered')];
      const shown = await lines(
        ...words.filter((word) => word !== undefined),
        '--format',
        '{{.ID}} {{.CreatedBy}} {{.Size}} {{.Tags}}',
        'layered',
      );
      expect(shown).toEqual([
        `${layered.slice(0, 12)} fixture layer 4 15.4kB [localhost/layered:latest]`,
        '<missing> fixture layer 3 6.14kB []',
        '<missing> fixture layer 2 9.22kB []',
        `${busybox.slice(0, 12)} fixture layer 1 2.13MB [localhost/busybox:latest]`,
      ]);
    },
  );

  test('history as table, ids, times and JSON', async () => {
    const layered = await idOf('layered');
    expect((await lines('history', 'layered'))[0]).toMatch(/^ID {12}CREATED {2,}CREATED BY {2,}SIZE {2,}COMMENT$/);
    expect((await lines('history', '-q', '--no-trunc', 'layered'))[0]).toBe(layered);
    expect(await lines('history', '--human=false', '--format', '{{.Created}} {{.CreatedAt}}', 'busybox')).toEqual([
      '2026-01-01T00:00:00Z 2026-01-01T00:00:00Z',
    ]);
    const documents = JSON.parse(await host.succeed(['history', '--format', 'json', 'layered'])) as { id: string; size: number }[];
    expect(documents[0]).toEqual({
      id: layered,
      created: '2026-01-01T00:00:00Z',
      CreatedBy: 'fixture layer 4',
      tags: ['localhost/layered:latest'],
      size: 15360,
      Created: '2026-01-01T00:00:00Z',
    });
    expect(await lines('history', 'empty')).toHaveLength(1);
  });

  test('image tree shows the layers, and what is built on an image', async () => {
    const [busybox, layered] = [await idOf('busybox'), await idOf('layered')];
    const base = (await builtFixture('busybox')).diffIds[0]!.slice(7, 19);
    expect(await host.succeed(['image', 'tree', 'layered'])).toMatch(
      new RegExp(
        `^Image ID: ${layered.slice(0, 12)}\nTags:     \\[localhost/layered:latest\\]\nSize:     2\\.164MB\nImage Layers\n` +
          `├── ID: ${base} Size: 2\\.131MB Top Layer of: \\[localhost/busybox:latest\\]\n├── ID: [0-9a-f]{12} Size: 9\\.216kB\n` +
          `├── ID: [0-9a-f]{12} Size: 6\\.144kB\n└── ID: [0-9a-f]{12} Size: 15\\.36kB Top Layer of: \\[localhost/layered:latest\\]\n$`,
      ),
    );
    const required = await lines('image', 'tree', '--whatrequires', 'busybox');
    expect(required[0]).toBe(`Image ID: ${busybox.slice(0, 12)}`);
    expect(required.at(-2)).toMatch(/^└── ID: [0-9a-f]{12} Size: 15\.36kB Top Layer of: \[localhost\/layered:latest\]$/);
    expect(await lines('image', 'tree', 'empty')).toContain('No Image Layers');
  });

  test('diff of an image is what its topmost layer brings', async () => {
    const changes = await lines('diff', 'layered');
    expect(changes).toEqual(await lines('image', 'diff', 'layered'));
    expect(changes).toContain('A /odd/ümläut and space');
    expect(changes.filter((line) => !line.startsWith('A /odd'))).toEqual([]);
    // What a start puts into every container is left out.
    const whole = await lines('diff', 'busybox');
    expect(whole).toContain('A /etc/passwd');
    expect(whole).not.toContain('A /proc');
  });

  test('diff between two images tells what the first has, changes and lacks', async () => {
    expect(await lines('diff', 'busybox', 'layered')).toEqual(['D /data', 'D /odd']);
    const other = await lines('image', 'diff', 'layered', 'busybox');
    expect(other).toEqual(expect.arrayContaining(['A /data', 'A /data/kept', 'A /odd/fifo']));
    expect(other).not.toContain('A /data/removed');
    expect(JSON.parse(await host.succeed(['diff', '--format', 'json', 'busybox', 'layered']))).toEqual({ deleted: ['/data', '/odd'] });
  });

  test('diff of a container is what it wrote, running or not', async () => {
    await host.succeed([
      'run',
      '-d',
      '--name',
      'writer',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'touch /new; rm /bin/vi; echo x >> /etc/group; sleep 1000',
    ]);
    await expect.poll(() => lines('diff', 'writer')).toEqual(['C /bin', 'D /bin/vi', 'C /etc', 'C /etc/group', 'A /new']);
    expect(await lines('diff', '--latest')).toEqual(await lines('container', 'diff', 'writer'));
    await host.succeed(['stop', '--time', '0', 'writer']);
    expect(JSON.parse(await host.succeed(['diff', '--format', 'json', 'writer']))).toEqual({
      changed: ['/bin', '/etc', '/etc/group'],
      added: ['/new'],
      deleted: ['/bin/vi'],
    });
    await host.succeed(['create', '--name', 'idle', 'layered']);
    expect(await host.succeed(['diff', 'idle'])).toBe('');
    expect(await lines('container', 'diff', 'idle', 'writer')).toEqual(
      expect.arrayContaining(['C /bin', 'A /bin/vi', 'C /etc/group', 'A /data', 'D /new']),
    );
    expect(await lines('diff', 'writer', 'busybox')).toEqual(['C /bin', 'D /bin/vi', 'C /etc', 'C /etc/group', 'A /new']);
    await removeNow(host, 'writer', 'idle');
  });

  test.each([
    [['history', 'nosuch'], 'nosuch: image not known'],
    [['history'], 'accepts 1 arg(s), received 0'],
    [['image', 'history', 'a', 'b'], 'accepts 1 arg(s), received 2'],
    [['history', '--format', '{{.Nope}}', 'busybox'], expect.stringContaining("can't evaluate field Nope")],
    [['image', 'tree', 'nosuch'], 'nosuch: image not known'],
    [['image', 'tree'], 'accepts 1 arg(s), received 0'],
    [['diff', 'nosuch'], 'nosuch not found: layer not known'],
    [['diff', 'busybox', 'nosuch'], 'nosuch not found: layer not known'],
    [['image', 'diff', 'nosuch'], 'nosuch not found: nosuch: image not known'],
    [['container', 'diff', 'busybox'], 'busybox not found: container not known'],
    [['diff', '--format', 'table', 'layered'], "only supported value for '--format' is 'json'"],
    [['diff'], '"lichen diff" requires a name, id, or the "--latest" flag'],
    [['diff', 'a', 'b', 'c'], 'accepts between 1 and 2 arg(s), received 3'],
    [['diff', '-l'], 'unable to get latest container: no such container'],
    [['container', 'diff', '-l', 'x'], '--latest and containers cannot be used together'],
    [['image', 'diff'], 'accepts between 1 and 2 arg(s), received 0'],
    [['image', 'diff', 'empty'], 'layer not known'],
    [['images', 'busybox', '--filter', 'id=0'], 'cannot specify an image and a filter(s)'],
    [['images', '--filter', 'containers=maybe'], 'unsupported value "maybe" for containers filter'],
    [
      ['image', 'prune', '-f', '--filter', 'containers=true'],
      'specifying "containers" filter more than once with different values is not supported',
    ],
  ])('%j is refused', async (args, message) => {
    const { stdout, stderr, exitCode } = await host.lichen(args);
    expect({ stdout, message: stderr.replace(/^Error: |\n$/g, ''), exitCode }).toEqual({ stdout: '', message, exitCode: 125 });
  });
});
