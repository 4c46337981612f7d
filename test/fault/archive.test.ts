import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  appendFileSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestHex } from '../../core/digest.ts';
import { Blobs } from '../../storage/blobs.ts';
import { storeImage, type StoredImage } from '../../storage/copy.ts';
import { MEDIA } from '../../storage/manifest.ts';
import { parsePlatform } from '../../storage/platform.ts';
import { ACCEPT_ANYTHING } from '../../storage/policy.ts';
import { openRootfs, type ImportRequest } from '../../storage/transport/import.ts';
import { openByContent, openFileSource, openStream, parseFileSource } from '../../storage/transport/open.ts';
import type { ImageSources } from '../../storage/transport/source.ts';
import { digestOf } from '../../storage/verify.ts';
import { describe as descriptor, makeImage, type MadeImage } from '../fixtures/images/image.ts';
import { countingSink, type CountingSink } from '../fixtures/images/sink.ts';
import { tarFile, type TarMember } from '../fixtures/images/tar.ts';

let root: string;
let layers: CountingSink;
const image = makeImage(['one', 'two']);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-archive-'));
  layers = countingSink();
});
afterEach(() => rmSync(root, { recursive: true }));

const platform = parsePlatform('linux/amd64');
const request = () => ({ staging: join(root, 'tmp'), platform });

async function storeAll(opening: Promise<ImageSources>): Promise<StoredImage[]> {
  await using opened = await opening;
  const stored: StoredImage[] = [];
  const blobs = new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') });
  for (const source of opened.images) stored.push(await storeImage(source, { layers, blobs, policy: ACCEPT_ANYTHING }));
  return stored;
}

function write(name: string, bytes: Buffer | string): string {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), bytes);
  return join(root, name);
}

function expectNoStaging(): void {
  expect(existsSync(join(root, 'tmp')) ? readdirSync(join(root, 'tmp')) : []).toEqual([]);
}

const CONFIG = `${digestHex(digestOf(image.config))}.json`;
const list = (layerNames: readonly string[], tags: readonly string[] | null = ['localhost/demo:1.0'], config = CONFIG): TarMember => ({
  name: 'manifest.json',
  content: JSON.stringify([{ Config: config, RepoTags: tags, Layers: layerNames }]),
});
const dockerMembers = (): TarMember[] => [
  { name: 'a.tar', content: image.layers[0]! },
  { name: 'b.tar', content: image.layers[1]! },
  { name: CONFIG, content: image.config },
];
const dockerArchive = (): Buffer => tarFile([...dockerMembers(), list(['a.tar', 'b.tar'])]);

describe('a docker-archive', () => {
  test('gives its image under its name, with the manifest that Podman makes of it', async () => {
    const [stored] = await storeAll(openByContent(write('x.tar', dockerArchive()), request()));
    expect(stored).toMatchObject({
      imageId: digestHex(digestOf(image.config)),
      names: ['localhost/demo:1.0'],
      layers: image.diffIds,
      mediaType: MEDIA.dockerManifest,
    });
    const expected = {
      schemaVersion: 2,
      mediaType: MEDIA.dockerManifest,
      config: { mediaType: MEDIA.dockerConfig, size: image.config.length, digest: digestOf(image.config) },
      layers: image.layers.map((layer) => ({ mediaType: `${MEDIA.dockerLayer}.gzip`, size: layer.length, digest: digestOf(layer) })),
    };
    expect(stored!.manifestDigest).toBe(digestOf(Buffer.from(JSON.stringify(expected))));
    expect([...layers.kept.keys()].toSorted()).toEqual([...image.diffIds].toSorted());
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['xz', (bytes) => execFileSync('xz', ['-c'], { input: bytes })],
    ['bzip2', (bytes) => execFileSync('bzip2', ['-c'], { input: bytes })],
  ])('compressed with %s is the same, from a file and from a pipe, and nothing stays in staging', async (_, compress) => {
    const bytes = compress(dockerArchive());
    await storeAll(openByContent(write('x.tar', bytes), request()));
    expectNoStaging();
    const [stored] = await storeAll(openStream(Readable.from([bytes]), request()));
    expect(stored!.layers).toEqual(image.diffIds);
    expectNoStaging();
  });

  test('C14: may hold compressed layers, links to layers, and one layer twice', async () => {
    const twice = makeImage(['same', 'same']);
    const same = { ...twice, layers: [twice.layers[0]!, twice.layers[0]!] };
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: same.layers.map(digestOf) } }),
    );
    const members = [
      { name: 'l/real.tar', content: gzipSync(same.layers[0]!) },
      { name: 'x/layer.tar', link: '../l/real.tar' },
      { name: 'y/layer.tar', hard: 'l/real.tar' },
      { name: 'c.json', content: config },
      list(['x/layer.tar', 'y/layer.tar'], null, 'c.json'),
    ];
    const [stored] = await storeAll(openByContent(write('x.tar', tarFile(members)), request()));
    expect(stored).toMatchObject({ names: [], layers: [digestOf(same.layers[0]!), digestOf(same.layers[0]!)] });
    expect(layers.kept.get(digestOf(same.layers[0]!))).toBe(same.layers[0]!.length);
  });

  test('with several images gives all of them, or the one named', async () => {
    const other = makeImage(['other']);
    const members: TarMember[] = [
      ...dockerMembers(),
      { name: 'o.tar', content: other.layers[0]! },
      { name: 'o.json', content: other.config },
      {
        name: 'manifest.json',
        content: JSON.stringify([
          { Config: CONFIG, RepoTags: ['alpine:3'], Layers: ['a.tar', 'b.tar'] },
          { Config: 'o.json', RepoTags: ['quay.io/o:1', 'quay.io/o:2'], Layers: ['o.tar'] },
        ]),
      },
    ];
    const path = write('x.tar', tarFile(members));
    expect((await storeAll(openByContent(path, request()))).map(({ names }) => names)).toEqual([
      ['docker.io/library/alpine:3'],
      ['quay.io/o:1', 'quay.io/o:2'],
    ]);
    expect(await storeAll(openFileSource('docker-archive', `${path}:quay.io/o:2`, request()))).toMatchObject([{ layers: other.diffIds }]);
    expect(await storeAll(openFileSource('docker-archive', `${path}:@0`, request()))).toMatchObject([{ layers: image.diffIds }]);
    await expect(storeAll(openFileSource('docker-archive', `${path}:quay.io/none:1`, request()))).rejects.toMatchObject({
      code: 'NO_SUCH_IMAGE',
    });
  });

  test.each<[string, () => TarMember[], string]>([
    ['a layer path that climbs', () => [...dockerMembers(), list(['../../../../etc/passwd', 'b.tar'])], 'not found'],
    ['an absolute layer path', () => [...dockerMembers(), list(['/etc/passwd', 'b.tar'])], 'not found'],
    ['a config path that climbs', () => [...dockerMembers(), list(['a.tar', 'b.tar'], [], '../../etc/passwd')], 'not found'],
    [
      'a layer that is a link to a host file',
      () => [...dockerMembers(), { name: 'l', link: '/etc/passwd' }, list(['l', 'b.tar'])],
      'not found',
    ],
    [
      'a layer that is a link out of the archive',
      () => [...dockerMembers(), { name: 'd/l', link: '../../etc/passwd' }, list(['d/l', 'b.tar'])],
      'not found',
    ],
    ['links in a circle', () => [...dockerMembers(), { name: 'l', link: 'm' }, { name: 'm', link: 'l' }, list(['l', 'b.tar'])], 'circle'],
    ['a name twice', () => [...dockerMembers(), { name: './a.tar', content: 'x' }, list(['a.tar', 'b.tar'])], 'more than once'],
    ['two manifests', () => [...dockerMembers(), list(['a.tar', 'b.tar']), list(['b.tar', 'a.tar'])], 'more than once'],
    ['too few layers', () => [...dockerMembers(), list(['a.tar'])], '1 layers are listed, the config names 2'],
    ['layers in another order', () => [...dockerMembers(), list(['b.tar', 'a.tar'])], 'does not match'],
    ['no image in its list', () => [...dockerMembers(), { name: 'manifest.json', content: '[]' }], 'lists no image'],
    ['a list of something else', () => [...dockerMembers(), { name: 'manifest.json', content: '[{"Config":1}]' }], '0.Config'],
    ['a manifest that is no JSON', () => [...dockerMembers(), { name: 'manifest.json', content: 'x' }], 'not valid JSON'],
    [
      'a manifest of more than 4 MiB',
      () => [...dockerMembers(), { name: 'manifest.json', content: Buffer.alloc(5 * 2 ** 20, ' ') }],
      'larger than 4194304 bytes',
    ],
    ['a bad tag', () => [...dockerMembers(), list(['a.tar', 'b.tar'], ['bad@@ref'])], 'invalid reference format'],
  ])('C14: with %s is refused', async (_, members, message) => {
    await expect(storeAll(openByContent(write('x.tar', tarFile(members())), request()))).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
    expect(existsSync(join(root, 'blobs'))).toBe(false);
    expectNoStaging();
  });

  test('C14: that claims a manifest of 2 GB is refused without reading it', async () => {
    const path = write('x.tar', tarFile([...dockerMembers(), { name: 'manifest.json', size: 2 ** 31 }], false));
    truncateSync(path, statSync(path).size + 2 ** 31);
    await expect(storeAll(openByContent(path, request()))).rejects.toMatchObject({
      message: expect.stringContaining('larger than 4194304'),
    });
  });

  test('that claims a body larger than the file is refused without reading on', async () => {
    const path = write('x.tar', tarFile([list(['a.tar']), { name: 'a.tar', size: 10 * 2 ** 30 }]));
    await expect(storeAll(openByContent(path, request()))).rejects.toMatchObject({
      code: 'ARCHIVE_UNSUPPORTED',
      message: expect.stringContaining('unexpected EOF'),
    });
  });

  test('with a body of 20 GiB is indexed without reading it', async () => {
    const path = write('x.tar', tarFile([list(['a.tar', 'b.tar']), ...dockerMembers(), { name: 'big', size: 2 ** 33 - 512 }], false));
    truncateSync(path, statSync(path).size + 2 ** 33 - 512);
    appendFileSync(path, Buffer.alloc(1024));
    expect(await storeAll(openByContent(path, request()))).toHaveLength(1);
  });
});

describe('an OCI layout', () => {
  function members(
    made: MadeImage = image,
    annotations: object = { 'org.opencontainers.image.ref.name': 'localhost/demo:1.0' },
  ): TarMember[] {
    const index = { schemaVersion: 2, manifests: [{ ...descriptor(MEDIA.ociManifest, made.manifest), annotations }] };
    return [
      { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { name: 'index.json', content: JSON.stringify(index) },
      ...[...made.blobs, [made.manifestDigest, made.manifest] as const].map(([digest, content]) => ({
        name: `blobs/sha256/${digestHex(digest)}`,
        content,
      })),
    ];
  }
  function writeLayout(all: readonly TarMember[]): string {
    for (const { name, content } of all) write(`layout/${name}`, Buffer.from(content!));
    return join(root, 'layout');
  }

  test('is the same as archive and as directory', async () => {
    const [fromTar] = await storeAll(openByContent(write('x.tar', tarFile(members())), request()));
    const [fromDirectory] = await storeAll(openByContent(writeLayout(members()), request()));
    expect(fromTar).toMatchObject({ manifestDigest: image.manifestDigest, names: ['localhost/demo:1.0'] });
    expect(fromDirectory).toEqual(fromTar);
  });

  test('takes short names for local ones, and Docker’s own annotation before the tag', async () => {
    const short = { 'org.opencontainers.image.ref.name': 'demo' };
    expect((await storeAll(openByContent(write('a.tar', tarFile(members(image, short))), request())))[0]!.names).toEqual([
      'localhost/demo:latest',
    ]);
    const docker = { 'org.opencontainers.image.ref.name': '1', 'io.containerd.image.name': 'docker.io/library/demo:1' };
    expect((await storeAll(openByContent(write('b.tar', tarFile(members(image, docker))), request())))[0]!.names).toEqual([
      'docker.io/library/demo:1',
    ]);
  });

  test('may nest an index, which is resolved for the platform', async () => {
    const nested = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA.ociIndex,
        manifests: [{ ...descriptor(MEDIA.ociManifest, image.manifest), platform: { os: 'linux', architecture: 'amd64' } }],
      }),
    );
    const index = { schemaVersion: 2, manifests: [descriptor(MEDIA.ociIndex, nested)] };
    const path = writeLayout([
      ...members(),
      { name: 'index.json', content: JSON.stringify(index) },
      { name: `blobs/sha256/${digestHex(digestOf(nested))}`, content: nested },
    ]);
    expect(await storeAll(openFileSource('oci', path, request()))).toMatchObject([
      { manifestDigest: image.manifestDigest, indexDigest: digestOf(nested) },
    ]);
    await expect(storeAll(openFileSource('oci', path, { ...request(), platform: parsePlatform('linux/s390x') }))).rejects.toMatchObject({
      code: 'PLATFORM_MISMATCH',
    });
  });

  test('opens by name, and says when there is none of that name', async () => {
    const path = write('x.tar', tarFile(members()));
    expect(await storeAll(openFileSource('oci-archive', `${path}:localhost/demo:1.0`, request()))).toHaveLength(1);
    await expect(storeAll(openFileSource('oci-archive', `${path}:none`, request()))).rejects.toMatchObject({ code: 'NO_SUCH_IMAGE' });
  });

  test('with a blob that is not its digest is refused', async () => {
    for (const victim of [image.manifestDigest, digestOf(image.config), [...image.blobs.keys()][1]!]) {
      const spoiled = members().map((member) =>
        member.name.endsWith(digestHex(victim))
          ? { ...member, content: Buffer.from(Buffer.from(member.content!)).fill(0x20, 0, 3) }
          : member,
      );
      layers = countingSink();
      await expect(storeAll(openByContent(write('x.tar', tarFile(spoiled)), request()))).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
      expect(existsSync(join(root, 'blobs'))).toBe(false);
    }
  });

  test('whose blob is a device or a pipe is refused, not waited for', async () => {
    const path = writeLayout(members());
    const blob = join(path, 'blobs/sha256', digestHex(image.manifestDigest));
    rmSync(blob);
    symlinkSync('/dev/zero', blob);
    await expect(storeAll(openByContent(path, request()))).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
  });
});

describe('what is no image', () => {
  test.each<[string, Buffer, string]>([
    ['text', Buffer.from('root:x:0:0\n'.repeat(100)), 'archive/tar: invalid tar header'],
    ['less than a header', Buffer.from('garbage\n'), 'unexpected EOF'],
    ['a tar of something else', tarFile([{ name: 'x', content: 'y' }]), 'not found in archive'],
    ['nothing', Buffer.alloc(0), 'not found in archive'],
  ])('%s is refused with all four reasons', async (_, bytes, reason) => {
    const path = write('x', bytes);
    await expect(storeAll(openByContent(path, request()))).rejects.toMatchObject({
      code: 'ARCHIVE_UNSUPPORTED',
      message: expect.stringMatching(
        new RegExp(
          `^payload does not match any of the supported image formats:\\n \\* oci: open ${path}/index.json: not a directory\\n \\* oci-archive: .*\\n \\* docker-archive: loading tar component "manifest.json": .*${reason}.*\\n \\* dir: open ${path}/manifest.json: not a directory$`,
        ),
      ),
    });
  });

  test.each([
    ['load', () => openByContent('/no/such', request()), 'faccessat /no/such: no such file or directory'],
    [
      'docker-archive',
      () => openFileSource('docker-archive', '/no/such', request()),
      'opening file "/no/such": open /no/such: no such file or directory',
    ],
    ['oci', () => openFileSource('oci', '/no/such', request()), 'open /no/such/index.json: no such file or directory'],
    [
      'oci-archive',
      () => openFileSource('oci-archive', '/no/such', request()),
      'creating temp directory: archive file not found: "/no/such"',
    ],
    ['dir', () => openFileSource('dir', '/no/such', request()), 'open /no/such/manifest.json: no such file or directory'],
  ])('a path that is not there is told in Podman’s words: %s', async (_, open, message) => {
    await expect(storeAll(open())).rejects.toMatchObject({ message });
  });

  test('transports are told from references', () => {
    expect(parseFileSource('oci-archive:/x:y')).toEqual({ transport: 'oci-archive', rest: '/x:y' });
    expect(parseFileSource('alpine:3')).toBeUndefined();
    expect(() => parseFileSource('docker-daemon:x')).toThrow(expect.objectContaining({ code: 'NOT_SUPPORTED' }));
  });
});

describe('import', () => {
  const rootfs = tarFile([{ name: 'bin/sh', content: 'x' }]);

  async function importOne(options: Partial<ImportRequest> & Pick<ImportRequest, 'input'>): Promise<StoredImage> {
    await using source = await openRootfs({ staging: join(root, 'tmp'), platform, ...options });
    return await storeImage(source, {
      layers,
      blobs: new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') }),
      policy: ACCEPT_ANYTHING,
    });
  }

  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['plain', (bytes) => bytes, ''],
    ['gzip', gzipSync, '+gzip'],
    ['zstd', zstdCompressSync, '+zstd'],
    ['xz', (bytes) => execFileSync('xz', ['-c'], { input: bytes }), ''],
    ['bzip2', (bytes) => execFileSync('bzip2', ['-c'], { input: bytes }), ''],
  ])('of a %s tar gives one layer with the digest of the tar, from file and pipe alike', async (_, compress) => {
    const bytes = compress(rootfs);
    const created = new Date(0);
    const fromFile = await importOne({ input: { path: write('r', bytes) }, created });
    const fromPipe = await importOne({ input: { stream: Readable.from([bytes]), name: '-' }, created });
    expect(fromFile.layers).toEqual([digestOf(rootfs)]);
    expect(fromPipe.manifestDigest).toBe(fromFile.manifestDigest);
    expectNoStaging();
  });

  test('writes changes and message into the config', async () => {
    const changes = [
      'CMD=/bin/sh -c x',
      'ENTRYPOINT ["/a","b"]',
      'ENV A=b',
      'ENV A=c',
      'LABEL x=y z=w',
      'EXPOSE 80',
      'EXPOSE 53/udp',
      'VOLUME /data',
      'USER 1',
      'WORKDIR /x',
      'STOPSIGNAL 9',
      'onbuild RUN x',
    ];
    const { config } = await importOne({ input: { path: write('r', rootfs) }, changes, message: 'hello' });
    expect(config.config).toEqual({
      Cmd: ['/bin/sh', '-c', '/bin/sh -c x'],
      Entrypoint: ['/a', 'b'],
      Env: ['A=c'],
      Labels: { x: 'y z=w' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      User: '1',
      WorkingDir: '/x',
      StopSignal: '9',
      OnBuild: ['RUN x'],
    });
    expect(config.history).toMatchObject([
      { comment: 'hello', created_by: `/bin/sh -c #(nop) ADD file:${digestHex(digestOf(rootfs))} in /` },
    ]);
  });

  test.each([
    ['FOO=1', 'invalid change "FOO=1" - invalid instruction FOO'],
    ['CMD', 'invalid change "CMD" - must be formatted as KEY VALUE'],
    ['EXPOSE 99999', 'invalid change "EXPOSE 99999" - EXPOSE port must be a valid port number'],
  ])('refuses --change %s before it reads anything', async (change, message) => {
    await expect(importOne({ input: { path: '/no/such' }, changes: [change] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message,
    });
  });

  test('says what is missing in Podman’s words', async () => {
    await expect(importOne({ input: { path: '/no/such' } })).rejects.toThrow(
      'error opening "/no/such": open /no/such: no such file or directory',
    );
  });

  test('of a file that changes while it is read is refused', async () => {
    const path = write('r', rootfs);
    await using source = await openRootfs({ input: { path }, staging: join(root, 'tmp'), platform });
    writeFileSync(path, tarFile([{ name: 'bin/sh', content: 'y' }]));
    await expect(
      storeImage(source, {
        layers,
        blobs: new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') }),
        policy: ACCEPT_ANYTHING,
      }),
    ).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
  });

  test('of damaged gzip is refused', async () => {
    await expect(importOne({ input: { path: write('r', gzipSync(rootfs).subarray(0, -9)) } })).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
    });
  });
});
