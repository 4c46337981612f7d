import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages } from '../fixtures/build/images.ts';
import { pushFixture, pushManifest } from '../fixtures/build/push.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const EMPTY = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  size: 2,
  data: 'e30=',
};
const TITLE = 'org.opencontainers.image.title';

describe.skipIf(!canRunRegistry || !canMakeImages)('artifact', () => {
  let host: TestHost;
  let registry: Registry;
  const home = (path: string) => host.path(`${host.user.home}/${path}`);
  const blobs = () => readdirSync(host.path(`${host.store}/blobs/sha256`)).toSorted();
  const inspect = async (name: string) => JSON.parse(await host.succeed(['artifact', 'inspect', name])) as Inspected;

  beforeAll(async () => {
    host = await testHost();
    registry = await startRegistry(host);
    await host.writeFile(`${host.user.home}/a.txt`, 'aaa\n');
    await host.writeFile(`${host.user.home}/b.json`, '{"j":1}\n');
    await host.writeFile(`${host.user.home}/c.png`, Buffer.from('89504e470d0a1a0a', 'hex'));
    await host.writeFile(`${host.user.home}/out/kept`, 'kept\n');
  });

  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  test('files are added, shown, appended to, replaced and removed', async () => {
    expect(await host.succeed(['artifact', 'ls'])).toBe('REPOSITORY  TAG         DIGEST      CREATED     SIZE');
    const first = await host.succeed(['artifact', 'add', '--type', 'application/x.test', '--annotation', 'k=v', 'art:1', 'a.txt', 'c.png']);
    expect(await inspect('art:1')).toEqual({
      Manifest: {
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: 'application/x.test',
        config: EMPTY,
        layers: [
          { mediaType: 'text/plain; charset=utf-8', digest: digestOf('aaa\n'), size: 4, annotations: { k: 'v', [TITLE]: 'a.txt' } },
          {
            mediaType: 'image/png',
            digest: digestOf(Buffer.from('89504e470d0a1a0a', 'hex')),
            size: 8,
            annotations: { k: 'v', [TITLE]: 'c.png' },
          },
        ],
        annotations: { k: 'v', 'org.opencontainers.image.created': expect.stringMatching(/^20\d\d-/) as string },
      },
      Name: 'art:1',
      Digest: `sha256:${first}`,
    });
    expect(await host.lichen(['artifact', 'add', 'art:1', 'a.txt'])).toMatchObject({
      stderr: 'Error: art:1: artifact already exists\n',
      exitCode: 125,
    });
    const second = await host.succeed(['artifact', 'add', '--append', '--file-type', 'q/r', 'art:1', 'b.json']);
    const { Manifest } = await inspect(second.slice(0, 10));
    expect(Manifest.layers.map(({ mediaType }) => mediaType)).toEqual(['text/plain; charset=utf-8', 'image/png', 'q/r']);
    expect(blobs()).not.toContain(first);
    expect(
      await host.succeed([
        'artifact',
        'ls',
        '--noheading',
        '--no-trunc',
        '--format',
        '{{.Repository}}|{{.Tag}}|{{.Digest}}|{{.Size}}|{{.VirtualSize}}',
      ]),
    ).toBe(`art|1|${second}|20B|20`);
    expect(
      await host.succeed([
        'artifact',
        'inspect',
        '--format',
        '{{.Name}} {{.Manifest.ArtifactType}} {{range .Manifest.Layers}}{{.Size}} {{end}}',
        'art:1',
      ]),
    ).toBe('art:1 application/x.test 4 8 8 ');
    const third = await host.succeed(['artifact', 'add', '--replace', 'art:1', 'b.json']);
    expect(blobs()).toEqual([third, digestOf('{"j":1}\n').slice(7), EMPTY.digest.slice(7)].toSorted());
    await host.succeed(['artifact', 'add', 'other', 'b.json']);
    expect(await host.succeed(['artifact', 'rm', third.slice(0, 12)])).toBe(third);
    expect(blobs()).toContain(digestOf('{"j":1}\n').slice(7));
    await host.succeed(['image', 'prune', '-f']);
    expect(blobs()).toHaveLength(3);
    await host.succeed(['artifact', 'rm', '--all']);
    expect(blobs()).toEqual([]);
  });

  test('inspect finds artifacts as it finds everything else', async () => {
    await host.writeFile('/tmp/looked-at', 'x\n');
    await host.succeed(['artifact', 'add', 'localhost/looked/at:1', '/tmp/looked-at']);
    const document = await inspect('localhost/looked/at:1');
    for (const flags of [[], ['--type', 'artifact']]) {
      expect(JSON.parse(await host.succeed(['inspect', ...flags, 'localhost/looked/at:1']))).toEqual([document]);
    }
    const format = '{{.Name}} {{.Manifest.MediaType}}';
    expect(await host.lichen(['inspect', '--type', 'artifact', '--format', format, 'localhost/looked/at:1', 'nope'])).toMatchObject({
      stdout: 'localhost/looked/at:1 application/vnd.oci.image.manifest.v1+json\n',
      stderr: 'Error: nope: artifact does not exist\n',
      exitCode: 125,
    });
    await host.succeed(['artifact', 'rm', 'localhost/looked/at:1']);
  });

  test('files come out again, whole, and never through a symbolic link', async () => {
    const digest = digestOf('{"j":1}\n');
    await host.succeed(['artifact', 'add', 'some', 'a.txt', 'b.json']);
    symlinkSync('kept', home('out/a.txt'));
    await host.succeed(['artifact', 'extract', 'some', 'out']);
    expect(readFileSync(home('out/a.txt'), 'utf8')).toBe('aaa\n');
    expect(readFileSync(home('out/b.json'), 'utf8')).toBe('{"j":1}\n');
    expect(readFileSync(home('out/kept'), 'utf8')).toBe('kept\n');
    await host.succeed(['artifact', 'extract', '--title', 'b.json', 'some', 'out/titled']);
    await host.succeed(['artifact', 'extract', '--digest', digest, 'some', 'out/digested']);
    expect(readFileSync(home('out/titled'), 'utf8')).toBe(readFileSync(home('out/digested'), 'utf8'));
    const piped = await host.run(['/bin/sh', '-c', 'mkfifo pipe; cat pipe & lichen artifact extract --title a.txt some pipe; wait']);
    expect(piped).toMatchObject({ stdout: 'aaa\n', exitCode: 0 });
    expect(readdirSync(home('out')).toSorted()).toEqual(['a.txt', 'b.json', 'digested', 'kept', 'titled']);
    await host.succeed(['artifact', 'rm', 'some']);
  });

  test('an artifact goes to a registry and comes back the same', async () => {
    const name = `${registry.name}/art/one:1`;
    await host.run(['dd', 'if=/dev/zero', 'of=large', 'bs=1M', 'count=64', 'status=none']);
    const digest = await host.succeed(['artifact', 'add', '--type', 'application/x.test', name, 'a.txt', 'large']);
    const pushed = await host.lichen(['artifact', 'push', '--tls-verify=false', '--digestfile', 'digest', name]);
    expect(pushed).toMatchObject({ stdout: '', exitCode: 0 });
    expect(pushed.stderr.split('\n').filter((line) => !line.startsWith('Copying blob'))).toEqual([
      'Getting image source signatures',
      `Copying config ${EMPTY.digest}`,
      'Writing manifest to image destination',
      '',
    ]);
    expect(await host.readFile(`${host.user.home}/digest`)).toBe(`sha256:${digest}`);
    await host.succeed(['artifact', 'rm', name]);
    expect(await host.lichen(['artifact', 'pull', '-q', '--tls-verify=false', name])).toMatchObject({
      stdout: '',
      stderr: '',
      exitCode: 0,
    });
    expect((await inspect(name)).Digest).toBe(`sha256:${digest}`);
    await host.succeed(['artifact', 'extract', '--title', 'large', name, 'out/large']);
    expect(statSync(home('out/large')).size).toBe(64 * 2 ** 20);
    expect(await host.lichen(['artifact', 'pull', '--tls-verify=false', `${registry.name}/art/none:1`])).toMatchObject({
      stderr: `Error: initializing source docker://${registry.name}/art/none:1: reading manifest 1 in ${registry.name}/art/none: manifest unknown\n`,
      exitCode: 125,
    });
    await host.succeed(['artifact', 'rm', '--all']);
  });

  test('an image in a registry is an artifact, too', async () => {
    const busybox = await builtFixture('busybox');
    await pushFixture(busybox, registry, 'team/bb', '1');
    await host.succeed(['artifact', 'pull', '-q', '--tls-verify=false', `${registry.name}/team/bb:1`]);
    expect((await inspect(`${registry.name}/team/bb:1`)).Digest).toBe(busybox.manifest.digest);
    await host.succeed(['artifact', 'rm', '--all']);
  });

  test('a title that leads out of the directory is refused, and nothing is written', async () => {
    const busybox = await builtFixture('busybox');
    const titles = ['../escaped', `${host.user.home}/escaped`, '..'];
    await pushFixture(busybox, registry, 'hostile/title', '1');
    await pushManifest(
      registry,
      { repository: 'hostile/title', tag: 'bad', mediaType: MANIFEST },
      {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { ...busybox.config, mediaType: 'application/x.config' },
        layers: titles.map((title) => ({ ...busybox.layers[0]!, mediaType: 'text/plain', annotations: { [TITLE]: title } })),
      },
    );
    const name = `${registry.name}/hostile/title:bad`;
    await host.succeed(['artifact', 'pull', '-q', '--tls-verify=false', name]);
    const before = readdirSync(home('out'));
    for (const words of [[], ...titles.map((title) => ['--title', title])]) {
      expect(await host.lichen(['artifact', 'extract', ...words, name, 'out'])).toMatchObject({
        stderr: expect.stringContaining('title of a blob is no file name') as string,
        exitCode: 125,
      });
    }
    expect(readdirSync(home('out'))).toEqual(before);
    expect(existsSync(home('escaped'))).toBe(false);
  });

  test('bad input is refused as Podman does', async () => {
    await host.succeed(['artifact', 'add', '--replace', 'two', 'a.txt', 'b.json']);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['add', 'x'], 'requires at least 2 arg(s), only received 1'],
      [['add', 'Bad!', 'a.txt'], 'Invalid image Bad!'],
      [['add', 'x', '/nope'], 'open /nope: no such file or directory'],
      [['add', 'x', 'out'], 'read out: is a directory'],
      [['add', 'x', 'a.txt', './a.txt'], 'a.txt: file already exists in artifact'],
      [['add', '--append', 'two', 'b.json'], 'b.json: file already exists in artifact'],
      [['add', '--append', 'nope', 'b.json'], 'nope: artifact does not exist'],
      [['add', '--append', '--replace', 'two', 'c.png'], '--append and --replace options cannot be used together'],
      [['add', '--append', '--type', 'x', 'two', 'c.png'], 'append option is not compatible with type option'],
      [['add', '--annotation', 'bad', 'x', 'a.txt'], 'no value given for annotation "bad"'],
      [['inspect', 'nope'], 'nope: artifact does not exist'],
      [['rm'], 'at least one artifact name or digest must be specified'],
      [['rm', '-a', 'x'], 'when using the --all switch, you may not pass any artifact names or digests'],
      [['rm', 'nope'], 'nope: artifact does not exist'],
      [['extract', 'two'], 'accepts 2 arg(s), received 1'],
      [['extract', 'nope', 'out'], 'nope: artifact does not exist'],
      [['extract', 'two', 'out/new'], 'the artifact consists of several blobs and the target "out/new" is not a directory and neither'],
      [['extract', '--title', 'nope', 'two', 'out/new'], 'no blob with the title "nope"'],
      [['extract', '--digest', '8cfa5', 'two', 'out/new'], 'no blob with the digest "8cfa5"'],
      [['extract', '--digest', 'x', '--title', 'y', 'two', 'out/new'], 'cannot specify both digest and title'],
      [['push', 'nope'], 'nope: artifact does not exist'],
      [['push', '--sign-by', 'me', 'two'], '--sign-by is not supported yet'],
      [['pull', '--decryption-key', 'k', 'two'], '--decryption-key is not supported yet'],
    ];
    for (const [args, message] of cases) {
      const { stdout, stderr, exitCode } = await host.lichen(['artifact', ...args]);
      expect({ stdout, stderr: stderr.slice(0, message.length + 7), exitCode }, args.join(' ')).toEqual({
        stdout: '',
        stderr: `Error: ${message}`,
        exitCode: 125,
      });
    }
    expect(await host.lichen(['artifact', 'rm', '-i', 'nope'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect((await host.succeed(['artifact', 'ls', '--noheading', '--format', '{{.Repository}}'])).split('\n')).not.toContain('x');
  });
});

interface Inspected {
  readonly Manifest: { readonly layers: readonly { readonly mediaType: string }[] };
  readonly Name: string;
  readonly Digest: string;
}

function digestOf(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
