/** The same client against a registry that others wrote: Debian's docker-registry, plain and with a password. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Blobs } from '../../storage/blobs.ts';
import type { StoredImage } from '../../storage/copy.ts';
import { MEDIA } from '../../storage/manifest.ts';
import { parsePlatform } from '../../storage/platform.ts';
import { ACCEPT_ANYTHING } from '../../storage/policy.ts';
import { pullImage, type PullRequest } from '../../storage/pull.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { loadRegistriesConf } from '../../storage/registries.ts';
import { digestOf } from '../../storage/verify.ts';
import { describe as descriptor, makeImage } from '../fixtures/images/image.ts';
import { countingSink } from '../fixtures/images/sink.ts';

const PROGRAM = '/usr/bin/docker-registry';
const CREDENTIALS = 'lichen:throw-away';
const image = makeImage([Buffer.alloc(3_000_000, 7), 'two', 'three']);

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-debian-registry-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function pull(name: string, options: Partial<PullRequest> = {}): Promise<StoredImage> {
  const env = { HOME: root };
  return pullImage({
    image: name,
    platform: parsePlatform('linux/amd64'),
    registries: await loadRegistriesConf({ config: root, system: root, env }),
    layers: countingSink(),
    blobs: new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') }),
    policy: ACCEPT_ANYTHING,
    credentials: openCredentials({ env }),
    certificates: { config: root, system: [], env },
    retries: 0,
    ...options,
  });
}

describe.skipIf(!existsSync(PROGRAM))('docker-registry', () => {
  let registry: { host: string; server: ChildProcess };
  beforeAll(async () => {
    registry = await startRegistry('open', '');
    await push(registry.host, {});
  });
  afterAll(() => stop(registry.server));

  test('gives an image by tag, by digest and out of an index', async () => {
    const stored = await pull(`${registry.host}/team/app:1`);
    expect(stored).toMatchObject({ manifestDigest: image.manifestDigest, layers: image.diffIds, names: [`${registry.host}/team/app:1`] });
    const byDigest = await pull(`${registry.host}/team/app@${image.manifestDigest}`);
    expect(byDigest).toMatchObject({ manifestDigest: image.manifestDigest, names: [`${registry.host}/team/app@${image.manifestDigest}`] });
    const fromIndex = await pull(`${registry.host}/team/app:many`);
    expect(fromIndex).toMatchObject({ manifestDigest: image.manifestDigest, indexDigest: digestOf(indexBytes()) });
  });

  test('says what it does not have in Podman’s words', async () => {
    const name = `${registry.host}/team/none`;
    await expect(pull(`${name}:1`)).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: `unable to copy from source docker://${name}:1: initializing source docker://${name}:1: reading manifest 1 in ${name}: manifest unknown`,
    });
  });
});

describe.skipIf(!existsSync(PROGRAM))('docker-registry with a password', () => {
  let registry: { host: string; server: ChildProcess };
  beforeAll(async () => {
    const hash = execFileSync('perl', ['-e', String.raw`print crypt($ARGV[0], '$2a$04$' . 'abcdefghijklmnopqrstuu')`, 'throw-away'], {
      encoding: 'utf8',
    });
    writeFileSync(join(root, 'htpasswd'), `lichen:${hash}\n`);
    registry = await startRegistry('closed', `auth: {htpasswd: {realm: test, path: ${join(root, 'htpasswd')}}}`);
    await push(registry.host, { authorization: `Basic ${Buffer.from(CREDENTIALS).toString('base64')}` });
  });
  afterAll(() => stop(registry.server));

  test('gives nothing without it, or with a wrong one', async () => {
    for (const credentials of [openCredentials({ env: { HOME: root } }), openCredentials({ creds: 'lichen:wrong', env: {} })]) {
      await expect(pull(`${registry.host}/team/app:1`, { credentials })).rejects.toMatchObject({
        code: 'REGISTRY_UNAUTHORIZED',
        message: expect.stringMatching(/reading manifest 1 in \S+\/team\/app: authentication required$/),
        hint: `Log in: lichen login ${registry.host}`,
      });
    }
  });

  test('gives the image with it', async () => {
    const stored = await pull(`${registry.host}/team/app:1`, { credentials: openCredentials({ creds: CREDENTIALS, env: {} }) });
    expect(stored.manifestDigest).toBe(image.manifestDigest);
  });
});

function indexBytes(): Buffer {
  const entry = { ...descriptor(MEDIA.ociManifest, image.manifest), platform: { os: 'linux', architecture: 'amd64' } };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [entry] }));
}

async function push(host: string, headers: Record<string, string>): Promise<void> {
  for (const [digest, blob] of image.blobs) {
    const start = await fetch(`http://${host}/v2/team/app/blobs/uploads/`, { method: 'POST', headers });
    const location = new URL(start.headers.get('location')!, `http://${host}`);
    location.searchParams.set('digest', digest);
    const put = await fetch(location, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(blob),
    });
    expect(put.status).toBe(201);
  }
  for (const [tag, type, body] of [
    ['1', MEDIA.ociManifest, image.manifest],
    ['many', MEDIA.ociIndex, indexBytes()],
  ] as const) {
    const put = await fetch(`http://${host}/v2/team/app/manifests/${tag}`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': type },
      body: new Uint8Array(body),
    });
    expect(put.status).toBe(201);
  }
}

async function startRegistry(name: string, more: string): Promise<{ host: string; server: ChildProcess }> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(root, `${name}.yml`);
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: ${join(root, name)}}}\nhttp: {addr: '${host}'}\n${more}\n`,
  );
  const server = spawn(PROGRAM, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'], env: { OTEL_TRACES_EXPORTER: 'none' } });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on')) resolve();
    });
    server.once('exit', () => reject(new Error(`the registry ended: ${said}`)));
  });
  return { host, server };
}

async function stop(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
