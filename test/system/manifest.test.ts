import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture, pushManifest } from '../fixtures/build/push.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const NO_SUCH = `sha256:${'0'.repeat(64)}`;

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

describe.skipIf(!canRunRegistry || !canMakeImages)('manifest', () => {
  let host: TestHost;
  let registry: Registry;

  beforeAll(async () => {
    host = await testHost();
    registry = await startRegistry(host);
    const [busybox, foreign] = await Promise.all([builtFixture('busybox'), builtFixture('foreign')]);
    await pushFixture(busybox, registry, 'team/multi', 'own');
    await pushFixture(foreign, registry, 'team/multi', 'foreign');
    await pushManifest(
      registry,
      { repository: 'team/multi', tag: '1', mediaType: OCI_INDEX },
      {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          { ...busybox.manifest, platform: { architecture: ARCHITECTURE, os: 'linux' }, annotations: { note: 'kept' } },
          { ...foreign.manifest, platform: { architecture: 's390x', os: 'linux', 'os.version': '7' } },
        ],
      },
    );
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox', 'oci-archive'))]);
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('foreign', 'oci-archive'))]);
  });

  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const inspect = async (name: string) => JSON.parse(await host.succeed(['manifest', 'inspect', name])) as Index;

  test('an empty list has a name and an id, and is shown as Podman shows it', async () => {
    const id = await host.succeed(['manifest', 'create', 'empty']);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await host.succeed(['manifest', 'inspect', 'empty'])).toBe(
      `{\n    "schemaVersion": 2,\n    "mediaType": "${DOCKER_LIST}",\n    "manifests": null\n}`,
    );
    expect(await host.lichen(['manifest', 'create', 'empty'])).toMatchObject({
      stderr: expect.stringContaining(
        `Error: image name "localhost/empty:latest" is already associated with image "${id}": that name is already in use, or use --replace to instruct`,
      ),
      exitCode: 125,
    });
    expect(await host.succeed(['manifest', 'create', '--amend', 'empty'])).toBe(id);
    expect(
      await host.succeed([
        'images',
        '--noheading',
        '--no-trunc',
        '--format',
        '{{.Repository}} {{.Tag}} {{.ID}}',
        '--filter',
        'manifest=true',
      ]),
    ).toBe(`localhost/empty latest sha256:${id}`);
    expect(await host.succeed(['manifest', 'rm', 'empty'])).toBe(`Untagged: localhost/empty:latest\nDeleted: ${id}`);
  });

  test('images of the store are added, annotated and removed', async () => {
    const [busybox, foreign] = await Promise.all([builtFixture('busybox'), builtFixture('foreign')]);
    const id = await host.succeed(['manifest', 'create', 'made:1', 'busybox']);
    expect(
      await host.succeed(['manifest', 'add', '--annotation', 'k=v', '--os-version', '9', '--variant', 'z', 'made:1', 'localhost/foreign']),
    ).toBe(id);
    const own = {
      mediaType: OCI_MANIFEST,
      size: busybox.manifest.size,
      digest: busybox.manifest.digest,
      platform: { architecture: ARCHITECTURE, os: 'linux' },
    };
    const other = { mediaType: OCI_MANIFEST, size: foreign.manifest.size, digest: foreign.manifest.digest };
    expect(await inspect('made:1')).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        own,
        { ...other, platform: { architecture: 's390x', os: 'linux', 'os.version': '9', variant: 'z' }, annotations: { k: 'v' } },
      ],
    });
    await host.succeed(['manifest', 'add', 'made:1', 'busybox']);
    expect((await inspect('made:1')).manifests.map(({ digest }) => digest)).toEqual([foreign.manifest.digest, busybox.manifest.digest]);

    expect(
      await host.succeed([
        'manifest',
        'annotate',
        '--arch',
        'riscv64',
        '--features',
        'a,b',
        '--os-features',
        'f',
        'made:1',
        foreign.manifest.digest,
      ]),
    ).toBe(id);
    await host.succeed(['manifest', 'annotate', '--annotation', 'x=y=z', 'made:1', 'busybox']);
    await host.succeed(['manifest', 'annotate', '--index', '--annotation', 'whole=list', '--subject', 'foreign', 'made:1']);
    expect(await inspect('made:1')).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        {
          ...other,
          platform: { architecture: 'riscv64', os: 'linux', 'os.version': '9', 'os.features': ['f'], variant: 'z' },
          annotations: { k: 'v' },
        },
        { ...own, annotations: { x: 'y=z' } },
      ],
      subject: { ...other, platform: { architecture: '', os: '' } },
      annotations: { whole: 'list' },
    });
    expect(await host.succeed(['manifest', 'remove', 'made:1', foreign.manifest.digest])).toBe(id);
    expect((await inspect('made:1')).manifests).toHaveLength(1);
  });

  test('a list is an image to images, inspect, exists, tag, untag and rmi', async () => {
    const id = await host.succeed(['manifest', 'create', 'known', 'busybox']);
    const { config } = await builtFixture('busybox');
    expect((await host.lichen(['image', 'exists', 'known'])).exitCode).toBe(0);
    expect((await host.lichen(['manifest', 'exists', 'known'])).exitCode).toBe(0);
    expect((await host.lichen(['manifest', 'exists', 'unknown'])).exitCode).toBe(1);
    expect(await host.lichen(['manifest', 'exists', 'busybox'])).toMatchObject({
      stderr: 'Error: localhost/busybox:latest: image is not a manifest list\n',
      exitCode: 125,
    });
    const [inspected] = JSON.parse(await host.succeed(['image', 'inspect', 'known'])) as [{ Id: string; RepoTags: string[] }];
    expect(`sha256:${inspected.Id}`).toBe(config.digest);
    expect(inspected.RepoTags).toEqual(['localhost/busybox:latest']);
    expect(await host.succeed(['run', '--rm', '--network', 'none', 'known', 'echo', 'ran'])).toBe('ran');
    await host.succeed(['tag', 'known', 'known:two']);
    expect(await host.succeed(['images', '--noheading', '-q', '--no-trunc', '--filter', 'reference=known'])).toBe(`sha256:${id}`);
    expect(await host.succeed(['rmi', 'known:two'])).toBe('Untagged: localhost/known:two');
    expect(await host.succeed(['rmi', 'known'])).toBe(`Untagged: localhost/known:latest\nDeleted: ${id}`);
    expect((await host.lichen(['image', 'exists', 'busybox'])).exitCode).toBe(0);
  });

  test('what a registry has is added by reference; of an index what is for this machine, or all of it', async () => {
    const [busybox, foreign] = await Promise.all([builtFixture('busybox'), builtFixture('foreign')]);
    const name = `${registry.name}/team/multi:1`;
    await host.succeed(['manifest', 'create', 'remote']);
    await host.succeed(['manifest', 'add', '--tls-verify=false', 'remote', `docker://${registry.name}/team/multi:foreign`]);
    await host.succeed(['manifest', 'add', '--tls-verify=false', 'remote', name]);
    const own = {
      mediaType: OCI_MANIFEST,
      size: busybox.manifest.size,
      digest: busybox.manifest.digest,
      platform: { architecture: ARCHITECTURE, os: 'linux' },
    };
    const other = { mediaType: OCI_MANIFEST, size: foreign.manifest.size, digest: foreign.manifest.digest };
    expect((await inspect('remote')).manifests).toEqual([
      { ...other, platform: { architecture: 's390x', os: 'linux' } },
      { ...own, annotations: { note: 'kept' } },
    ]);
    await host.succeed(['manifest', 'create', '--tls-verify=false', '--all', 'everything', name]);
    expect((await inspect('everything')).manifests).toEqual([
      { ...own, annotations: { note: 'kept' } },
      { ...other, platform: { architecture: 's390x', os: 'linux', 'os.version': '7' } },
    ]);
    await host.succeed(['manifest', 'create', '--all', 'copied', 'containers-storage:everything']);
    expect(await inspect('copied')).toEqual(await inspect('everything'));
    expect(await inspect(name)).toEqual(await inspect('everything'));
    expect(await host.lichen(['manifest', 'inspect', `${registry.name}/team/multi:own`])).toMatchObject({
      stderr: expect.stringContaining('Treating single images as manifest lists is not implemented'),
      exitCode: 125,
    });
    expect(await host.lichen(['manifest', 'inspect', `${registry.name}/team/multi:none`])).toMatchObject({
      stderr: `Error: reading image "docker://${registry.name}/team/multi:none": reading manifest none in ${registry.name}/team/multi: manifest unknown\n`,
      exitCode: 125,
    });
  });

  test('files are added as an artifact', async () => {
    await host.writeFile(`${host.user.home}/a.txt`, 'aaa\n');
    await host.writeFile(`${host.user.home}/b.json`, '{"j":1}\n');
    await host.succeed(['manifest', 'create', 'files']);
    await host.succeed(['manifest', 'add', '--artifact', 'files', 'a.txt', 'b.json']);
    await host.succeed([
      'manifest',
      'add',
      '--artifact',
      '--artifact-type',
      'application/x.y',
      '--artifact-layer-type',
      'text/q',
      '--artifact-config',
      'b.json',
      '--artifact-config-type',
      'application/cfg',
      '--artifact-exclude-titles',
      '--artifact-subject',
      'busybox',
      '--annotation',
      'aa=bb',
      '--arch',
      'arm',
      '--os',
      'linux',
      'files',
      'a.txt',
    ]);
    const { manifests, subject } = await inspect('files');
    const { manifest } = await builtFixture('busybox');
    // What Podman 5.8 makes of the same files.
    expect(manifests[0]).toEqual({
      mediaType: OCI_MANIFEST,
      size: 664,
      digest: 'sha256:f1dd0bf361e7cb278f8c6760c9662e30708e8f8ddeb5f6c360739d28035044fe',
      platform: { architecture: '', os: '' },
      artifactType: 'application/vnd.unknown.artifact.v1',
      files: [`${host.user.home}/a.txt`, `${host.user.home}/b.json`],
    });
    expect(manifests[1]).toMatchObject({
      platform: { architecture: 'arm', os: 'linux' },
      annotations: { aa: 'bb' },
      artifactType: 'application/x.y',
    });
    expect(subject).toMatchObject({ digest: manifest.digest, size: manifest.size });
    await host.succeed(['manifest', 'annotate', '--annotation', 'by=file', 'files', 'b.json']);
    expect((await inspect('files')).manifests[0]).toMatchObject({ annotations: { by: 'file' } });
  });

  test('a list keeps what it lists when the image goes, and lets go of it with its last name', async () => {
    await host.succeed(['pull', '-q', `oci-archive:${host.fixture(await fixturePath('layered', 'oci-archive'))}`]);
    const layers = () => readdirSync(host.path(`${host.store}/layers`)).length;
    const blobs = () => readdirSync(host.path(`${host.store}/blobs/sha256`)).toSorted();
    await host.succeed(['manifest', 'create', 'keeper']);
    const before = { layers: layers(), blobs: blobs() };
    await host.succeed(['manifest', 'add', 'keeper', 'layered']);
    await host.succeed(['rmi', 'layered']);
    await host.succeed(['image', 'prune', '-f']);
    expect(layers()).toBe(before.layers);
    expect(await host.lichen(['image', 'inspect', 'keeper'])).toMatchObject({
      stderr: expect.stringContaining('could not find image instance'),
      exitCode: 125,
    });
    await host.succeed(['manifest', 'rm', 'keeper']);
    expect(layers()).toBeLessThan(before.layers);
    const { manifest, config } = await builtFixture('layered');
    expect(blobs()).not.toContain(manifest.digest.slice(7));
    expect(blobs()).not.toContain(config.digest.slice(7));
  });

  test.each(['docker-archive', 'oci-archive', 'oci', 'dir'] as const)(
    'an image in %s: is listed as it is there, and sent when the archive is gone',
    async (transport) => {
      const { config, manifest } = await builtFixture('layered');
      const path = `/tmp/added-${transport}`;
      const made = transport === 'dir' ? 'oci-archive' : transport;
      await host.run(['cp', '-r', host.fixture(await fixturePath('layered', made)), transport === 'dir' ? `${path}.tar` : path]);
      if (transport === 'dir') {
        await host.succeed(['pull', '-q', `oci-archive:${path}.tar`]);
        await host.succeed(['push', '-q', 'layered', `dir:${path}`]);
        await host.succeed(['rmi', 'layered']);
      }
      const list = `from-${transport}`;
      await host.succeed(['manifest', 'create', list]);
      await host.succeed(['manifest', 'add', '--annotation', 'by=file', list, `${transport}:${path}`]);
      await host.run(['rm', '-r', path]);
      const [entry, ...more] = (await inspect(list)).manifests;
      expect(entry).toMatchObject({ platform: { architecture: ARCHITECTURE, os: 'linux' }, annotations: { by: 'file' } });
      if (transport.startsWith('oci')) expect(entry!.digest).toBe(manifest.digest);
      expect(more).toEqual([]);
      expect(await host.succeed(['images', '--all', '--quiet', '--no-trunc'])).not.toContain(config.digest);
      await host.succeed(['image', 'prune', '-f']);
      const to = `${registry.name}/made/${list}:1`;
      await host.succeed(['manifest', 'push', '-q', '--all', '--tls-verify=false', '--rm', list, to]);
      expect(await host.succeed(['pull', '-q', '--tls-verify=false', to])).toBe(config.digest.slice('sha256:'.length));
      await host.succeed(['rmi', to]);
      expect(await host.lichen(['system', 'check', '--max', '0s'])).toMatchObject({ exitCode: 0 });
    },
  );

  test('of an index in a directory the image for this machine is taken; --all is refused', async () => {
    await host.succeed(['manifest', 'create', 'both', 'busybox', 'foreign']);
    await host.succeed(['manifest', 'push', '-q', '--all', 'both', 'oci:/tmp/both']);
    await host.succeed(['manifest', 'create', 'taken']);
    expect(await host.lichen(['manifest', 'add', '--all', 'taken', 'oci:/tmp/both'])).toMatchObject({
      stderr: expect.stringContaining('all of an index in files is not supported'),
      exitCode: 125,
    });
    await host.succeed(['manifest', 'add', 'taken', 'oci:/tmp/both']);
    expect((await inspect('taken')).manifests).toMatchObject([{ platform: { architecture: ARCHITECTURE } }]);
    await host.succeed(['manifest', 'rm', 'both', 'taken']);
  });

  test.each([
    ['docker-archive:/tmp/nothing.tar', 'opening file "/tmp/nothing.tar": open /tmp/nothing.tar: no such file or directory'],
    ['oci:/tmp', 'open /tmp/index.json: no such file or directory'],
    ['docker-daemon:busybox:latest', 'unsupported transport "docker-daemon"'],
  ])('manifest add %s: %s', async (word, why) => {
    await host.succeed(['manifest', 'create', '--amend', 'unchanged']);
    const { stdout, stderr, exitCode } = await host.lichen(['manifest', 'add', 'unchanged', word]);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 125 });
    expect(stderr.split('\n')[0]).toContain(why);
    expect((await inspect('unchanged')).manifests ?? []).toEqual([]);
  });

  test('two additions at once are both made', async () => {
    await host.succeed(['manifest', 'create', 'raced']);
    await Promise.all(['busybox', 'foreign'].map((image) => host.succeed(['manifest', 'add', 'raced', image])));
    expect((await inspect('raced')).manifests).toHaveLength(2);
  });

  test('push sends what is listed and then the index; the other side runs it', async () => {
    const [busybox, foreign] = await Promise.all([builtFixture('busybox'), builtFixture('foreign')]);
    const to = `${registry.name}/made/list:1`;
    const id = await host.succeed(['manifest', 'create', 'outgoing', 'busybox']);
    await host.succeed(['manifest', 'add', '--tls-verify=false', 'outgoing', `docker://${registry.name}/team/multi:foreign`]);
    await host.writeFile(`${host.user.home}/a.txt`, 'aaa\n');
    await host.succeed(['manifest', 'add', '--artifact', 'outgoing', 'a.txt']);
    const pushed = await host.lichen(['manifest', 'push', '--tls-verify=false', '--digestfile', 'digest', 'outgoing', `docker://${to}`]);
    expect(pushed).toMatchObject({ stdout: '', exitCode: 0 });
    const lines = pushed.stderr.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'Getting image list signatures',
      'Copying 3 images generated from 3 images in list',
      `Copying image ${busybox.manifest.digest} (1/3)`,
      'Getting image source signatures',
    ]);
    expect(lines).toContain(`Copying image ${foreign.manifest.digest} (2/3)`);
    expect(lines.slice(-3)).toEqual(['Writing manifest list to image destination', 'Storing list signatures', '']);

    const there = await inspect(to);
    expect(there).toMatchObject({
      mediaType: OCI_INDEX,
      manifests: [{ platform: { architecture: ARCHITECTURE } }, { digest: foreign.manifest.digest }, {}],
    });
    const raw = await fetch(`${registry.url}/v2/made/list/manifests/1`, { headers: { accept: OCI_INDEX } });
    expect(raw.headers.get('docker-content-digest')).toBe(await host.readFile(`${host.user.home}/digest`));
    // Nothing is left to send the second time.
    expect((await host.lichen(['manifest', 'push', '-q', '--tls-verify=false', '--rm', 'outgoing', to])).stderr).toBe('');
    expect(await host.succeed(['images', '-q', '--no-trunc', '--filter', 'manifest=true'])).not.toContain(id);

    expect(await host.succeed(['pull', '-q', to])).toBe(busybox.config.digest.slice('sha256:'.length));
    expect(await host.succeed(['pull', '-q', '--platform', 'linux/s390x', to])).toBe(foreign.config.digest.slice('sha256:'.length));
    await host.succeed(['untag', to]);
  });

  test('push converts to Docker formats, and sends the index alone where all is there already', async () => {
    const name = `${registry.name}/team/multi:1`;
    await host.succeed(['manifest', 'create', '--tls-verify=false', '--all', 'converted', name]);
    await host.succeed([
      'manifest',
      'push',
      '-q',
      '--tls-verify=false',
      '--format',
      'v2s2',
      'converted',
      `${registry.name}/team/multi:docker`,
    ]);
    const there = await inspect(`${registry.name}/team/multi:docker`);
    expect(there).toMatchObject({
      mediaType: DOCKER_LIST,
      manifests: [
        { mediaType: DOCKER_MANIFEST, platform: { architecture: ARCHITECTURE, os: 'linux' } },
        { mediaType: DOCKER_MANIFEST, platform: { architecture: 's390x', os: 'linux', 'os.version': '7' } },
      ],
    });
    expect(there.manifests[0]).not.toHaveProperty('annotations');
    expect(
      (await host.lichen(['manifest', 'push', '--tls-verify=false', '--all=false', 'converted', `${registry.name}/team/multi:alone`]))
        .stderr,
    ).toBe(
      'Getting image list signatures\nCopying 0 images generated from 2 images in list\nWriting manifest list to image destination\nStoring list signatures\n',
    );
    expect(await inspect(`${registry.name}/team/multi:alone`)).toEqual(await inspect('converted'));
    await host.succeed(['manifest', 'push', '-q', '--tls-verify=false', 'converted', 'oci:layout']);
    const index = JSON.parse(await host.readFile(`${host.user.home}/layout/index.json`)) as Index;
    expect(index.manifests).toMatchObject([{ mediaType: OCI_INDEX }]);
    await host.succeed(['manifest', 'push', '-q', '--tls-verify=false', 'converted', 'dir:directory']);
    expect(readdirSync(host.path(`${host.user.home}/directory`)).filter((file) => file.endsWith('.manifest.json'))).toHaveLength(2);
  });

  test('a registry with a certificate of its own and a password wants both, of add, inspect and push', async () => {
    const secure = await startRegistry(host, { secure: true });
    const { user, password } = secure.credentials!;
    const certificates = `${host.user.home}/list-certs`;
    await host.writeFile(`${certificates}/ca.crt`, await host.readFile(secure.caFile));
    const trusted = ['--cert-dir', certificates];
    const known = [...trusted, '--creds', `${user}:${password}`];
    const name = `${secure.name}/team/guarded:1`;
    await host.succeed(['push', '-q', ...known, 'busybox', name]);
    await host.succeed(['manifest', 'create', 'guarded']);
    for (const [flags, message] of [
      [[], 'certificate signed by unknown authority'],
      [trusted, 'authentication required'],
      [[...trusted, '--creds', `${user}:wrong`], 'authentication required'],
    ] as const) {
      const refused = await host.lichen(['manifest', 'add', ...flags, 'guarded', `docker://${name}`]);
      expect(refused).toMatchObject({ exitCode: 125, stdout: '', stderr: expect.stringContaining(message) as string });
      expect(refused.stderr).not.toContain('wrong');
    }
    expect((await inspect('guarded')).manifests).toBeNull();
    await host.succeed(['manifest', 'add', ...known, 'guarded', `docker://${name}`]);
    const authFile = `${host.user.home}/list-auth.json`;
    await host.succeed(['login', '--authfile', authFile, ...trusted, '-u', user, '-p', password, secure.name]);
    const kept = [...trusted, '--authfile', authFile];
    await host.succeed(['manifest', 'add', ...kept, 'guarded', `docker://${name}`]);
    expect((await inspect('guarded')).manifests).toHaveLength(1);
    const to = `${secure.name}/team/guarded:list`;
    expect((await host.lichen(['manifest', 'push', ...trusted, 'guarded', to])).stderr).toContain('authentication required');
    await host.succeed(['manifest', 'push', '-q', ...kept, '--remove-signatures', 'guarded', to]);
    const read = await host.succeed(['manifest', 'inspect', '--authfile', authFile, '--tls-verify=false', to]);
    expect((JSON.parse(read) as Index).manifests).toEqual((await inspect('guarded')).manifests);
    await host.succeed(['manifest', 'rm', 'guarded']);
  });

  test('push --add-compression sends each image a second time, and the index tells the copies apart', async () => {
    const [busybox, foreign] = await Promise.all([builtFixture('busybox'), builtFixture('foreign')]);
    const manifestOf = async (repository: string, { digest }: Entry) => {
      const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${digest}`, { headers: { accept: OCI_MANIFEST } });
      return (await answer.json()) as { config: { digest: string }; layers: readonly { mediaType: string }[] };
    };
    /** Of each entry its image, its layers' compressions and whether it is marked. */
    const rowsOf = async (repository: string) => {
      const { manifests } = await inspect(`${registry.name}/${repository}:1`);
      return Promise.all(
        manifests.map(async (entry) => {
          const { config, layers } = await manifestOf(repository, entry);
          const compressions = new Set(layers.map(({ mediaType }) => mediaType.replace(/.*[.+]/, '')));
          return [config.digest, [...compressions].join(), entry.annotations?.['io.github.containers.compression.zstd']] as const;
        }),
      );
    };
    const push = async (name: string, repository: string, ...flags: readonly string[]) => {
      const words = ['manifest', 'push', '--tls-verify=false', ...flags, name, `${registry.name}/${repository}:1`];
      const { exitCode, stderr } = await host.lichen(words);
      expect(exitCode, stderr).toBe(0);
      return stderr;
    };
    const remote = `docker://${registry.name}/team/multi:foreign`;
    await host.succeed(['manifest', 'create', 'varied', 'busybox']);
    await host.succeed(['manifest', 'add', '--tls-verify=false', 'varied', remote]);
    await host.writeFile(`${host.user.home}/b.txt`, 'bbb\n');
    await host.succeed(['manifest', 'add', '--artifact', 'varied', 'b.txt']);

    const [own, other] = [busybox.config.digest, foreign.config.digest];
    const [listed] = (await inspect('varied')).manifests;
    const said = await push('varied', 'varied/both', '--add-compression', 'zstd,gzip,zstd');
    expect(said.split('\n').filter((line) => / image(s|) (gen|sha)/.test(line))).toEqual([
      'Copying 5 images generated from 3 images in list',
      `Copying image ${listed!.digest} (1/5)`,
      `Replicating image ${listed!.digest} (2/5)`,
      `Copying image ${foreign.manifest.digest} (3/5)`,
      `Replicating image ${foreign.manifest.digest} (4/5)`,
      expect.stringMatching(/^Copying image sha256:.* \(5\/5\)$/),
    ]);
    const both = await rowsOf('varied/both');
    expect(both.filter(([digest]) => digest === own || digest === other)).toEqual([
      [own, 'gzip', undefined],
      [other, 'gzip', undefined],
      [own, 'zstd', 'true'],
      [other, 'zstd', 'true'],
    ]);
    expect(both).toHaveLength(5);

    // Each copy is the whole image: what is pulled of it has the same id.
    const { manifests } = await inspect(`${registry.name}/varied/both:1`);
    for (const [entry, id] of [
      [manifests[3]!, own],
      [manifests[4]!, other],
    ] as const) {
      await host.succeed(['rmi', '--force', '--ignore', id]);
      expect(await host.succeed(['pull', '-q', '--tls-verify=false', `${registry.name}/varied/both@${entry.digest}`])).toBe(
        id.slice('sha256:'.length),
      );
    }
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('busybox', 'oci-archive'))]);
    await host.succeed(['load', '-q', '-i', host.fixture(await fixturePath('foreign', 'oci-archive'))]);

    // What has its copies already gets no more; what a registry knows in another compression is sent in its own all the same.
    await host.succeed(['manifest', 'create', '--tls-verify=false', '--all', 'complete', `${registry.name}/varied/both:1`]);
    await push('complete', 'varied/again', '--add-compression', 'zstd');
    expect(await inspect(`${registry.name}/varied/again:1`)).toEqual(await inspect('complete'));
    await push('varied', 'varied/both', '--compression-format', 'zstd', '--add-compression', 'gzip');
    expect((await rowsOf('varied/both')).filter(([digest]) => digest === own)).toEqual([
      [own, 'gzip', undefined],
      [own, 'zstd', 'true'],
    ]);

    await push('varied', 'varied/only', '--compression-format', 'zstd');
    expect((await rowsOf('varied/only')).filter(([digest]) => digest === own)).toEqual([[own, 'zstd', 'true']]);
    await host.succeed(['manifest', 'push', '-q', '--tls-verify=false', '--add-compression', 'zstd', 'varied', 'dir:plain']);
    const plain = JSON.parse(await host.readFile(`${host.user.home}/plain/manifest.json`)) as Index;
    expect(plain.manifests).toHaveLength(3);
    await host.succeed(['manifest', 'push', '-q', '--tls-verify=false', '--add-compression', 'zstd', 'varied', 'oci-archive:varied.tar']);
    expect(await host.succeed(['load', '-q', '-i', 'varied.tar'], { cwd: host.user.home })).toContain('Loaded image');
    await host.succeed(['manifest', 'rm', 'varied', 'complete']);
  });

  test('push --add-compression of a layer that is not what its type says is one error, and no index is there', async () => {
    const { config } = await builtFixture('busybox');
    const [repository, ociLayer] = ['team/multi', 'application/vnd.oci.image.layer.v1.tar+gzip'];
    await pushManifest(
      registry,
      { repository, tag: 'odd', mediaType: OCI_MANIFEST },
      { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [{ ...config, mediaType: ociLayer }] },
    );
    await host.succeed(['manifest', 'create', '--tls-verify=false', 'odd', `docker://${registry.name}/${repository}:odd`]);
    const words = ['manifest', 'push', '-q', '--tls-verify=false', '--add-compression', 'zstd', 'odd', `${registry.name}/varied/odd:1`];
    expect(await host.lichen(words)).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: expect.stringMatching(/^Error: .*the compressed layer is damaged: .*\n$/) as string,
    });
    expect((await fetch(`${registry.url}/v2/varied/odd/manifests/1`)).status).toBe(404);
    await host.succeed(['manifest', 'rm', 'odd']);
  });

  test('bad input is refused as Podman does', async () => {
    await host.succeed(['manifest', 'create', '--amend', 'bad']);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['create'], 'requires at least 1 arg(s), only received 0'],
      [['create', 'Bad!'], 'normalizing name "Bad!": invalid reference format'],
      [['create', '--annotation', 'bad', 'never'], 'expected --annotation "bad" to be in key=value format'],
      [
        ['create', 'never', 'containers-storage:nope'],
        'setting up to read manifest and configuration from "containers-storage:nope": nope: image not known',
      ],
      [['add', 'nope', 'busybox'], 'nope: image not known'],
      [['add', 'busybox', 'busybox'], 'localhost/busybox:latest: image is not a manifest list'],
      [['add', 'bad'], 'requires at least 2 arg(s), only received 1'],
      [['add', '--artifact-type', 'x/y', 'bad', 'busybox'], '--artifact-type requires --artifact'],
      [['add', '--artifact', 'bad', '/nope'], 'reading "/nope" to determine its digest: open /nope: no such file or directory'],
      [['add', '--artifact', 'bad', '/etc'], 'reading "/etc" to determine its digest: read /etc: is a directory'],
      [
        ['remove', 'bad', NO_SUCH],
        `removing from manifest list bad: no instance matching digest "${NO_SUCH}" found in manifest list: file does not exist`,
      ],
      [['remove', 'bad', 'bogus'], 'removing from manifest list bad: invalid image digest "bogus": invalid checksum digest format'],
      [['remove', 'bad', 'two:1'], 'removing from manifest list bad: invalid image digest "two:1": unsupported digest algorithm'],
      [['annotate', 'bad'], 'expected an instance digest, image name, or artifact name'],
      [['annotate', '--subject', 'busybox', 'bad', NO_SUCH], 'setting subject for a manifest list requires no instance digest'],
      [['annotate', '--index', '--os', 'x', 'bad'], 'setting OS on an item in a manifest list requires an instance digest'],
      [['annotate', '--index', 'bad', NO_SUCH], `did not expect image or artifact name "${NO_SUCH}" when modifying the entire index`],
      [['push', 'nope', 'dir:x'], 'retrieving local image from image name nope: nope: image not known'],
      [
        ['push', 'busybox', 'dir:x'],
        'retrieving local image from image name busybox: localhost/busybox:latest: image is not a manifest list',
      ],
      [['push', '--format', 'bogus', 'bad', 'dir:x'], `unknown format "bogus". Choose one of the supported formats: 'oci' or 'v2s2'`],
      [
        ['push', '--add-compression', 'bogus', 'bad', 'dir:x'],
        'requested algorithm bogus is not supported for replication: cannot find compressor for "bogus"',
      ],
      [
        ['push', '--all=false', '--add-compression', 'zstd', 'bad', 'dir:x'],
        'preparing instances for copy: EnsureCompressionVariantsExist is not implemented for CopySpecificImages',
      ],
      [
        ['push', '--format', 'v2s2', '--add-compression', 'gzip,zstd', 'bad', 'dir:x'],
        'compression using zstd is not supported by the v2s2 manifest format',
      ],
      [['push', '--sign-by', 'me', 'bad', 'dir:x'], '--sign-by is not supported yet'],
      [['push', '--compression-format', 'bogus', 'bad', 'dir:x'], 'cannot find compressor for "bogus"'],
      [
        ['push', 'bad', 'docker-archive:x'],
        'copying multiple images: destination transport "docker-archive" does not support copying multiple images as a group',
      ],
      [['inspect'], 'accepts 1 arg(s), received 0'],
      [['rm', 'busybox'], 'localhost/busybox:latest: image is not a manifest list'],
    ];
    for (const [args, message] of cases) {
      expect(await host.lichen(['manifest', ...args]), args.join(' ')).toMatchObject({
        stdout: '',
        stderr: expect.stringMatching(startOf(`Error: ${message}`)),
        exitCode: 125,
      });
    }
    expect((await host.lichen(['manifest', 'exists', 'never'])).exitCode).toBe(1);
  });

  test('a list that is not there: status 1 from rm, nothing with --ignore', async () => {
    expect(await host.lichen(['manifest', 'rm', 'nope'])).toMatchObject({ stderr: 'Error: nope: image not known\n', exitCode: 1 });
    expect(await host.lichen(['manifest', 'rm', '--ignore', 'nope'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
  });
});

interface Entry {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests: readonly Entry[];
  readonly subject?: object;
}

function startOf(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}`);
}
