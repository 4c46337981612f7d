import { existsSync, readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MEDIA } from '../../storage/manifest.ts';
import { digestOf } from '../../storage/verify.ts';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { serveAnswers, type Answer } from '../fixtures/images/answers.ts';
import { makeImage, type MadeImage, type Packed } from '../fixtures/images/image.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const PLATFORM = { os: 'linux', architecture: ARCHITECTURE };

/** Paths of a registry with the images as `team/app:TAG`. */
function registryOf(images: Readonly<Record<string, MadeImage>>, more: Readonly<Record<string, Answer | object>> = {}) {
  const paths: Record<string, Answer | object> = { ...more };
  for (const [tag, image] of Object.entries(images)) {
    const manifest: Answer = (_, response) => response.setHeader('content-type', MEDIA.ociManifest).end(image.manifest);
    paths[`/v2/team/app/manifests/${tag}`] = manifest;
    paths[`/v2/team/app/manifests/${image.manifestDigest}`] = manifest;
    for (const [digest, blob] of image.blobs) {
      paths[`/v2/team/app/blobs/${digest}`] = (_: unknown, response: { end: (bytes: Buffer) => void }) => response.end(blob);
    }
  }
  return serveAnswers(paths);
}

const idOf = ({ config }: MadeImage): string => digestOf(config).slice('sha256:'.length);

/** A zstd frame whose content decoders skip (RFC 8878, 3.1.2). */
function skippable(content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function halves(layer: Buffer): [Buffer, Buffer] {
  return [layer.subarray(0, layer.length >> 1), layer.subarray(layer.length >> 1)];
}

/** As containers/storage writes it: a frame for each chunk, the table of contents and the footer in frames that are skipped. */
function zstdChunked(layer: Buffer, toc: object): Packed {
  const table = zstdCompressSync(Buffer.from(JSON.stringify(toc)));
  const frames = halves(layer).map((part) => zstdCompressSync(part));
  const footer = Buffer.alloc(64);
  footer.writeBigUInt64LE(BigInt(frames[0]!.length + frames[1]!.length + 8), 0);
  footer.writeBigUInt64LE(BigInt(table.length), 8);
  footer.write('GNUlInUx', 56, 'latin1');
  return {
    mediaType: `${MEDIA.ociLayer}+zstd`,
    blob: Buffer.concat([...frames, skippable(table), skippable(footer)]),
    annotations: { 'io.github.containers.zstd-chunked.manifest-checksum': digestOf(table) },
  };
}

/** As stargz-snapshotter writes it: a gzip member for each chunk, and an empty one as footer whose extra field says where the table begins. */
function estargz(layer: Buffer): Packed {
  const members = halves(layer).map((part) => gzipSync(part));
  const extra = Buffer.from(`SG\x16\x00${members[0]!.length.toString(16).padStart(16, '0')}STARGZ`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extra.length);
  const plain = gzipSync(Buffer.alloc(0));
  const header = Buffer.from(plain.subarray(0, 10));
  header[3] = 4;
  return {
    mediaType: `${MEDIA.ociLayer}+gzip`,
    blob: Buffer.concat([...members, header, length, extra, plain.subarray(10)]),
    annotations: { 'containerd.io/snapshot/stargz/toc.digest': digestOf(Buffer.from('another table')) },
  };
}

describe.skipIf(!canRunRegistry || !canMakeImages)('pull', () => {
  let host: TestHost;
  let registry: Registry;
  beforeAll(async () => {
    host = await testHost();
    registry = await startRegistry(host);
    await pushFixture(await builtFixture('busybox'), registry, 'team/bb', '1');
    await pushFixture(await builtFixture('configured'), registry, 'team/bb', '2');
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const pull = (...args: readonly string[]) => host.lichen(['pull', '--retry', '0', ...args]);
  const fixtureId = async (name: 'busybox' | 'configured') => (await builtFixture(name)).config.digest.slice('sha256:'.length);

  test('layers of every compression are the same layers; tables of contents in them are not believed (G17)', async () => {
    const packings: ((layer: Buffer) => Packed)[] = [
      (blob) => ({ mediaType: MEDIA.ociLayer, blob }),
      (layer) => ({ mediaType: `${MEDIA.ociLayer}+zstd`, blob: zstdCompressSync(layer) }),
      (layer) => zstdChunked(layer, { version: 1, entries: [{ type: 'reg', name: '../../evil', size: 5 }] }),
      estargz,
      (layer) => ({ mediaType: MEDIA.dockerLayer + '.gzip', blob: gzipSync(layer) }),
    ];
    const image = makeImage(
      packings.map((_, index) => `content of layer ${index}`),
      PLATFORM,
      (layer, index) => packings[index]!(layer),
    );
    await using server = await registryOf({ latest: image });
    expect(await pull('-q', `${server.host}/team/app`)).toMatchObject({ stdout: `${idOf(image)}\n`, exitCode: 0 });
    for (const [index, diffId] of image.diffIds.entries()) {
      const file = host.path(`${host.store}/layers/${diffId.slice('sha256:'.length)}/diff/file${index}`);
      expect(readFileSync(file, 'utf8')).toBe(`content of layer ${index}`);
    }
  });

  test('a zstd:chunked layer whose content is not its diff-id is refused whole', async () => {
    const image = makeImage(['honest'], PLATFORM, (layer) => zstdChunked(Buffer.from(layer).fill(0x41, 512, 513), { version: 1 }));
    await using server = await registryOf({ latest: image });
    const { stderr, exitCode } = await pull('-q', `${server.host}/team/app`);
    expect(stderr).toContain(image.diffIds[0]);
    expect(exitCode).toBe(125);
    expect((await host.lichen(['image', 'exists', idOf(image)])).exitCode).toBe(1);
    expect(existsSync(host.path(`${host.store}/layers/${image.diffIds[0]!.slice(7)}`))).toBe(false);
  });

  test('--all-tags gets each tag, and says what Podman says where it cannot', async () => {
    const ids = [await fixtureId('busybox'), await fixtureId('configured')];
    const pulled = await pull('-a', `${registry.name}/team/bb:ignored`);
    expect(pulled.exitCode).toBe(0);
    expect(pulled.stdout.trim().split('\n').toSorted()).toEqual(ids.toSorted());
    expect(pulled.stderr).toContain(`Trying to pull ${registry.name}/team/bb:1...`);
    const names = await host.succeed(['images', '--noheading', '--format', '{{.Repository}}:{{.Tag}}', `${registry.name}/team/bb`]);
    expect(names.split('\n').toSorted()).toEqual([`${registry.name}/team/bb:1`, `${registry.name}/team/bb:2`]);
    expect(await pull('--all-tags', `${registry.name}/team/none`)).toMatchObject({
      stdout: '',
      stderr: 'Error: fetching tags list: repository name not known to registry\n',
      exitCode: 125,
    });
    expect(await pull('--all-tags', `docker-archive:${host.fixture(await fixturePath('busybox'))}`)).toMatchObject({
      stderr: 'Error: pulling all tags is not supported for docker-archive transport\n',
      exitCode: 125,
    });
  });

  test('--all-tags makes nothing of tags that are none (G16)', async () => {
    for (const tag of ['../../../x', '-rm', 'a b', 'x'.repeat(200), '\u001b[2J']) {
      await using server = await serveAnswers({ '/v2/team/app/tags/list': { tags: [tag] } });
      const { stdout, stderr, exitCode } = await pull('-a', `${server.host}/team/app`);
      expect({ stdout, exitCode }, tag).toEqual({ stdout: '', exitCode: 125 });
      expect(stderr).toContain('invalid reference format');
      // oxlint-disable-next-line no-control-regex -- that there is none is the point
      expect(stderr).not.toMatch(/\u001b/);
      expect(server.seen.filter(({ url }) => !url.endsWith('/v2/') && !url.endsWith('tags/list'))).toEqual([]);
    }
  });

  test('a digest names one image for good', async () => {
    const { manifest } = await builtFixture('busybox');
    const name = `${registry.name}/team/bb@${manifest.digest}`;
    await host.succeed(['rmi', '-af']);
    expect(await pull('-q', name)).toMatchObject({ stdout: `${await fixtureId('busybox')}\n`, exitCode: 0 });
    expect(await host.succeed(['image', 'inspect', '--format', '{{.RepoTags}} {{.RepoDigests}}', name])).toBe(`[] [${name}]`);
    expect(await pull('-q', '--policy', 'missing', name)).toMatchObject({ stdout: `${await fixtureId('busybox')}\n`, stderr: '' });
    const none = `${registry.name}/team/bb@sha256:${'0'.repeat(64)}`;
    expect((await pull('-q', none)).stderr).toContain('manifest unknown');
    for (const bad of ['sha256:123', 'md5:d41d8cd98f00b204e9800998ecf8427e', `sha256:${'A'.repeat(64)}`]) {
      expect((await pull(`${registry.name}/team/bb@${bad}`)).stderr, bad).toMatch(/^Error: parsing reference /);
    }
  });

  test('--platform, --arch, --os and --variant choose from an index', async () => {
    const images = {
      amd: makeImage(['amd64'], { os: 'linux', architecture: 'amd64' }),
      arm: makeImage(['arm v7'], { os: 'linux', architecture: 'arm' }),
      win: makeImage(['windows'], { os: 'windows', architecture: 'amd64' }),
    };
    const platforms = {
      amd: { os: 'linux', architecture: 'amd64' },
      arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
      win: { os: 'windows', architecture: 'amd64' },
    };
    const manifests = (['amd', 'arm', 'win'] as const).map((key) => ({
      mediaType: MEDIA.ociManifest,
      digest: images[key].manifestDigest,
      size: images[key].manifest.length,
      platform: platforms[key],
    }));
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });
    await using server = await registryOf(images, {
      '/v2/team/app/manifests/latest': (_, response) => response.setHeader('content-type', MEDIA.ociIndex).end(index),
    });
    const name = `${server.host}/team/app`;
    for (const [flags, key] of [
      [['--platform', 'linux/amd64'], 'amd'],
      [['--arch', 'arm', '--variant', 'v7'], 'arm'],
      [['--platform', 'linux/arm/v7'], 'arm'],
      [['--os', 'windows', '--arch', 'amd64'], 'win'],
    ] as const) {
      expect((await pull('-q', ...flags, name)).stdout, flags.join(' ')).toBe(`${idOf(images[key])}\n`);
    }
    const none = await pull('-q', '--platform', 'linux/s390x', name);
    expect(none.stderr).toMatch(/no image found in image index for architecture "s390x", variant "", OS "linux"\nThere is: linux\/amd64/);
    expect((await pull('--platform', 'linux/arm', '--os', 'linux', name)).stderr).toContain(
      '--platform option can not be specified with --arch or --os',
    );
  });

  test('at a terminal a layer under way shows bytes and rate', async () => {
    const image = makeImage([Buffer.alloc(400_000, 'x').fill(Math.random().toString())], PLATFORM, (blob) => ({
      mediaType: MEDIA.ociLayer,
      blob,
    }));
    const layer = [...image.blobs.values()][1]!;
    const { promise: more, resolve } = Promise.withResolvers<void>();
    await using slow = await serveAnswers({
      '/v2/team/app/manifests/latest': (_, response) => response.setHeader('content-type', MEDIA.ociManifest).end(image.manifest),
      [`/v2/team/app/blobs/${digestOf(image.config)}`]: (_: unknown, response: { end: (bytes: Buffer) => void }) =>
        response.end(image.config),
      [`/v2/team/app/blobs/${digestOf(layer)}`]: (async (_, response) => {
        for (let at = 0; at < layer.length; at += 50_000) {
          response.write(layer.subarray(at, at + 50_000));
          await Promise.race([more, new Promise((next) => setTimeout(next, 150))]);
        }
        response.end();
      }) satisfies Answer,
    });
    await using pulling = host.spawnLichen(['pull', `${slow.host}/team/app`], { tty: { rows: 24, columns: 120 } });
    await pulling.waitForOutput(/Copying blob [0-9a-f]{12} \[=*> *\] \d+(\.\d+)?kB \/ 402kB \| [\d.]+[kM]?B\/s/);
    resolve();
    await pulling.waitForOutput(/done {3}\|/);
    expect((await pulling.finished).exitCode).toBe(0);
  });
});
