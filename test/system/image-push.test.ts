import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture } from '../fixtures/build/images.ts';
import type { TestHost } from '../host/host.ts';
import { canRunContainers, loadedHost } from '../host/loaded.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly size: number }[];
}

describe.skipIf(!canRunContainers || !canRunRegistry)('push', () => {
  let host: TestHost;
  let registry: Registry;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'configured']);
    registry = await startRegistry(host);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const manifestOf = async (repository: string, tag: string): Promise<Manifest> =>
    (await (
      await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers: { accept: `${OCI}, ${DOCKER}` } })
    ).json()) as Manifest;
  /** Methods and paths of what was asked of a registry. */
  const uploads = (stderr: string) => stderr.split('\n').filter((line) => /(PATCH|mount=)/.test(line)).length;
  const debug = (argv: readonly string[]) => host.lichen(['--log-level', 'debug', 'push', ...argv]);

  test('an image goes out as Podman says it, and comes back as the same image', async () => {
    const { config, diffIds } = await builtFixture('busybox');
    const to = `${registry.name}/team/bb:1`;
    const pushed = await host.lichen(['push', '--digestfile', `${host.user.home}/digest`, 'busybox', to]);
    expect(pushed).toMatchObject({
      stdout: '',
      stderr: `Getting image source signatures\nCopying blob ${diffIds[0]}\nCopying config ${config.digest}\nWriting manifest to image destination\n`,
      exitCode: 0,
    });
    const manifest = await manifestOf('team/bb', '1');
    expect(manifest).toMatchObject({ mediaType: DOCKER, config: { digest: config.digest } });
    expect(manifest.layers[0]!.mediaType).toBe('application/vnd.docker.image.rootfs.diff.tar.gzip');
    await host.succeed(['rmi', 'busybox']);
    expect(await host.succeed(['pull', '-q', to])).toBe(config.digest.slice(7));
    const digest = readFileSync(host.path(`${host.user.home}/digest`), 'utf8');
    expect(await host.succeed(['image', 'inspect', '--format', '{{.Digest}}', to])).toBe(digest);
    await host.succeed(['tag', to, 'localhost/busybox']);
  });

  test('layers that are there are not sent; other repositories of the registry lend theirs', async () => {
    await host.succeed(['push', '-q', 'layered', `${registry.name}/team/layered:1`]);
    const again = await debug(['layered', `${registry.name}/team/layered:2`]);
    expect(uploads(again.stderr)).toBe(0);
    expect((await manifestOf('team/layered', '2')).layers).toEqual((await manifestOf('team/layered', '1')).layers);
    const elsewhere = await debug(['layered', `${registry.name}/other/layered`]);
    const { layers } = await manifestOf('team/layered', '1');
    expect(elsewhere.stderr.match(/POST [^ ]*uploads\/\?…/g)).toHaveLength(new Set(layers.map(({ digest }) => digest)).size);
    expect(elsewhere.stderr).not.toContain('PATCH');
    expect((await manifestOf('other/layered', 'latest')).layers).toEqual(layers);
  });

  test('what was pulled goes back under the manifest it came with', async () => {
    await host.succeed(['push', '-q', '--format', 'oci', 'configured:v1', `${registry.name}/team/conf:1`]);
    await host.succeed(['rmi', 'configured:v1']);
    await host.succeed(['pull', '-q', `${registry.name}/team/conf:1`]);
    const pushed = await debug([`${registry.name}/team/conf:1`, `${registry.name}/back/conf:1`]);
    expect(pushed.stderr).not.toContain('PATCH');
    expect(await manifestOf('back/conf', '1')).toEqual(await manifestOf('team/conf', '1'));
    await host.succeed(['tag', `${registry.name}/team/conf:1`, 'localhost/configured:v1']);
  });

  test('format and compression are what was asked for, and the image keeps its id', async () => {
    const { config } = await builtFixture('busybox');
    const push = async (tag: string, ...flags: string[]) => {
      await host.succeed(['push', '-q', ...flags, 'busybox', `${registry.name}/forms/bb:${tag}`]);
      const { mediaType, config: sent, layers } = await manifestOf('forms/bb', tag);
      expect(sent.digest).toBe(config.digest);
      return { mediaType, config: sent.mediaType, layer: layers[0]!.mediaType };
    };
    expect(await push('oci', '--format', 'oci')).toEqual({
      mediaType: OCI,
      config: 'application/vnd.oci.image.config.v1+json',
      layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
    });
    expect(await push('v2s2', '--format', 'v2s2')).toMatchObject({
      mediaType: DOCKER,
      layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    });
    expect(await push('zstd', '--compression-format', 'zstd', '--compression-level', '3')).toMatchObject({
      mediaType: OCI,
      layer: 'application/vnd.oci.image.layer.v1.tar+zstd',
    });
    // A layer that is there in zstd is as good as one in gzip, unless somebody insists.
    expect(await push('reuse', '--format', 'oci')).toMatchObject({ layer: expect.stringMatching(/tar\+(zstd|gzip)$/) as string });
    expect(await push('gzip', '--format', 'oci', '--compression-format', 'gzip')).toMatchObject({
      layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
    });
    await host.succeed(['rmi', 'busybox', `${registry.name}/team/bb:1`]);
    expect(await host.succeed(['pull', '-q', `${registry.name}/forms/bb:zstd`])).toBe(config.digest.slice(7));
    await host.succeed(['tag', `${registry.name}/forms/bb:zstd`, 'localhost/busybox']);
  });

  test.each([
    'dir:/tmp/p-dir',
    'oci:/tmp/p-oci:x',
    'oci:/tmp/p-oci2',
    'oci-archive:/tmp/p.oci',
    'docker-archive:/tmp/p.tar',
    'docker-archive:/tmp/p2.tar:foo:1',
  ])('%s takes it as well', async (destination) => {
    await host.succeed(['push', '-q', 'layered', destination]);
    const { config } = await builtFixture('layered');
    const [transport, path, ...name] = destination.split(':');
    const pulled = await host.succeed(['pull', '-q', transport === 'oci' ? destination : `${transport}:${path}`]);
    // Once for each name in the archive.
    const names = transport === 'docker-archive' && name.length > 0 ? 2 : 1;
    expect(pulled.split('\n')).toEqual(Array(names).fill(config.digest.slice(7)));
    if (transport !== 'docker-archive') return;
    const manifest = JSON.parse((await host.run(['tar', '-xOf', path!, 'manifest.json'])).stdout) as { RepoTags: string[] }[];
    expect(manifest[0]!.RepoTags).toEqual([...(name.length > 0 ? ['docker.io/library/foo:1'] : []), 'localhost/layered:latest']);
  });

  test('layers in a directory are plain, with --compress gzip', async () => {
    const typesIn = async (directory: string, ...flags: readonly string[]) => {
      await host.succeed(['push', '-q', ...flags, 'layered', `dir:${directory}`]);
      const { layers } = JSON.parse(await host.readFile(`${directory}/manifest.json`)) as Manifest;
      return [...new Set(layers.map(({ mediaType }) => mediaType.replace(/.*[.+]/, '')))];
    };
    expect(await typesIn('/tmp/p-plain', '--remove-signatures', '--disable-content-trust')).toEqual(['tar']);
    expect(await typesIn('/tmp/p-gzip', '--compress')).toEqual(['gzip']);
    const { config } = await builtFixture('layered');
    expect(await host.succeed(['pull', '-q', '--disable-content-trust', 'dir:/tmp/p-gzip'])).toBe(config.digest.slice(7));
  });

  test('a registry with a certificate of its own and a password wants both', async () => {
    const secure = await startRegistry(host, { secure: true });
    const to = `${secure.name}/team/bb:1`;
    const { user, password } = secure.credentials!;
    const refused = await host.lichen(['push', '--retry', '0', 'busybox', to]);
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toMatch(
      /Error: trying to reuse blob sha256:[0-9a-f]{64} at destination: pinging container registry .*x509: certificate signed by unknown authority/,
    );
    const noPassword = await host.lichen(['push', '--tls-verify=false', 'busybox', to]);
    expect(noPassword).toMatchObject({ exitCode: 125 });
    expect(noPassword.stderr).toContain('authentication required');
    const certificates = `${host.user.home}/certs`;
    await host.writeFile(`${certificates}/ca.crt`, await host.readFile(secure.caFile));
    await host.succeed(['push', '-q', '--cert-dir', certificates, '--creds', `${user}:${password}`, 'busybox', to]);
    await host.succeed(['pull', '-q', '--cert-dir', certificates, '--creds', `${user}:${password}`, to]);
  });

  test.each<[readonly string[], string]>([
    [['nosuch', 'REGISTRY/x'], 'nosuch: image not known'],
    [['--format', 'foo', 'busybox', 'REGISTRY/x'], `unknown format "foo". Choose on of the supported formats: 'oci', 'v2s1', or 'v2s2'`],
    [['--format', 'v2s1', 'busybox', 'REGISTRY/x'], 'manifests of the format v2s1 are not written\nRegistries have taken v2s2 since 2015.'],
    [['--compression-format', 'foo', 'busybox', 'REGISTRY/x'], 'cannot find compressor for "foo"'],
    [
      ['--compression-format', 'zstd:chunked', 'busybox', 'REGISTRY/x'],
      'compression format zstd:chunked is not supported\nUse --compression-format zstd: every reader of zstd:chunked reads it, too.',
    ],
    [
      ['--format', 'v2s2', '--compression-format', 'zstd', 'busybox', 'REGISTRY/x'],
      'compression using zstd is not supported by the v2s2 manifest format\nUse --format oci.',
    ],
    [['busybox', `REGISTRY/x@sha256:${'0'.repeat(64)}`], "Digest of source image's manifest would not match destination reference"],
    [['--sign-by', 'me', 'busybox', 'REGISTRY/x'], '--sign-by is not supported yet'],
    [['--encrypt-layer', '0', 'busybox', 'REGISTRY/x'], '--encrypt-layer is not supported yet'],
    [['busybox', 'docker-daemon:x:1'], 'unsupported transport "docker-daemon"'],
    [
      ['busybox', 'dir:/usr'],
      "initializing destination dir:/usr: not a containers image directory, don't want to overwrite important data",
    ],
    [
      ['--authfile', '/no/such', 'busybox', 'REGISTRY/x'],
      'credential file is not accessible: faccessat /no/such: no such file or directory',
    ],
  ])('%j is refused', async (argv, message) => {
    const { stdout, stderr, exitCode } = await host.lichen(['push', '-q', ...argv.map((word) => word.replace('REGISTRY', registry.name))]);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 });
  });

  test('a registry that is not there is tried again as often as said', async () => {
    const { stderr, exitCode } = await host.lichen(['push', '-q', '--retry', '1', '--retry-delay', '10ms', 'busybox', '127.0.0.1:1/x:1']);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(
      /^time=.* level=warning msg="Failed, retrying in 10ms \.\.\. \(1\/1\)\. Error: trying to reuse blob sha256:[0-9a-f]{64} at destination: pinging container registry 127\.0\.0\.1:1: .*connection refused"\nError: trying to reuse blob .*\n$/,
    );
    expect(existsSync(host.path(`${host.user.home}/nothing`))).toBe(false);
  });

  test('a blocked registry gets nothing', async () => {
    await host.writeFile(
      `${host.user.home}/.config/containers/registries.conf`,
      '[[registry]]\nlocation = "127.0.0.1:1"\nblocked = true\n',
    );
    const { stderr, exitCode } = await host.lichen(['push', '-q', 'busybox', '127.0.0.1:1/x:1']);
    expect({ stderr: stderr.replace(/ in .*/s, ''), exitCode }).toEqual({
      stderr: 'Error: registry 127.0.0.1:1 is blocked',
      exitCode: 125,
    });
  });
});
