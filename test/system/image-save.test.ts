import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture } from '../fixtures/build/images.ts';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!canRunContainers)('save', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'configured', 'empty']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const inHome = (name: string) => `${host.user.home}/${name}`;
  const listing = async (archive: string) =>
    (await host.run(['tar', '--numeric-owner', '--utc', '-tvf', archive])).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/ +/g, ' '));
  const member = async (archive: string, name: string) => (await host.run(['tar', '-xOf', archive, name])).stdoutBytes;
  const json = async (archive: string, name: string) => JSON.parse((await member(archive, name)).toString()) as never;
  const remains = () => readdirSync(host.path(`${host.store}/tmp`));

  test('a docker-archive is laid out as Podman lays it out, and gives the same bytes each time', async () => {
    const { config, diffIds } = await builtFixture('busybox');
    const hex = diffIds[0]!.slice(7);
    const { stdout, stderr } = await host.lichen(['save', '-o', inHome('a.tar'), 'busybox']);
    expect(stdout).toBe('');
    expect(stderr).toBe(`Copying blob ${diffIds[0]}\nCopying config ${config.digest}\nWriting manifest to image destination\n`);
    const lines = await listing(inHome('a.tar'));
    expect(lines.map((line) => line.replace(/ \d+ 1970/, ' SIZE 1970'))).toEqual([
      `-r--r--r-- 0/0 SIZE 1970-01-01 00:00 ${hex}.tar`,
      `-r--r--r-- 0/0 SIZE 1970-01-01 00:00 ${config.digest.slice(7)}.json`,
      expect.stringMatching(new RegExp(`^l--------- 0/0 SIZE 1970-01-01 00:00 [0-9a-f]{64}/layer.tar -> \\.\\./${hex}\\.tar$`)),
      expect.stringMatching(/^-r--r--r-- 0\/0 SIZE 1970-01-01 00:00 [0-9a-f]{64}\/VERSION$/),
      expect.stringMatching(/^-r--r--r-- 0\/0 SIZE 1970-01-01 00:00 [0-9a-f]{64}\/json$/),
      '-r--r--r-- 0/0 SIZE 1970-01-01 00:00 manifest.json',
      '-r--r--r-- 0/0 SIZE 1970-01-01 00:00 repositories',
    ]);
    expect(await json(inHome('a.tar'), 'manifest.json')).toEqual([
      { Config: `${config.digest.slice(7)}.json`, RepoTags: ['localhost/busybox:latest'], Layers: [`${hex}.tar`] },
    ]);
    expect(sha256(await member(inHome('a.tar'), `${hex}.tar`))).toBe(hex);
    const piped = await host.lichen(['save', 'busybox']);
    expect(piped.stderr).toBe('');
    expect(sha256(piped.stdoutBytes)).toBe(sha256(readFileSync(host.path(inHome('a.tar')))));
  });

  test('what several images share is in the archive once, and all of them come back', async () => {
    const { stderr, exitCode } = await host.lichen([
      'save',
      '-q',
      '-m',
      '-o',
      inHome('m.tar'),
      'busybox',
      'layered',
      'configured:v1',
      'empty',
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const names = (await listing(inHome('m.tar'))).map((line) => line.split(' ')[5]!);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^[0-9a-f]{64}\.tar$/.test(name))).toHaveLength(5);
    const format = ['--format', '{{.Id}} {{.RootFS.Layers}}'];
    const images = ['busybox', 'layered', 'configured:v1', 'empty'];
    const before = await host.succeed(['image', 'inspect', ...format, ...images]);
    await host.succeed(['rmi', '--all']);
    const loaded = await host.succeed(['load', '-q', '-i', inHome('m.tar')]);
    expect(loaded).toBe(
      ['busybox:latest', 'layered:latest', 'configured:v1', 'empty:latest'].map((name) => `Loaded image: localhost/${name}`).join('\n'),
    );
    expect(await host.succeed(['image', 'inspect', ...format, ...images])).toBe(before);
  });

  test.each(['oci-archive', 'oci-dir', 'docker-dir', 'docker-archive'])('%s: the image that comes back is the same', async (format) => {
    const output = inHome(`round-${format}`);
    await host.succeed(['save', '-q', '--format', format, '-o', output, 'layered']);
    const { config, diffIds } = await builtFixture('layered');
    await host.succeed(['rmi', 'layered']);
    const stdout = await host.succeed(['load', '-q', '-i', output]);
    expect(stdout).toBe(`Loaded image: ${format === 'docker-dir' ? config.digest : 'localhost/layered:latest'}`);
    const layers = await host.succeed(['image', 'inspect', '--format', '{{json .RootFS.Layers}}', config.digest.slice(7)]);
    expect(JSON.parse(layers)).toEqual(diffIds);
    await host.succeed(['tag', config.digest.slice(7), 'layered']);
  });

  test('an OCI archive has gzip layers unless they are wanted plain', async () => {
    await host.succeed(['save', '-q', '--format', 'oci-archive', '-o', inHome('z.tar'), 'busybox']);
    await host.succeed(['save', '-q', '--format', 'oci-archive', '--uncompressed', '-o', inHome('u.tar'), 'busybox']);
    const layer = async (archive: string) => {
      const index: { manifests: { digest: string; annotations: object }[] } = await json(archive, 'index.json');
      expect(index.manifests[0]!.annotations).toEqual({ 'org.opencontainers.image.ref.name': 'localhost/busybox:latest' });
      const manifest: { layers: { digest: string; mediaType: string }[] } = await json(
        archive,
        `blobs/sha256/${index.manifests[0]!.digest.slice(7)}`,
      );
      const { mediaType, digest } = manifest.layers[0]!;
      return { mediaType, bytes: await member(archive, `blobs/sha256/${digest.slice(7)}`) };
    };
    const { diffIds } = await builtFixture('busybox');
    const [zipped, plain] = [await layer(inHome('z.tar')), await layer(inHome('u.tar'))];
    expect(zipped.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
    expect(sha256(gunzipSync(zipped.bytes))).toBe(diffIds[0]!.slice(7));
    expect(plain.mediaType).toBe('application/vnd.oci.image.layer.v1.tar');
    expect(sha256(plain.bytes)).toBe(diffIds[0]!.slice(7));
    const before = readFileSync(host.path(inHome('z.tar')));
    await host.succeed(['save', '-q', '--format', 'oci-archive', '-o', inHome('z.tar'), 'busybox']);
    expect(readFileSync(host.path(inHome('z.tar'))).equals(before)).toBe(true);
  });

  test('an OCI directory takes further images; a docker-dir has one, with plain layers or compressed ones', async () => {
    for (const image of ['busybox', 'configured:v1', 'busybox']) {
      await host.succeed(['save', '-q', '--format', 'oci-dir', '-o', inHome('layout'), image]);
    }
    const index = JSON.parse(readFileSync(host.path(inHome('layout/index.json')), 'utf8')) as { manifests: { annotations?: object }[] };
    expect(index.manifests.map(({ annotations }) => Object.values(annotations ?? {})[0])).toEqual([
      'localhost/busybox:latest',
      'localhost/configured:v1',
    ]);
    const { config, diffIds } = await builtFixture('busybox');
    await host.succeed(['save', '-q', '--format', 'docker-dir', '-o', inHome('dir'), 'layered']);
    await host.succeed(['save', '-q', '--format', 'docker-dir', '-o', inHome('dir'), 'busybox']);
    expect(readdirSync(host.path(inHome('dir'))).toSorted()).toEqual(
      [diffIds[0]!.slice(7), config.digest.slice(7), 'manifest.json', 'version'].toSorted(),
    );
    await host.succeed(['save', '-q', '--format', 'docker-dir', '--compress', '-o', inHome('dirz'), 'busybox']);
    const manifest = JSON.parse(readFileSync(host.path(inHome('dirz/manifest.json')), 'utf8')) as { layers: { mediaType: string }[] };
    expect(manifest.layers[0]!.mediaType).toBe('application/vnd.docker.image.rootfs.diff.tar.gzip');
  });

  test('further words are names for the image', async () => {
    await host.succeed(['save', '-q', '-o', inHome('tags.tar'), 'busybox', 'other:3', 'quay.io/x/y']);
    expect(await json(inHome('tags.tar'), 'manifest.json')).toMatchObject([
      { RepoTags: ['localhost/other:3', 'quay.io/x/y:latest', 'localhost/busybox:latest'] },
    ]);
    const { config } = await builtFixture('busybox');
    await host.succeed(['save', '-q', '-o', inHome('id.tar'), config.digest.slice(7, 19)]);
    expect(await json(inHome('id.tar'), 'manifest.json')).toMatchObject([{ RepoTags: [] }]);
  });

  test.each<[readonly string[], string]>([
    [['-o', 'x', 'nosuch'], 'nosuch: image not known'],
    [['-m', '-o', 'x', 'busybox', 'nosuch'], 'nosuch: image not known'],
    [['--format', 'foo', '-o', 'x', 'busybox'], 'format value must be one of oci-dir oci-archive docker-dir docker-archive'],
    [['--compress', '-o', 'x', 'busybox'], "--compress can only be set when --format is 'docker-dir'"],
    [
      ['-m', '--format', 'oci-archive', '-o', 'x', 'busybox', 'layered'],
      'unsupported format "oci-archive" for saving multiple images (only docker-archive)',
    ],
    [['-o', 'no/such/x', 'busybox'], 'opening file "no/such/x": open no/such/x: no such file or directory'],
    [['-o', 'a:x', 'busybox'], `invalid filename (should not contain ':') "a:x"`],
    [['-o', 'busy/x', 'busybox'], "docker-archive doesn't support modifying existing images"],
    [['-o', 'busy', 'busybox'], 'opening file "busy": open busy: is a directory'],
    [
      ['--format', 'docker-dir', '-o', 'busy', 'busybox'],
      "initializing destination dir:busy: not a containers image directory, don't want to overwrite important data",
    ],
    [['--format', 'docker-dir', '-o', 'busy/x', 'busybox'], 'initializing destination dir:busy/x: open busy/x: not a directory'],
    [
      ['--format', 'oci-dir', 'busybox'],
      'format "oci-dir" is a directory and cannot be written to a stream\nName the directory with --output.',
    ],
  ])('%j is refused', async (argv, message) => {
    mkdirSync(host.path(inHome('busy')), { recursive: true });
    writeFileSync(host.path(inHome('busy/x')), 'mine');
    const { stdout, stderr, exitCode } = await host.lichen(['save', ...argv]);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 });
    expect(existsSync(host.path(inHome('x')))).toBe(false);
    expect(readFileSync(host.path(inHome('busy/x')), 'utf8')).toBe('mine');
    expect(readdirSync(host.path(inHome('busy')))).toEqual(['x']);
    expect(remains()).toEqual([]);
  });

  test('a terminal is refused, an empty file and a device are fine', async () => {
    const { stdout, exitCode } = await host.lichen(['save', 'busybox'], { tty: true });
    expect({ stdout, exitCode }).toEqual({ stdout: 'Error: refusing to save to terminal. Use -o flag or redirect\r\n', exitCode: 125 });
    await host.succeed(['save', '-q', '-o', '/dev/null', 'busybox']);
    writeFileSync(host.path(inHome('empty')), '');
    await host.run(['ln', '-s', inHome('empty'), inHome('link')]);
    await host.succeed(['save', '-q', '-o', inHome('link'), 'busybox']);
    expect(statSync(host.path(inHome('empty'))).size).toBeGreaterThan(10_000);
  });

  test('a signal leaves neither a half archive nor a half directory', async () => {
    for (const format of ['docker-archive', 'oci-archive', 'oci-dir']) {
      const running = host.spawnLichen(['save', '--format', format, '-o', inHome('cut'), 'layered']);
      await running.waitForOutput(/Copying blob/);
      running.signal('SIGTERM');
      const { exitCode } = await running.finish();
      // It may have been done by then.
      expect([0, 143]).toContain(exitCode);
      if (exitCode === 143) expect(existsSync(host.path(inHome('cut')))).toBe(false);
      await host.run(['rm', '-rf', inHome('cut')]);
      expect(remains()).toEqual([]);
    }
  });
});
