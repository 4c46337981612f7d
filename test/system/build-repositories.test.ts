/** build --cache-from and --cache-to: steps that come from a repository of a registry, and go into one. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture, pushManifest } from '../fixtures/build/push.ts';
import { freePort, type TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';

interface Manifest {
  readonly config: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly digest: string }[];
  readonly annotations: Readonly<Record<string, string>>;
}

interface Config {
  readonly created: string;
  readonly history?: unknown;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
}

describe.skipIf(!canRunContainers || !canRunRegistry)('repositories of steps', () => {
  let host: TestHost;
  let registry: Registry;
  let made = 0;
  beforeAll(async () => {
    host = await loadedHost([]);
    registry = await startRegistry(host);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  /** A machine that has the base and nothing else; the one before it is gone. */
  async function machine() {
    await host.succeed(['system', 'reset', '--force']);
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    const lichen = (...words: readonly string[]) => host.lichen(words);
    return {
      lichen,
      /** Of a build that must not fail. */
      async build(directory: string, ...flags: readonly string[]) {
        const { stdout, stderr, exitCode } = await lichen('build', '--network=none', ...flags, directory);
        expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
        const lines = stdout.trim().split('\n');
        const count = (start: string) => lines.filter((line) => line.startsWith(`--> ${start}`)).length;
        const counts = { used: count('Using cache'), fetched: count('Cache pulled from remote'), sent: count('Pushing cache') };
        return { id: lines.at(-1)!, counts, stdout, stderr };
      },
    };
  }

  async function context(files: Readonly<Record<string, string>>): Promise<string> {
    const directory = `${host.user.home}/context-${made++}`;
    for (const [name, text] of Object.entries(files)) await host.writeFile(`${directory}/${name}`, text);
    return directory;
  }

  /** What no second run makes again. */
  const RANDOM = 'RUN head -c 16 /dev/urandom > /random';
  const simple = () => context({ Dockerfile: `FROM localhost/busybox\nENV A=1\n${RANDOM}\nCOPY in /in\nLABEL a=b\n`, in: 'in\n' });

  const tags = async (repository: string): Promise<readonly string[]> =>
    ((await (await fetch(`${registry.url}/v2/${repository}/tags/list`)).json()) as { readonly tags?: readonly string[] }).tags ?? [];
  const manifestOf = async (repository: string, tag: string): Promise<Manifest> =>
    (await (await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers: { accept: OCI } })).json()) as Manifest;
  const blobOf = async (repository: string, digest: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`)).arrayBuffer());
  const configOf = async (repository: string, tag: string): Promise<Config> =>
    JSON.parse((await blobOf(repository, (await manifestOf(repository, tag)).config.digest)).toString()) as Config;

  /** The key of the step that was sent with these words. */
  function keys({ stdout }: { readonly stdout: string }): readonly string[] {
    return [...stdout.matchAll(/^--> Pushing cache \[.*\]:([0-9a-f]{64})$/gm)].map(([, key = '']) => key);
  }

  test('a machine that has nothing does no step that a repository has, and comes to the same image', async () => {
    const [directory, to] = [await simple(), `${registry.name}/team/steps`];
    const first = await (await machine()).build(directory, '--cache-to', to);
    expect(first).toMatchObject({ stderr: '', counts: { used: 0, fetched: 0, sent: 4 } });
    expect((await tags('team/steps')).toSorted()).toEqual(keys(first).toSorted());

    const other = await machine();
    const second = await other.build(directory, '--cache-from', to);
    expect(second).toMatchObject({ id: first.id, stderr: '', counts: { used: 4, fetched: 4, sent: 0 } });
    expect((await other.lichen('images', '--all', '--format', '{{.Repository}}')).stdout).toBe('<none>\nlocalhost/busybox\n');
    // Now they are here.
    expect(await other.build(directory, '--cache-from', to)).toMatchObject({ id: first.id, counts: { used: 4, fetched: 0 } });

    await host.writeFile(`${directory}/in`, 'changed\n');
    const third = await (await machine()).build(directory, '--cache-from', to, '--cache-to', to);
    expect(third).toMatchObject({ stderr: '', counts: { used: 2, fetched: 2, sent: 2 } });
    expect(third.id).not.toBe(first.id);
    expect(await (await machine()).build(directory, '--cache-from', to)).toMatchObject({ id: third.id, counts: { used: 4, fetched: 4 } });
  });

  test('--push and type=registry send what was built under all its names, a list with its images', async () => {
    const [directory, at] = [await simple(), `${registry.name}/team/pushed`];
    const there = await machine();
    const built = await there.lichen('buildx', 'build', '-q', '--network=none', '--push', '-t', `${at}:1`, '-t', `${at}:2`, directory);
    expect(built).toMatchObject({ exitCode: 0, stderr: '' });
    await there.build(directory, '-q', '-o', `type=registry,name=${at}:3`);
    const config = `sha256:${built.stdout.trim()}`;
    for (const tag of ['1', '2', '3']) expect((await manifestOf('team/pushed', tag)).config.digest).toBe(config);
    await there.build(directory, '-q', '--manifest', `${at}:list`, '--push');
    const index = await fetch(`${registry.url}/v2/team/pushed/manifests/list`, {
      headers: { accept: 'application/vnd.oci.image.index.v1+json' },
    });
    expect(await index.json()).toMatchObject({ mediaType: expect.stringMatching(/index/), manifests: [{ mediaType: OCI }] });
    const refused = await there.lichen('build', '-q', '--network=none', '--push', '-t', `nowhere.invalid/x`, directory);
    expect(refused).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(/^Error: /) });
  });

  test('C10: each step is an image that can be pulled, with layers that were sent once and without a history', async () => {
    const directory = await context({
      Dockerfile: `FROM localhost/busybox AS tools\nARG WORD\nRUN --mount=type=secret,id=s cp /run/secrets/s /dev/null; ${RANDOM.slice(4)}\nFROM localhost/busybox\nCOPY --from=tools /random /copied\nENTRYPOINT cat /copied\n`,
      secret: 'never seen\n',
    });
    const there = await machine();
    const flags = ['--secret', `id=s,src=${directory}/secret`, '--build-arg', 'WORD=whispered'];
    const sent = await there.build(directory, '--cache-to', `${registry.name}/team/images`, ...flags);
    expect(sent.counts).toEqual({ used: 0, fetched: 0, sent: 4 });
    const files = `/tmp/registry-${registry.name.split(':')[1]}/data/docker/registry/v2/blobs`;
    expect((await host.run(['grep', '-r', '-l', '-e', 'whispered', '-e', 'never seen', files])).stdout).toBe('');
    const last = keys(sent).at(-1)!;
    expect(await configOf('team/images', last)).not.toHaveProperty('history');
    const name = `${registry.name}/team/images:${last}`;
    await there.lichen('pull', '--quiet', name);
    const [one, other] = await Promise.all(
      [name, sent.id].map((image) => there.lichen('run', '--rm', '--network=none', image).then(({ stdout }) => stdout)),
    );
    expect(one).toBe(other);
    expect(await there.build(directory, '--cache-to', `${registry.name}/team/images`, ...flags)).toMatchObject({
      id: sent.id,
      counts: { used: 4, sent: 4 },
    });
    const manifests = await Promise.all((await tags('team/images')).map((tag) => manifestOf('team/images', tag)));
    // The base's and two others.
    expect(new Set(manifests.flatMap(({ layers }) => layers.map(({ digest }) => digest))).size).toBe(3);
  });

  test('all repositories get the steps of all stages; the first that has one is taken; --squash changes nothing in that', async () => {
    const directory = await context({
      Dockerfile: `FROM localhost/busybox AS a\n${RANDOM}\nFROM scratch AS b\nENV B=1\nCOPY in /b\nFROM a\nCOPY --from=b /b /b\nRUN cat /b\n`,
      in: 'in\n',
    });
    const [one, two] = [`${registry.name}/several/one`, `${registry.name}/several/two`];
    const first = await (await machine()).build(directory, '--cache-to', one, '--cache-to', two, '--cache-to', one);
    expect(first.stdout).toContain(`--> Pushing cache [${one} ${two}]:`);
    expect(first.counts.sent).toBe(5);
    expect((await tags('several/one')).toSorted()).toEqual((await tags('several/two')).toSorted());
    const from = ['--cache-from', `${registry.name}/several/nosuch`, '--cache-from', two, '--cache-from', one];
    const second = await (await machine()).build(directory, ...from, '--cache-to', two, '--cache-to', `${registry.name}/several/three`);
    expect(second).toMatchObject({ id: first.id, stderr: '', counts: { used: 5, fetched: 5, sent: 5 } });
    expect(second.stdout).not.toContain(`remote ${one}`);
    expect(second.stdout).toContain(`--> Pushing cache [${registry.name}/several/three]:`);
    const squashed = await (await machine()).build(directory, '--squash', ...from);
    expect(squashed.counts.fetched).toBeGreaterThan(0);
  });

  test('--no-cache asks no repository and sends; --layers=false does neither and says so', async () => {
    const [directory, to] = [await simple(), `${registry.name}/asked/steps`];
    const one = await machine();
    const first = await one.build(directory, '--cache-to', to);
    const again = await one.build(directory, '--no-cache', '--cache-from', to, '--cache-to', to);
    expect(again).toMatchObject({ stderr: '', counts: { used: 0, fetched: 0, sent: 4 } });
    expect(again.id).not.toBe(first.id);
    expect(await one.build(directory, '--quiet', '--cache-to', `${registry.name}/asked/quietly`)).toMatchObject({
      stderr: '',
      id: again.id,
    });
    expect(await tags('asked/quietly')).toHaveLength(4);
    const words = ['build', '--cache-to', to, directory];
    const live = await host.lichen(words, { tty: { rows: 24, columns: 200 } });
    expect(live.stdout.match(/ => Pushing cache \[.*\]:[0-9a-f]{64}/g)).toHaveLength(4);
    const raw = await host.lichen([...words, '--progress=rawjson']);
    expect(raw).toMatchObject({ exitCode: 0, stdout: `${again.id}\n` });
    for (const line of raw.stderr.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    const plain = await one.build(directory, '--layers=false', '--cache-from', to, '--cache-to', to);
    expect(plain).toMatchObject({ counts: { used: 0, fetched: 0, sent: 0 }, stderr: '--cache-to does nothing with --layers=false\n' });
  });

  // Podman's words (test/parity) but for the values, of which it shows none.
  test.each([
    [
      '--cache-from',
      `localhost/x@sha256:${'0'.repeat(64)}`,
      `repository must contain neither a tag nor digest: localhost/x@sha256:${'0'.repeat(64)}`,
    ],
    ['--cache-from', '', 'invalid repo "": must contain registry and repository: invalid reference format'],
    [
      '--cache-from',
      'type=registry,ref=r/x',
      'invalid repo "type=registry,ref=r/x": must contain registry and repository: invalid reference format\nWrite the repository alone: --cache-from quay.io/team/cache',
    ],
  ])('%s %j is refused', async (flag, value, message) => {
    expect(await host.lichen(['build', flag, value, '.'])).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: `Error: unable to parse value provided \`[${value}]\` to ${flag}: ${message}\n`,
    });
  });

  test('a registry that is down is asked once for steps, and ends a build that was to send some', async () => {
    const directory = await context({ Dockerfile: 'FROM localhost/busybox\nENV A=1\nENV B=1\nENV C=1\n', in: 'in\n' });
    const nowhere = `127.0.0.1:${await freePort()}`;
    const one = await machine();
    const built = await one.build(directory, '--retry=0', '--cache-from', `${nowhere}/x`);
    expect(built.stderr.match(/^.*$/gm)!.filter((line) => line !== '')).toEqual([
      expect.stringContaining(`${nowhere}/x is not asked for steps any more: pinging container registry ${nowhere}`),
    ]);

    // The step that is under way ends with it.
    const long = await context({ Dockerfile: 'FROM localhost/busybox\nENV A=2\nRUN sleep 1000\n' });
    const failed = await one.lichen('build', '--retry=0', '--network=none', '-t', 'never', '--cache-to', `${nowhere}/x`, long);
    expect(failed.exitCode).toBe(125);
    expect(failed.stderr).toMatch(
      new RegExp(
        `^Error: failed pushing cache of "ENV A=2" to ${nowhere}/x:[0-9a-f]{64}: trying to reuse blob sha256:[0-9a-f]{64} at destination: pinging container registry ${nowhere}: `,
      ),
    );
    expect((await one.lichen('image', 'exists', 'never')).exitCode).toBe(1);
  });

  test('a step is sent while the next ones are done, and all are there when the build ends', async () => {
    const directory = await context({ Dockerfile: 'FROM localhost/busybox\nENV A=3\nRUN echo second\nRUN echo third\n' });
    const port = await freePort();
    await machine();
    const flags = ['--network=none', '--retry=10000', '--retry-delay=100ms', '--cache-to', `127.0.0.1:${port}/beside/steps`];
    const build = host.spawnLichen(['build', ...flags, directory]);
    await build.waitForOutput(/^third$/m);
    await startRegistry(host, { port });
    const { exitCode, stdout } = await build.finished;
    expect(exitCode).toBe(0);
    const { tags: there } = (await (await fetch(`http://127.0.0.1:${port}/v2/beside/steps/tags/list`)).json()) as {
      tags: readonly string[];
    };
    expect(there.toSorted()).toEqual(keys({ stdout }).toSorted());
  });

  test('a build that fails has sent what was done before', async () => {
    const directory = await context({ Dockerfile: `FROM localhost/busybox\n${RANDOM}\nRUN exit 3\n` });
    const failed = await (await machine()).lichen('build', '--network=none', '--cache-to', `${registry.name}/failed/steps`, directory);
    expect(failed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('exit status 3') as string });
    expect(await tags('failed/steps')).toEqual(keys(failed));
  });

  test('credentials and certificates are those of the build', async () => {
    const secure = await startRegistry(host, { secure: true });
    const [directory, to] = [await simple(), `${secure.name}/team/steps`];
    const one = await machine();
    const refused = await one.lichen('build', '--network=none', '--tls-verify=false', '--cache-to', to, directory);
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toMatch(/^Error: failed pushing cache of "ENV A=1" to .*authentication required/);
    const unknown = await one.build(directory, '--retry=0', '--cache-from', to, '--cache-ttl=0s');
    expect(unknown.stderr).toBe('');

    const { user, password } = secure.credentials!;
    const certificates = `${host.user.home}/certs`;
    await host.writeFile(`${certificates}/ca.crt`, await host.readFile(secure.caFile));
    const sent = await one.build(directory, '--cert-dir', certificates, '--creds', `${user}:${password}`, '--cache-to', to);
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await host.writeFile('/tmp/auth.json', JSON.stringify({ auths: { [secure.name]: { auth } } }), 0o600);
    const fetched = await (await machine()).build(directory, '--tls-verify=false', '--authfile=/tmp/auth.json', '--cache-from', to);
    expect(fetched).toMatchObject({ id: sent.id, stderr: '', counts: { fetched: 4 } });
    const stranger = await (await machine()).build(directory, '--tls-verify=false', '--cache-from', to);
    expect(stranger).toMatchObject({ counts: { used: 0, fetched: 0 } });
    expect(stranger.stderr.match(/is not asked for steps any more: .*authentication required/g)).toHaveLength(1);
  });

  test('--cache-ttl counts from when a step was done, whoever did it and whatever the image says', async () => {
    const [directory, repository] = [await simple(), 'old/steps'];
    const from = ['--timestamp=0', '--cache-from', `${registry.name}/${repository}`];
    const sent = await (await machine()).build(directory, '--timestamp=0', '--cache-to', `${registry.name}/${repository}`);
    expect(await (await machine()).build(directory, ...from, '--cache-ttl=1h')).toMatchObject({ id: sent.id, counts: { fetched: 4 } });
    for (const tag of await tags(repository)) {
      const manifest = await manifestOf(repository, tag);
      const annotations = { 'lichen.step.made': new Date(Date.now() - 2 * 3_600_000).toISOString() };
      await pushManifest(registry, { repository, tag, mediaType: OCI }, { ...manifest, annotations });
    }
    const one = await machine();
    expect(await one.build(directory, ...from, '--cache-ttl=3h')).toMatchObject({ id: sent.id, counts: { fetched: 4 } });
    expect(await one.build(directory, ...from, '--cache-ttl=1h')).toMatchObject({ stderr: '', counts: { used: 0, fetched: 0 } });
    expect(await (await machine()).build(directory, ...from, '--cache-ttl=0s')).toMatchObject({ counts: { fetched: 0 } });
  });

  describe('C16: what cannot be the step is not taken: it is said, and the step is done', () => {
    let directory: string;
    let sent: { readonly stdout: string; readonly id: string };
    beforeAll(async () => {
      directory = await simple();
      sent = await (await machine()).build(directory, '--cache-to', `${registry.name}/good/steps`);
    });

    /** A repository with the same steps but for one. */
    async function withStep(
      repository: string,
      number: number,
      change: (manifest: Manifest, config: Config) => Promise<readonly [Manifest, Config]>,
    ) {
      for (const [index, tag] of keys(sent).entries()) {
        const [manifest, config] = [await manifestOf('good/steps', tag), await configOf('good/steps', tag)];
        for (const { digest } of manifest.layers)
          await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?mount=${digest}&from=good/steps`, { method: 'POST' });
        const [other, document] = index === number ? await change(manifest, config) : [manifest, config];
        const bytes = Buffer.from(JSON.stringify(document));
        const digest = await uploaded(repository, bytes);
        await pushManifest(
          registry,
          { repository, tag, mediaType: OCI },
          { ...other, config: { ...other.config, digest, size: bytes.length } },
        );
      }
    }

    async function uploaded(repository: string, bytes: Buffer): Promise<string> {
      const begun = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const place = new URL(begun.headers.get('location')!, registry.url);
      place.searchParams.set('digest', digest);
      const put = await fetch(place, {
        method: 'PUT',
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'application/octet-stream' },
      });
      expect(put.status).toBe(201);
      return digest;
    }

    const withLayers = (config: Config, change: (layers: readonly string[]) => readonly string[]): Config => ({
      ...config,
      rootfs: { ...config.rootfs, diff_ids: change(config.rootfs.diff_ids) },
    });

    test.each<[string, number, (manifest: Manifest, config: Config) => readonly [Manifest, Config], RegExp]>([
      [
        'another base',
        1,
        (manifest, config) => [manifest, withLayers(config, ([, top]) => [`sha256:${'1'.repeat(64)}`, top!])],
        /is not what comes of this step/,
      ],
      [
        'a layer of a step that changes no files',
        0,
        (manifest, config) => [
          { ...manifest, layers: [...manifest.layers, ...manifest.layers] },
          withLayers(config, (layers) => [...layers, ...layers]),
        ],
        /is not what comes of this step/,
      ],
      [
        'no layer of a step that changes files',
        1,
        (manifest, config) => [{ ...manifest, layers: manifest.layers.slice(0, 1) }, withLayers(config, (layers) => layers.slice(0, 1))],
        /is not what comes of this step/,
      ],
      [
        'another layer than the one that is named',
        1,
        (manifest, config) => [manifest, withLayers(config, ([base]) => [base!, `sha256:${'2'.repeat(64)}`])],
        /Digest did not match|2{64}/,
      ],
      ['a time that is none', 1, (manifest, config) => [manifest, { ...config, created: 'yesterday' }], /is not what comes of this step/],
    ])('%s', async (name, number, change, message) => {
      const repository = `hostile/${name.replaceAll(' ', '-')}`;
      await withStep(repository, number, async (...parts) => change(...parts));
      const one = await machine();
      const built = await one.build(directory, '--cache-from', `${registry.name}/${repository}`);
      expect(built.stderr).toMatch(message);
      expect(built.stderr.match(/is not asked for steps any more/g)).toHaveLength(1);
      expect(built.counts).toMatchObject({ used: number, fetched: number });
      expect((await one.lichen('run', '--rm', '--network=none', built.id, 'cat', '/in')).stdout).toBe('in\n');
    });

    test('another image, and no image at all', async () => {
      const key = keys(sent)[0]!;
      await pushFixture(await builtFixture('layered'), registry, 'hostile/image', key);
      const one = await machine();
      expect((await one.build(directory, '--cache-from', `${registry.name}/hostile/image`)).stderr).toContain(
        'is not what comes of this step',
      );
      await pushManifest(
        registry,
        { repository: 'hostile/image', tag: key, mediaType: 'application/vnd.oci.image.index.v1+json' },
        { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] },
      );
      const other = await (await machine()).build(directory, '--cache-from', `${registry.name}/hostile/image`);
      expect(other.stderr).toContain('an index where an image manifest was expected');
      expect(other.counts.fetched).toBe(0);
    });
  });
});
