/** Rows of hostile registries, G02–G18, beyond those in registry.test.ts. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MEDIA } from '../../storage/manifest.ts';
import { loadPolicy } from '../../storage/policy.ts';
import type { PullRequest } from '../../storage/pull.ts';
import { checkRealm } from '../../storage/registry/challenge.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { parseReference } from '../../storage/reference.ts';
import { digestOf } from '../../storage/verify.ts';
import { describe as descriptor, makeImage, type MadeImage } from '../fixtures/images/image.ts';
import { Puller } from '../fixtures/images/puller.ts';
import { serveImage, type Misbehave, type Served } from '../fixtures/images/server.ts';

let puller: Puller;
let image: MadeImage;
beforeEach(() => {
  puller = new Puller();
  image = makeImage(['one', 'two']);
});
afterEach(() => puller[Symbol.dispose]());

type Expected = { readonly code?: string; readonly message?: string | RegExp };

async function expectRefused(served: Served, expected: Expected, options: Partial<PullRequest> = {}): Promise<void> {
  const { code, message } = expected;
  await expect(puller.pull(served.host, options)).rejects.toMatchObject({
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
  });
  expect(puller.kept()).toEqual([]);
}

const manifestObject = () => JSON.parse(image.manifest.toString());
const serveManifest =
  (body: unknown, type: string | undefined = MEDIA.ociManifest): Misbehave =>
  (request, response) => {
    if (!request.url!.includes('/manifests/')) return false;
    if (type !== undefined) response.setHeader('content-type', type);
    response.end(Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body));
    return true;
  };
/** Blobs that the made image does not have, by digest. */
const serveBlobs =
  (...blobs: readonly Buffer[]): Misbehave =>
  (request, response) => {
    const blob = blobs.find((each) => request.url!.endsWith(digestOf(each)));
    if (blob !== undefined) response.end(blob);
    return blob !== undefined;
  };
const both =
  (...answers: readonly Misbehave[]): Misbehave =>
  (...request) =>
    answers.some((answer) => answer(...request) === true);
const blobsAsked = (served: Served) => served.requests.filter(({ url }) => url.includes('/blobs/'));

test('G02: a tag that moves while it is pulled gives the image that was seen first, whole', async () => {
  const other = makeImage(['moved']);
  let asked = 0;
  await using served = await serveImage(image, (request, response, self) => {
    if (!request.url!.endsWith('/manifests/latest') || asked++ === 0) return false;
    return serveManifest(other.manifest)(request, response, self) === true;
  });
  expect(await puller.pull(served.host)).toMatchObject({ manifestDigest: image.manifestDigest, layers: image.diffIds });
});

describe('G03: a digest', () => {
  const HEX = 'a'.repeat(64);
  const bad = [
    'sha256:../../x',
    `sha256:${HEX.toUpperCase()}`,
    `sha256:${HEX}0`,
    `md5:${HEX.slice(32)}`,
    '',
    `x512:${HEX}`,
    `sha256:${HEX}/..`,
  ];
  test.each(bad)('%j in a manifest never becomes a URL or path', async (digest) => {
    for (const place of ['config', 'layer'] as const) {
      const manifest = manifestObject();
      (place === 'config' ? manifest.config : manifest.layers[0]).digest = digest;
      await using served = await serveImage(image, serveManifest(manifest));
      await expectRefused(served, { code: 'IMAGE_CORRUPT', message: place === 'config' ? 'config.digest' : 'layers.0.digest' });
      expect(blobsAsked(served)).toEqual([]);
    }
  });

  test.each(bad.filter((digest) => digest !== ''))('%j in a header is not believed', async (digest) => {
    await using served = await serveImage(image, (request, response) => {
      if (request.url!.includes('/manifests/')) response.setHeader('docker-content-digest', digest);
      return false;
    });
    await puller.pull(served.host).then(
      ({ manifestDigest }) => expect(manifestDigest).toBe(image.manifestDigest),
      (error: { code: string }) => expect(error.code).toMatch(/IMAGE_CORRUPT|REGISTRY_ERROR/),
    );
  });
});

describe('G06: a token endpoint', () => {
  const registry = new URL('https://registry.example.org');
  test.each([
    ['http://auth.example.org/token', 'from https to http'],
    ['https://127.0.0.1/token', 'internal address'],
    ['https://localhost/token', 'internal address'],
    ['https://169.254.169.254/latest/meta-data', 'internal address'],
    ['https://[::ffff:169.254.169.254]/', 'internal address'],
    ['https://[::1]/', 'internal address'],
    ['https://10.0.0.1/', 'internal address'],
    ['https://0x7f000001/', 'internal address'],
    ['https://user:secret@auth.example.org/', 'holds credentials'],
    ['file:///etc/passwd', 'no http or https URL'],
    ['gopher://x', 'no http or https URL'],
  ])('%s is refused', (realm, why) => {
    expect(() => checkRealm(realm, registry)).toThrow(
      expect.objectContaining({ code: 'REGISTRY_ERROR', message: expect.stringContaining(why) }),
    );
  });

  test('of another host never sees the credentials of the registry, and the pull says why it failed', async () => {
    await using stranger = await serveImage(image, (_, response) => ended(response.writeHead(401)));
    await using served = await serveImage(image, (_, response) =>
      ended(response.writeHead(401, { 'www-authenticate': `Bearer realm="http://127.0.0.2:${stranger.host.split(':')[1]}/token"` })),
    );
    const auth = Buffer.from('user:secret').toString('base64');
    const authFile = join(puller.root, 'auth.json');
    writeFileSync(authFile, JSON.stringify({ auths: { [served.host]: { auth } } }), { mode: 0o600 });
    await expectRefused(served, {}, { credentials: openCredentials({ authFile, env: {} }) });
    expect([...stranger.requests, ...served.requests].filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

describe('G07: a token answer', () => {
  test('without end is cut off at its limit, not read', async () => {
    let written = 0;
    await using served = await serveImage(image, (request, response, self) => {
      if (!request.url!.startsWith('/token'))
        return ended(response.writeHead(401, { 'www-authenticate': `Bearer realm="${self.url}/token"` }));
      const more = (): void => {
        written += 2 ** 18;
        if (written < 2 ** 30 && !response.destroyed) response.write(Buffer.alloc(2 ** 18, 'x'), () => setImmediate(more));
      };
      more();
      return true;
    });
    await expectRefused(served, { code: 'REGISTRY_ERROR' });
    expect(written).toBeLessThan(64 * 2 ** 20);
  });
});

describe('G08: a document', () => {
  const entry = () => ({ ...descriptor(MEDIA.ociManifest, image.manifest), platform: { os: 'linux', architecture: 'amd64' } });
  const index = (manifests: unknown) => JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests });

  test('config of 5 MiB, by its descriptor or in truth, is refused', async () => {
    const manifest = manifestObject();
    manifest.config.size = 5 * 2 ** 20;
    await using announced = await serveImage(image, serveManifest(manifest));
    await expectRefused(announced, { code: 'IMAGE_CORRUPT', message: 'config.size' });
    const big = Buffer.alloc(5 * 2 ** 20, ' ');
    const lying = { ...manifestObject(), config: { ...descriptor(MEDIA.ociConfig, big), size: 100 } };
    await using served = await serveImage(image, both(serveManifest(lying), serveBlobs(big)));
    await expectRefused(served, { code: 'IMAGE_CORRUPT' });
  });

  test('index of 10^6 entries, or 5 MiB, is refused', async () => {
    for (const body of [index(Array.from({ length: 1_000_000 }, () => 0)), Buffer.alloc(5 * 2 ** 20, ' ')]) {
      await using served = await serveImage(image, serveManifest(body, MEDIA.ociIndex));
      await expectRefused(served, { message: /descriptor|manifests|longer than|Invalid type|more than/ });
    }
  });

  test('index that names itself, or another index, does not go round in circles', async () => {
    const self = index([{ ...entry(), mediaType: MEDIA.ociIndex }]);
    await using served = await serveImage(image, serveManifest(self, MEDIA.ociIndex));
    await expectRefused(served, {});
    expect(served.requests.length).toBeLessThan(8);
  });

  test('with a key twice is read as every JSON reader does: the last counts, and digests decide', async () => {
    const text = image.manifest.toString().replace('{', '{"schemaVersion":1,"layers":[],');
    await using served = await serveImage(image, serveManifest(text));
    expect((await puller.pull(served.host)).manifestDigest).toBe(digestOf(Buffer.from(text)));
  });

  test('with __proto__ keys or 10^5 levels pollutes nothing and overflows nothing', async () => {
    const text = image.manifest.toString().replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},');
    await using served = await serveImage(image, serveManifest(text));
    await puller.pull(served.host);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const deep = image.manifest.toString().replace('{', `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)},`);
    await using other = await serveImage(image, serveManifest(deep));
    using deepPuller = new Puller();
    await deepPuller.pull(other.host).then(
      () => undefined,
      (error: { code: string }) => expect(error.code).toBe('IMAGE_CORRUPT'),
    );
  });
});

test('G09: a manifest without mediaType goes by its Content-Type, or by what it holds; one that fits neither is refused', async () => {
  const { mediaType: _, ...bare } = manifestObject();
  for (const type of [MEDIA.ociManifest, undefined, 'text/plain']) {
    await using served = await serveImage(image, serveManifest(bare, type));
    expect(await puller.pull(served.host)).toMatchObject({ layers: image.diffIds });
  }
  using fresh = new Puller();
  await using served = await serveImage(image, serveManifest(bare, MEDIA.ociIndex));
  await expect(fresh.pull(served.host)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
  expect(fresh.kept()).toEqual([]);
});

describe('G10: a descriptor', () => {
  const cases: readonly (readonly [string, (manifest: ReturnType<typeof manifestObject>) => unknown, string])[] = [
    ['a negative size', (manifest) => (manifest.layers[0].size = -1), 'layers.0.size'],
    ['a size that is no number', (manifest) => (manifest.layers[0].size = 'NaN'), 'layers.0.size'],
    ['a size of 2^53', (manifest) => (manifest.layers[1].size = 2 ** 53), 'layers.1.size'],
    ['a size of 1e400', (manifest) => (manifest.layers[1].size = '1e400'), 'layers.1.size'],
    ['a config of 0 bytes', (manifest) => (manifest.config.size = 0), 'config.size: must not be 0'],
    ['an unknown layer type', (manifest) => (manifest.layers[0].mediaType = 'application/x-evil'), '"application/x-evil" is not supported'],
    ['an unknown type of its own', (manifest) => (manifest.mediaType = 'a/b'), '"a/b", but was announced'],
    ['the config of an artifact', (manifest) => (manifest.config.mediaType = 'application/vnd.oci.empty.v1+json'), 'on artifact with type'],
    ['an encrypted layer', (manifest) => (manifest.layers[0].mediaType = `${MEDIA.ociLayer}+gzip+encrypted`), 'is not supported'],
  ];
  test.each(cases)('with %s is refused before a layer is asked for', async (_, spoil, message) => {
    const manifest = manifestObject();
    spoil(manifest);
    await using served = await serveImage(image, serveManifest(JSON.stringify(manifest).replace('"1e400"', '1e400')));
    await expectRefused(served, { code: 'IMAGE_CORRUPT', message });
    expect(blobsAsked(served)).toEqual([]);
  });
});

describe('G11: a connection', () => {
  const layer = () => image.blobs.get([...image.blobs.keys()][1]!)!;
  const isLayer = (url: string) => url.endsWith(digestOf(layer()));

  test('that stalls at 99 % is dropped and taken up where it stopped', async () => {
    let stalled = false;
    await using served = await serveImage(image, (request, response) => {
      if (!isLayer(request.url!) || stalled) return false;
      stalled = true;
      response.writeHead(200, { 'content-length': layer().length });
      response.write(layer().subarray(0, -1));
      return true;
    });
    await puller.pull(served.host, { timeoutMs: 100 });
    expect(served.requests.filter(({ url }) => isLayer(url)).map(({ headers }) => headers.range)).toEqual([
      undefined,
      `bytes=${layer().length - 1}-`,
    ]);
  });

  test('with trailers is read without believing them', async () => {
    await using served = await serveImage(image, (request, response) => {
      if (!isLayer(request.url!)) return false;
      response.writeHead(200, { trailer: 'docker-content-digest, content-length' });
      response.write(layer());
      response.addTrailers({ 'docker-content-digest': `sha256:${'0'.repeat(64)}`, 'x-more': 'y'.repeat(4000) });
      return ended(response);
    });
    expect(await puller.pull(served.host)).toMatchObject({ layers: image.diffIds });
  });
});

describe('G13: a proxy', () => {
  test('gets its own credentials; the registry and the host it redirects to do not, nor does any message', async () => {
    const layer = digestOf(image.blobs.get([...image.blobs.keys()][1]!)!);
    // Whoever is asked through a proxy sees absolute URLs: this proxy answers for every host itself.
    await using proxy = await serveImage(image, (request, response) => {
      if (request.method === 'CONNECT') return false;
      const { hostname, pathname } = new URL(request.url!);
      request.url = pathname;
      if (request.headers.authorization === undefined && hostname === 'registry.test') {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
        return ended(response);
      }
      if (hostname !== 'registry.test' || !pathname.endsWith(layer)) return false;
      response.writeHead(307, { location: `http://blobs.test${pathname}` });
      return ended(response);
    });
    const through = (host: string): Partial<PullRequest> => ({
      tlsVerify: false,
      certificates: { config: puller.root, system: [], env: { http_proxy: `http://proxy-user:proxy-secret@${host}` } },
    });
    const credentials = { find: async () => ({ username: 'me', password: 'registry-secret' }) } as unknown as PullRequest['credentials'];
    const pulled = await puller.pull('registry.test', { ...through(proxy.host), credentials });
    expect(pulled.layers).toEqual(image.diffIds);
    const [, elsewhere] = [/registry/, /blobs\.test/].map((host) => proxy.requests.filter(({ headers }) => host.test(headers.host ?? '')));
    expect(elsewhere!.length).toBeGreaterThan(0);
    expect(elsewhere!.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    const proxied = `Basic ${Buffer.from('proxy-user:proxy-secret').toString('base64')}`;
    expect(new Set(proxy.requests.map(({ headers }) => headers['proxy-authorization']))).toEqual(new Set([proxied]));

    const failure: unknown = await puller.pull('registry.test', through('127.0.0.1:1')).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(inspect(failure, { depth: 10 })).not.toContain('proxy-secret');
  });
});

describe('G11: HTTP/2', () => {
  test('is not offered, and a server that would like it gets HTTP/1.1', async () => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'h2.key'];
    const ssl = ['req', '-x509', ...key, '-out', 'h2.crt', '-days', '2', '-subj', '/CN=127.0.0.1'];
    execFileSync('openssl', ssl, { cwd: puller.root, stdio: 'ignore' });
    const spoken = new Set<string>();
    await using served = await serveImage(
      image,
      (request) => {
        spoken.add(`${request.httpVersion} ${String((request.socket as TLSSocket).alpnProtocol)}`);
        return false;
      },
      {
        key: readFileSync(join(puller.root, 'h2.key')),
        cert: readFileSync(join(puller.root, 'h2.crt')),
        ALPNProtocols: ['h2', 'http/1.1'],
      },
    );
    await puller.pull(served.host, { tlsVerify: false });
    expect([...spoken]).toEqual(['1.1 false']);
  });
});

describe('G13: TLS', () => {
  const ssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: puller.root, stdio: 'ignore' });
  const make = (name: string, subject: string, ...signing: string[]): { key: Buffer; cert: Buffer } => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    ssl('req', '-x509', ...key, '-out', `${name}.crt`, '-subj', `/CN=${subject}`, ...signing);
    return { key: readFileSync(join(puller.root, `${name}.key`)), cert: readFileSync(join(puller.root, `${name}.crt`)) };
  };
  const trusting = (file: string): Partial<PullRequest> => ({
    certificates: { config: puller.root, system: [], env: { LICHEN_EXTRA_CA_CERTS: join(puller.root, file) } },
  });

  test('a certificate for another host is refused', async () => {
    await using served = await serveImage(
      image,
      undefined,
      make('other', 'example.org', '-addext', 'subjectAltName=DNS:example.org', '-days', '2'),
    );
    await expectRefused(served, { code: 'REGISTRY_UNREACHABLE', message: 'x509' }, trusting('other.crt'));
    expect(served.requests).toEqual([]);
  });

  test('a certificate that has expired is refused', async () => {
    const { key } = make('old', '127.0.0.1');
    // Only `ca` can date a certificate back.
    const lines = ['[ca]', 'default_ca=d', '[d]', 'database=index', 'serial=serial', 'new_certs_dir=.', 'default_md=sha256', 'policy=p'];
    writeFileSync(join(puller.root, 'ca.cnf'), [...lines, '[p]', 'commonName=supplied', ''].join('\n'));
    writeFileSync(join(puller.root, 'index'), '');
    writeFileSync(join(puller.root, 'serial'), '01\n');
    writeFileSync(join(puller.root, 'san'), 'subjectAltName=IP:127.0.0.1\n');
    ssl('req', '-new', '-key', 'old.key', '-subj', '/CN=127.0.0.1', '-out', 'old.csr');
    const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
    const signing = ['-batch', '-config', 'ca.cnf', '-selfsign', '-keyfile', 'old.key', '-extfile', 'san'];
    ssl('ca', ...signing, ...dates, '-in', 'old.csr', '-out', 'past.crt');
    await using served = await serveImage(image, undefined, { key, cert: readFileSync(join(puller.root, 'past.crt')) });
    await expectRefused(served, { code: 'REGISTRY_UNREACHABLE', message: 'expired' }, trusting('past.crt'));
    expect(served.requests).toEqual([]);
  });

  test('a server that only speaks TLS 1.1 is refused', async () => {
    const pair = make('tls', '127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2');
    await using served = await serveImage(image, undefined, {
      ...pair,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    await expectRefused(served, { code: 'REGISTRY_UNREACHABLE' }, trusting('tls.crt'));
    await expectRefused(served, { code: 'REGISTRY_UNREACHABLE' }, { tlsVerify: false });
    expect(served.requests).toEqual([]);
  });

  test('insecure for one registry is not insecure for another', async () => {
    const pair = make('self', '127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2');
    await using trusted = await serveImage(image, undefined, pair);
    await using served = await serveImage(image, undefined, pair);
    writeFileSync(join(puller.root, 'registries.conf'), `[[registry]]\nlocation = "${trusted.host}"\ninsecure = true\n`);
    await puller.pull(trusted.host);
    using other = new Puller();
    writeFileSync(join(other.root, 'registries.conf'), `[[registry]]\nlocation = "${trusted.host}"\ninsecure = true\n`);
    await expect(other.pull(served.host)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(served.requests).toEqual([]);
  });
});

test('G14: annotations and names from a registry are printed without control characters', async () => {
  const manifest = { ...manifestObject(), mediaType: 'a\u001b[2Jb\r\nc' };
  await using served = await serveImage(image, serveManifest(manifest));
  // oxlint-disable-next-line no-control-regex -- that there are none is the point
  await expectRefused(served, { code: 'IMAGE_CORRUPT', message: /^[^\u0000-\u001f]*$/ });
});

describe('G15: credentials', () => {
  const basic: Misbehave = (request, response) =>
    request.headers.authorization === undefined && ended(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }));

  test.each(['../../x', ';sh', '-rm', 'a b', '$(touch x)', 'a/b', ''])(
    'of a helper named %j are refused, and nothing is run',
    async (name) => {
      await using served = await serveImage(image, basic);
      const authFile = join(puller.root, 'auth.json');
      writeFileSync(authFile, JSON.stringify({ credHelpers: { [served.host]: name } }), { mode: 0o600 });
      await expectRefused(
        served,
        { code: 'CONFIG', message: 'invalid credential helper name' },
        { credentials: openCredentials({ authFile, env: {} }) },
      );
    },
  );

  test('of a helper that prints megabytes, or fails with secrets on its lips, are an error that shows none of it', async () => {
    const path = process.env['PATH'];
    try {
      mkdirSync(join(puller.root, 'bin'));
      process.env['PATH'] = `${join(puller.root, 'bin')}:${path}`;
      for (const script of ['yes hunter2 | head -c 20000000', 'echo hunter2; exit 3', 'echo hunter2 >&2; exit 1']) {
        writeFileSync(join(puller.root, 'bin/docker-credential-loud'), `#!/bin/sh\n${script}\n`);
        chmodSync(join(puller.root, 'bin/docker-credential-loud'), 0o755);
        await using served = await serveImage(image, basic);
        const authFile = join(puller.root, 'auth.json');
        writeFileSync(authFile, JSON.stringify({ credHelpers: { [served.host]: 'loud' } }), { mode: 0o600 });
        const failure = await puller
          .pull(served.host, { credentials: openCredentials({ authFile, env: {} }) })
          .catch((error: Error) => error);
        expect(failure).toMatchObject({ name: 'EngineError' });
        expect((failure as Error).message).not.toContain('hunter2');
      }
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('from an auth file that is a device or too large are refused; a link to a file is followed, as Podman does', async () => {
    await using served = await serveImage(image, basic);
    const link = join(puller.root, 'link.json');
    symlinkSync('/dev/zero', link);
    await expectRefused(
      served,
      { code: 'CONFIG', message: 'no regular file' },
      { credentials: openCredentials({ authFile: link, env: {} }) },
    );
    const large = join(puller.root, 'large.json');
    writeFileSync(large, Buffer.alloc(2 ** 20 + 1, ' '));
    await expectRefused(served, { code: 'CONFIG', message: 'larger than' }, { credentials: openCredentials({ authFile: large, env: {} }) });
  });

  test('in a reference are a parse error that does not repeat the password', () => {
    expect(() => parseReference('user:hunter2@quay.io/x')).toThrow(expect.objectContaining({ code: 'INVALID_REFERENCE' }));
  });
});

describe('G16: a reference', () => {
  test.each([
    'a//b',
    'x@sha256:abc',
    '-rm',
    '--rm',
    'a．b',
    'quay.io/x:',
    'host:99999/x/',
    'a'.repeat(10_000),
    'x\u0000y',
    'x:a b',
    '../x',
  ])('%j never reaches the network', async (text) => {
    await expect(puller.pull('unused', { image: text })).rejects.toMatchObject({ code: 'INVALID_REFERENCE' });
  });

  test('with a port that cannot be is an error', async () => {
    await expect(puller.pull('127.0.0.1:99999')).rejects.toMatchObject({ name: 'EngineError' });
  });
});

describe('G17: a layer with a table of contents (zstd:chunked, eStargz)', () => {
  const table = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18]), u32(bytes.length), bytes]);
  const made = (blob: Buffer, mediaType: string, annotations: object): readonly Misbehave[] => {
    const config = { ...JSON.parse(image.config.toString()), rootfs: { type: 'layers', diff_ids: [image.diffIds[0]] } };
    const bytes = Buffer.from(JSON.stringify(config));
    const layers = [{ ...descriptor(mediaType, blob), annotations }];
    const manifest = { schemaVersion: 2, mediaType: MEDIA.ociManifest, config: descriptor(MEDIA.ociConfig, bytes), layers };
    return [serveManifest(manifest), serveBlobs(blob, bytes)];
  };
  const lies = {
    'io.github.containers.zstd-chunked.manifest-checksum': `sha256:${'0'.repeat(64)}`,
    'io.github.containers.zstd-chunked.manifest-position': '1:99999999:1:1',
    'containerd.io/snapshot/stargz/toc.digest': `sha256:${'1'.repeat(64)}`,
  };

  test('that lies is pulled whole; the table is not looked at, the diff-id decides', async () => {
    const tar = image.layers[0]!;
    const toc = Buffer.from(JSON.stringify({ version: 1, entries: [{ name: 'other', type: 'reg', chunkOffset: -5, size: 2 ** 60 }] }));
    for (const [blob, type] of [
      [Buffer.concat([zstdCompressSync(tar), table(toc)]), `${MEDIA.ociLayer}+zstd`],
      [Buffer.concat([table(toc), zstdCompressSync(tar), table(Buffer.alloc(0))]), `${MEDIA.ociLayer}+zstd`],
      [Buffer.concat([gzipSync(tar.subarray(0, 512)), gzipSync(tar.subarray(512)), gzipSync('')]), `${MEDIA.ociLayer}+gzip`],
    ] as const) {
      using fresh = new Puller();
      await using served = await serveImage(image, both(...made(blob, type, lies)));
      expect((await fresh.pull(served.host)).layers).toEqual([image.diffIds[0]]);
      expect(blobsAsked(served).every(({ headers }) => headers.range === undefined)).toBe(true);
    }
  });

  test('whose real tar is another than the diff-id is refused', async () => {
    const blob = Buffer.concat([zstdCompressSync(image.layers[1]!), table(Buffer.from('{}'))]);
    await using served = await serveImage(image, both(...made(blob, `${MEDIA.ociLayer}+zstd`, lies)));
    await expectRefused(served, { code: 'IMAGE_CORRUPT' });
  });
});

describe('G18: a signature policy', () => {
  const write = (policy: unknown): string => {
    const file = join(puller.root, 'policy.json');
    writeFileSync(file, typeof policy === 'string' ? policy : JSON.stringify(policy));
    return file;
  };
  const load = (file: string) => loadPolicy({ config: puller.root, file });

  test.each(['signedBy', 'sigstoreSigned', 'signedBaseLayer', 'nonsense'])(
    'that asks for %s lets nothing through, and fetches no signature',
    async (type) => {
      await using served = await serveImage(image);
      const keyPath = '/nowhere';
      const policy = await load(
        write({
          default: [{ type: 'insecureAcceptAnything' }],
          transports: {
            docker: { [served.host]: [{ type, keyPath, signedIdentity: { type: 'exactRepository', dockerRepository: 'other/x' } }] },
          },
        }),
      );
      await expectRefused(served, { code: 'POLICY_REJECTED' }, { policy });
      expect(blobsAsked(served)).toEqual([]);
      expect(served.requests.filter(({ url }) => /\.sig|signatures|referrers/.test(url))).toEqual([]);
    },
  );

  test('of all requirements must hold: one that accepts does not outweigh one that cannot be checked', async () => {
    await using served = await serveImage(image);
    const policy = await load(write({ default: [{ type: 'insecureAcceptAnything' }, { type: 'signedBy' }] }));
    await expectRefused(served, { code: 'POLICY_REJECTED' }, { policy });
  });

  test.each(['', '{', '[]', '{}', '{"default":[]}', '{"default":[{}]}', '{"default":[{"type":"reject"}],"extra":1}', 'null'])(
    'that is %j is an error, not a permission',
    async (text) => {
      await expect(load(write(text))).rejects.toMatchObject({ code: 'CONFIG' });
    },
  );

  test('that was named and is not there is an error', async () => {
    await expect(load(join(puller.root, 'nowhere.json'))).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

/** J05: node:http leaves redirects to us, so what drops the headers is our own code; nothing of undici or fetch is on the way. */
test('J05: authorization, cookies and proxy credentials are dropped for good on the way to another origin, and back', async () => {
  const back: Misbehave = (request, response) => ended(response.writeHead(302, { location: `${home}${request.url!}?back` }));
  let home = '';
  await using other = await serveImage(
    image,
    (request, response, self) => request.url!.includes('/blobs/') && back(request, response, self),
  );
  await using served = await serveImage(image, (request, response) => {
    if (request.url!.includes('?back'))
      return serveBlobs(...image.blobs.values())({ url: request.url!.replace('?back', '') } as never, response, served);
    if (request.headers.authorization === undefined)
      return ended(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"', 'set-cookie': 'a=b' }));
    if (!request.url!.includes('/blobs/')) return false;
    return ended(response.writeHead(307, { location: other.url + request.url! }));
  });
  home = served.url;
  await puller.pull(served.host, { credentials: openCredentials({ creds: 'user:secret', env: {} }) });
  const away = [...other.requests, ...served.requests.filter(({ url }) => url.includes('?back'))];
  expect(away.length).toBe(6);
  for (const { headers } of away)
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) expect(headers[name]).toBeUndefined();
  for (const module of ['http.ts', 'redirect.ts'])
    expect(readFileSync(join(import.meta.dirname, '../../storage/registry', module), 'utf8')).not.toMatch(/\bfetch\(|maxRedirections/);
});

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function ended(response: ServerResponse): true {
  response.end();
  return true;
}
