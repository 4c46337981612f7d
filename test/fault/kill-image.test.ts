/** kill -9 of what changes images (S01, S04, G01): whole or not there, nothing leaked, and disk and rows agree. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { makeImage } from '../fixtures/images/image.ts';
import { serveImage, type Served } from '../fixtures/images/server.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { killMany, type Victim } from './killing.ts';
import { queryStore } from './remains.ts';

const TIMEOUT_MS = 300_000;
/** Incompressible enough that a pull takes its time in each layer. */
const image = makeImage(Array.from({ length: 4 }, (_, index) => Buffer.alloc(400_000, `layer ${index} `)));

describe.skipIf(!canMakeImages)('killed', () => {
  let host: TestHost;
  let served: Served;
  let archive: string;
  const reference = () => `${served.host}/team/app`;
  const pull = () => ['pull', '--quiet', '--tls-verify=false', reference()];
  const load = () => ['load', '--quiet', '--input', archive];

  beforeAll(async () => {
    served = await serveImage(image);
    host = await testHost();
    archive = host.fixture(await fixturePath('layered'));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
  });

  const clear = async () => {
    await host.succeed(['rmi', '--all', '--force']);
  };
  const both = async () => {
    await host.succeed(pull());
    await host.succeed(load());
  };
  const VICTIMS: readonly (readonly [string, () => Victim])[] = [
    ['pull', () => ({ argv: pull(), kills: 6, prepare: clear, check: isSound })],
    ['load', () => ({ argv: load(), kills: 6, prepare: clear, check: isSound })],
    ['rmi', () => ({ argv: ['rmi', '--force', '--all'], kills: 6, prepare: both, check: isSound })],
    ['image prune', () => ({ argv: ['image', 'prune', '--all', '--force'], kills: 6, prepare: both, check: isSound })],
  ];

  test.each(VICTIMS)(
    '%s: every image is whole or absent',
    async (_, victim) => {
      await killMany(host, victim());
      await clear();
      await isSound(host);
      expect(contents(host)).toEqual({ layers: [], blobs: [], tmp: [] });
    },
    TIMEOUT_MS,
  );

  test('two pulls of one image at once, and a pull while it is removed, end in a whole image or none', async () => {
    for (let round = 0; round < 3; round++) {
      await clear();
      const pulls = await Promise.all([host.lichen(pull()), host.lichen(pull())]);
      expect(pulls.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([0, 0].map((exitCode) => ({ exitCode, stderr: '' })));
      await isSound(host);
      const [pulled, removed] = await Promise.all([host.lichen(pull()), host.lichen(['rmi', '--force', reference()])]);
      expect([pulled.exitCode, removed.exitCode]).toEqual([0, 0]);
      await isSound(host);
    }
    await clear();
    expect(contents(host)).toEqual({ layers: [], blobs: [], tmp: [] });
  });
});

/** All that a row names is on the disk; once the documented clean-up has run, nothing else is. */
async function isSound(host: TestHost): Promise<void> {
  await host.succeed(['image', 'prune', '--force']);
  const rows = queryStore(host, 'SELECT id, manifest_digest, layers FROM images');
  const named = new Set(rows.flatMap(({ layers }) => (JSON.parse(String(layers)) as string[]).map((layer) => layer.slice(7))));
  const documents = new Set(rows.flatMap(({ id, manifest_digest: manifest }) => [String(id), String(manifest).slice(7)]));
  const { layers, blobs } = contents(host);
  expect([...named].filter((layer) => !layers.includes(layer))).toEqual([]);
  expect([...documents].filter((blob) => !blobs.includes(blob))).toEqual([]);
}

function contents(host: TestHost): {
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  readonly tmp: readonly string[];
} {
  const names = (directory: string) => {
    const path = host.path(`${host.store}/${directory}`);
    return existsSync(path) ? readdirSync(path) : [];
  };
  return {
    layers: names('layers').filter((name) => /^[0-9a-f]{64}$/.test(name)),
    blobs: names('blobs/sha256'),
    tmp: names('tmp'),
  };
}
