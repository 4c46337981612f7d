/** A store that somebody damaged by hand (S05, S06), and input that goes for Node itself (J01–J03). One host for all. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Blobs } from '../../storage/blobs.ts';
import { LayerStore } from '../../storage/layer/store.ts';
import { parseReference } from '../../storage/reference.ts';
import { digestFromHex } from '../../core/digest.ts';
import { parseJson } from '../../core/json.ts';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { hostileArchive } from '../fixtures/images/hostile.ts';
import { tarOf } from '../fixtures/tar/build.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';

const OTHER = 'localhost/other:latest';

describe.skipIf(!canMakeImages || !canShapeHosts)('a store', () => {
  let host: TestHost;
  const store = (...parts: string[]) => host.path(join(host.store, ...parts));
  const load = async () => host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('layered'))]);
  const runs = (image: string) => host.lichen(['run', '--rm', '--network', 'none', image, 'echo', 'up']);

  beforeAll(async () => {
    host = await testHost();
    await load();
    // With nothing in common with the image that is damaged.
    const busybox = tarOf([{ path: 'bin', type: 'directory' }]);
    await host.succeed(['load', '--quiet'], { input: await hostileArchive({ reference: OTHER, layers: [busybox] }) });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each<[string, (database: Buffer) => Buffer, RegExp]>([
    ['cut in half', (database) => database.subarray(0, database.length / 2), /./],
    ['full of zeroes', (database) => Buffer.alloc(database.length), /./],
    ['no database', () => Buffer.from('this is no database, and never was one'.repeat(300)), /./],
    // user_version, at byte 60 of the header (fileformat2.html, 1.3).
    [
      'from a newer lichen',
      (database) => Buffer.concat([database.subarray(0, 60), Buffer.of(0, 0, 0x7f, 0), database.subarray(64)]),
      /newer/,
    ],
  ])('S05: whose database is %s is refused and left as it is', async (_, damage, message) => {
    const files = ['db.sqlite', 'db.sqlite-wal', 'db.sqlite-shm'].filter((name) => existsSync(store(name)));
    const database = wholeDatabase();
    for (const name of files) renameSync(store(name), store(`${name}.kept`));
    try {
      const damaged = damage(database);
      await host.writeFile(join(host.store, 'db.sqlite'), damaged, 0o600);
      for (const verb of [['images'], ['run', '--rm', OTHER, 'true'], ['rmi', OTHER]]) {
        const { exitCode, stderr } = await host.lichen(verb);
        expect(exitCode).toBe(125);
        expect(stderr).toMatch(/^Error: /);
        expect(stderr).toMatch(message);
        expect(stderr).not.toMatch(/\n\s+at /);
      }
      expect(readFileSync(store('db.sqlite')).equals(damaged)).toBe(true);
    } finally {
      for (const suffix of ['', '-wal', '-shm']) rmSync(store(`db.sqlite${suffix}`), { force: true });
      for (const name of files) renameSync(store(`${name}.kept`), store(name));
    }
    expect(await runs(OTHER)).toMatchObject({ exitCode: 0 });
  });

  /** With what the write-ahead log still holds. */
  function wholeDatabase(): Buffer {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'lichen-damage-'));
    const path = join(directory.path, 'db.sqlite');
    for (const suffix of ['', '-wal'])
      if (existsSync(store(`db.sqlite${suffix}`))) copyFileSync(store(`db.sqlite${suffix}`), path + suffix);
    const db = new DatabaseSync(path);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    return readFileSync(path);
  }

  test('S05: one of whose layers was removed by hand names it; other images run, the image can be removed and comes back', async () => {
    const layers: string[] = JSON.parse(
      await host.succeed(['image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'localhost/layered']),
    );
    rmSync(store('layers', layers[2]!.slice(7)), { recursive: true });
    const broken = await runs('localhost/layered');
    expect(broken.exitCode).toBeGreaterThanOrEqual(125);
    expect(broken.stderr).toContain(layers[2]!);
    expect(await runs(OTHER)).toMatchObject({ exitCode: 0, stdout: 'up\n' });
    expect(await host.lichen(['images'])).toMatchObject({ exitCode: 0 });
    await host.succeed(['rmi', '--force', 'localhost/layered']);
    await load();
    expect(await runs('localhost/layered')).toMatchObject({ exitCode: 0, stdout: 'up\n' });
  });

  test('S05: that belongs to somebody else is refused', async () => {
    await host.asRoot(['chown', '0:0', host.store]);
    try {
      expect(await host.lichen(['images'])).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('Error: ') });
    } finally {
      await host.asRoot(['chown', `${host.user.uid}:${host.user.uid}`, host.store]);
    }
  });

  test('S06: a flipped byte in a layer, a manifest or a config is found when the store is verified', async () => {
    const layers = new LayerStore(store());
    const blobs = new Blobs({ directory: store('blobs'), staging: store('tmp') });
    const layer = layers.list().find((each) => readdirSync(layers.tree(each)).includes('data'))!;
    const blob = digestFromHex(readdirSync(store('blobs/sha256'))[0]!);
    expect([await layers.verify(layer), await blobs.verify(blob)]).toEqual([true, true]);
    const file = join(
      layers.tree(layer),
      'data',
      readdirSync(join(layers.tree(layer), 'data')).find((name) => name === 'kept' || name === 'replaced')!,
    );
    for (const path of [file, blobs.path(blob)]) {
      const bytes = readFileSync(path);
      bytes[0]! ^= 1;
      writeFileSync(path, bytes);
    }
    expect([await layers.verify(layer), await blobs.verify(blob)]).toEqual([false, false]);
  });

  test('J02: NODE_OPTIONS, NODE_PATH, and what lies in the working directory are not loaded; helpers there are not run', async () => {
    const trap = `${host.user.home}/trap`;
    const marker = `${trap}/ran`;
    await host.writeFile(`${trap}/evil.cjs`, `require('fs').writeFileSync('${marker}', 'x')`);
    await host.writeFile(`${trap}/node_modules/koffi/index.js`, `require('fs').writeFileSync('${marker}', 'x')`);
    await host.writeFile(`${trap}/.npmrc`, 'node-options=--require ./evil.cjs\n');
    await host.writeFile(`${trap}/package.json`, '{"type":"module"}');
    for (const helper of ['crun', 'conmon', 'newuidmap', 'nsenter', 'node', 'pasta']) {
      await host.writeFile(`${trap}/${helper}`, `#!/bin/sh\n: > ${marker}\nexit 1\n`);
      chmodSync(host.path(`${trap}/${helper}`), 0o755);
    }
    const env = { NODE_OPTIONS: `--require ${trap}/evil.cjs`, NODE_PATH: `${trap}/node_modules`, PATH: `.::${process.env['PATH']}` };
    const { exitCode, stdout, stderr } = await host.lichen(['run', '--rm', OTHER, 'echo', 'up'], { cwd: trap, env });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'up\n', stderr: '' });
    expect((await host.run(['ls', trap])).stdout).not.toContain('ran');
  });

  test('J03: names that are no UTF-8 keep their bytes from the layer to the container and into a volume', async () => {
    const name = Buffer.from([0x64, 0x61, 0x74, 0x61, 0x2f, 0xff, 0xfe, 0x80]);
    const layer = tarOf([
      { path: 'data', type: 'directory' },
      { path: name, body: 'bytes' },
    ]);
    const image = { reference: 'localhost/bytes', layers: [layer], config: { Env: ['PATH=/bin'], Volumes: { '/data': {} } } };
    await host.succeed(['load', '--quiet'], { input: await hostileArchive(image) });
    const show = ['sh', '-c', 'cat /data/*; cd /data; echo * | od -An -tx1'];
    for (const flags of [
      ['--image-volume', 'ignore'],
      ['--image-volume', 'anonymous'],
    ])
      expect(await host.succeed(['run', '--rm', '--network', 'none', ...flags, 'localhost/bytes', ...show])).toMatch(
        /^bytes ff fe 80 0a\s*$/,
      );
  });
});

test('J01: keys of prototypes, numbers beyond 2^53 and lone surrogates are only data', () => {
  const parsed = parseJson(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":"\\ud800","n":9007199254740993}',
    'x',
  );
  expect(Object.keys(parsed as object)).toEqual(['__proto__', 'constructor', 'a', 'n']);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
});

test('J01: references and long texts are read in linear time', () => {
  const duration = (length: number) => {
    const texts = ['a-'.repeat(length), 'a/'.repeat(length), `x:${'a.'.repeat(length)}`, '_'.repeat(length), `[${':'.repeat(length)}`];
    const before = performance.now();
    for (const text of texts) expect(() => parseReference(`${text}!`)).toThrow();
    return performance.now() - before;
  };
  // A quadratic reader would need 10^12 steps.
  expect(duration(1_000_000)).toBeLessThan(10_000);
});
