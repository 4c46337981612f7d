import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath, type ImageName } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { freePort, testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const usable = canRunRegistry && canMakeImages;

async function hostWithRegistry(options: { secure?: boolean } = {}): Promise<{ host: TestHost; registry: Registry } & AsyncDisposable> {
  const host = await testHost();
  const registry = await startRegistry(host, options);
  await pushFixture(await builtFixture('busybox'), registry, 'team/bb', '1');
  return { host, registry, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

const idOf = async (name: ImageName) => (await builtFixture(name)).config.digest.slice('sha256:'.length);

describe.skipIf(!usable)('pull', () => {
  test('an image comes from a registry, says how on stderr and its id on stdout', async () => {
    await using place = await hostWithRegistry();
    const { host, registry } = place;
    const { config, layers } = await builtFixture('busybox');
    const pulled = await host.lichen(['pull', `${registry.name}/team/bb:1`]);
    expect(pulled).toMatchObject({
      stdout: `${await idOf('busybox')}\n`,
      stderr: `Trying to pull ${registry.name}/team/bb:1...\nGetting image source signatures\nCopying blob ${layers[0]!.digest}\nCopying config ${config.digest}\nWriting manifest to image destination\n`,
      exitCode: 0,
    });
    expect(await host.succeed(['images', '--noheading', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}'])).toBe(
      `${registry.name}/team/bb:1 ${(await builtFixture('busybox')).manifest.digest}`,
    );
    expect(await host.succeed(['run', '--rm', '--network', 'none', `${registry.name}/team/bb:1`, 'echo', 'ran'])).toBe('ran');
    expect(await host.lichen(['pull', '-q', 'bb:1', '--policy', 'missing'])).toMatchObject({
      stdout: `${await idOf('busybox')}\n`,
      stderr: '',
    });
  });

  test('run pulls what is not here, --pull=never does not', async () => {
    await using place = await hostWithRegistry();
    const { host, registry } = place;
    const name = `docker://${registry.name}/team/bb:1`;
    expect(await host.lichen(['run', '--rm', '--pull', 'never', `${registry.name}/team/bb:1`, 'true'])).toMatchObject({
      stderr: `Error: ${registry.name}/team/bb:1: image not known\n`,
      exitCode: 125,
    });
    const run = await host.lichen(['run', '--rm', '--network', 'none', name, 'echo', 'ran']);
    expect(run).toMatchObject({ stdout: 'ran\n', exitCode: 0 });
    expect(run.stderr).toContain('Trying to pull ');
    expect((await host.lichen(['run', '--rm', '--network', 'none', '-q', '--pull', 'always', name, 'true'])).stderr).toBe('');
  });

  test('a registry with a certificate of its own and a password wants both', async () => {
    await using place = await hostWithRegistry({ secure: true });
    const { host, registry } = place;
    const name = `${registry.name}/team/bb:1`;
    const { user, password } = registry.credentials!;
    await host.writeFile(`${host.user.home}/certs/ca.crt`, registry.ca!);
    const anonymous = await host.lichen(['pull', '--retry', '0', '--cert-dir', `${host.user.home}/certs`, name]);
    expect(anonymous.exitCode).toBe(125);
    expect(anonymous.stderr).toContain('authentication required');
    const unknown = await host.lichen(['pull', '--retry', '0', '--creds', `${user}:${password}`, name]);
    expect(unknown.stderr).toMatch(/certificate/);
    expect(await host.succeed(['pull', '-q', '--creds', `${user}:${password}`, '--cert-dir', `${host.user.home}/certs`, name])).toBe(
      await idOf('busybox'),
    );
    await host.succeed(['rmi', '--all']);
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await host.writeFile(`${host.user.home}/auth.json`, JSON.stringify({ auths: { [registry.name]: { auth } } }), 0o600);
    expect(await host.succeed(['pull', '-q', '--authfile', 'auth.json', '--tls-verify=false', name])).toBe(await idOf('busybox'));
    expect(await host.lichen(['pull', '--authfile', '/no/such', name])).toMatchObject({
      stderr: 'Error: credential file is not accessible: faccessat /no/such: no such file or directory\n',
      exitCode: 125,
    });
  });

  test('an unknown repository and a registry that is not there are told as Podman does', async () => {
    await using place = await hostWithRegistry();
    const { host, registry } = place;
    const none = `${registry.name}/team/none:1`;
    expect(await host.lichen(['pull', none])).toMatchObject({
      stdout: '',
      stderr: `Trying to pull ${none}...\nError: unable to copy from source docker://${none}: initializing source docker://${none}: reading manifest 1 in ${registry.name}/team/none: manifest unknown\n`,
      exitCode: 125,
    });
    const dead = `127.0.0.1:${await freePort()}`;
    expect(await host.lichen(['pull', '--retry', '0', '--tls-verify=false', `${dead}/x:1`])).toMatchObject({
      stderr: `Trying to pull ${dead}/x:1...\nError: unable to copy from source docker://${dead}/x:1: initializing source docker://${dead}/x:1: pinging container registry ${dead}: Get "http://${dead}/v2/": dial tcp ${dead}: connect: connection refused\n`,
      exitCode: 125,
    });
    const retried = await host.lichen(['pull', '-q', '--retry', '1', '--retry-delay', '10ms', `${dead}/x:1`]);
    expect(retried.stderr).toContain('level=warning msg="Failed, retrying in 10ms ... (1/1). Error: initializing source');
    const several = await host.lichen(['pull', '-q', none, `${registry.name}/team/bb:1`]);
    expect(several).toMatchObject({ stdout: `${await idOf('busybox')}\n`, exitCode: 125 });
  });

  test('short names follow aliases, search registries and mirrors of registries.conf', async () => {
    await using place = await hostWithRegistry();
    const { host, registry } = place;
    const conf = (text: string) => host.writeFile(`${host.user.home}/.config/containers/registries.conf`, text);
    await conf('unqualified-search-registries = []\n');
    expect(await host.lichen(['pull', 'team/bb:1'])).toMatchObject({
      stderr: expect.stringContaining(
        'Error: short-name "team/bb:1" did not resolve to an alias and no unqualified-search registries are defined in',
      ),
      exitCode: 125,
    });
    await conf(`unqualified-search-registries = ["${registry.name}"]\n`);
    expect(await host.succeed(['pull', '-q', 'team/bb:1'])).toBe(await idOf('busybox'));
    await host.succeed(['rmi', '--all']);
    await conf(`[aliases]\n"short" = "${registry.name}/team/bb"\n`);
    expect(await host.succeed(['pull', '-q', 'short:1'])).toBe(await idOf('busybox'));
    await host.succeed(['rmi', '--all']);
    await conf(
      `[[registry]]\nprefix = "example.test"\nlocation = "example.test"\n[[registry.mirror]]\nlocation = "${registry.name}"\ninsecure = true\n`,
    );
    expect(await host.succeed(['pull', '-q', 'example.test/team/bb:1'])).toBe(await idOf('busybox'));
    expect(await host.succeed(['images', '--noheading', '--format', '{{.Repository}}'])).toBe('example.test/team/bb');
  });

  test('a newer image is taken over, and the one that is here kept when the registry is gone', async () => {
    await using place = await hostWithRegistry();
    const { host, registry } = place;
    const name = `${registry.name}/team/bb:1`;
    await host.succeed(['pull', '-q', name]);
    await pushFixture(await builtFixture('configured'), registry, 'team/bb', '1');
    expect(await host.succeed(['pull', '-q', '--policy', 'missing', name])).toBe(await idOf('busybox'));
    expect(await host.succeed(['pull', '-q', '--policy', 'newer', name])).toBe(await idOf('configured'));
    expect(await host.succeed(['images', '--noheading', '--filter', 'dangling=true', '-q', '--no-trunc'])).toBe('');
    expect(await host.succeed(['images', '-aq', '--no-trunc'])).toContain(await idOf('busybox'));
  });

  test('another platform than the machine has is told', async () => {
    await using host = await testHost();
    const archive = host.fixture(await fixturePath('foreign'));
    const pulled = await host.lichen(['pull', `docker-archive:${archive}`]);
    expect(pulled.stdout).toBe(`${await idOf('foreign')}\n`);
    expect(pulled.stderr).toMatch(/level=warning msg="image platform \(linux\/s390x\) does not match the expected platform \(linux\/\w+\)/);
    expect((await host.lichen(['pull', '--platform', 'linux/s390x', `docker-archive:${archive}`])).stderr).not.toContain('level=warning');
  });
});

describe.skipIf(!canMakeImages)('a pull that is cut short', () => {
  test('leaves no image; the next command heals what was half done, the next pull takes up what is complete', async () => {
    await using host = await testHost();
    await using server = await stallingRegistry('layered');
    const name = `127.0.0.1:${server.port}/layered:1`;
    await using pull = host.spawnLichen(['pull', name]);
    await server.stalled;
    await expect.poll(() => readdirSync(host.path(`${host.store}/tmp`)).length).toBeGreaterThan(0);
    pull.signal('SIGKILL');
    await pull.finish();
    expect(readdirSync(host.path(`${host.store}/tmp`))).not.toEqual([]);
    expect(await host.succeed(['images', '-aq'])).toBe('');
    server.release();
    expect(await host.succeed(['pull', '-q', name])).toBe(await idOf('layered'));
    expect(readdirSync(host.path(`${host.store}/tmp`))).toEqual([]);
    expect(await host.succeed(['run', '--rm', '--network', 'none', name, 'cat', '/data/replaced'])).toBe('upper');
  });
});

/** Gives half of the image's last layer and then nothing, until it is released. */
async function stallingRegistry(name: ImageName): Promise<{ port: number; stalled: Promise<void>; release: () => void } & AsyncDisposable> {
  const built = await builtFixture(name);
  const last = built.layers.at(-1)!.digest;
  const { promise: stalled, resolve } = Promise.withResolvers<void>();
  let released = false;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    const digest = /sha256:[0-9a-f]{64}/.exec(path)?.[0] ?? (path.includes('/manifests/') ? built.manifest.digest : undefined);
    if (digest === undefined) {
      response.end('{}');
      return;
    }
    const bytes = await readFile(join(built.directory, 'oci/blobs/sha256', digest.slice('sha256:'.length)));
    if (path.includes('/manifests/')) response.setHeader('content-type', built.manifest.mediaType);
    response.setHeader('content-length', bytes.length);
    if (digest !== last || released) response.end(bytes);
    else {
      response.write(bytes.subarray(0, bytes.length / 2));
      resolve();
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stalled,
    release: () => (released = true),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
