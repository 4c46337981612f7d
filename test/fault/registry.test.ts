import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Blobs } from '../../storage/blobs.ts';
import type { StoredImage } from '../../storage/copy.ts';
import { MEDIA } from '../../storage/manifest.ts';
import { parsePlatform } from '../../storage/platform.ts';
import { ACCEPT_ANYTHING } from '../../storage/policy.ts';
import type { CopyEvent } from '../../storage/progress.ts';
import { pullImage, type PullRequest } from '../../storage/pull.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { loadRegistriesConf } from '../../storage/registries.ts';
import { digestOf } from '../../storage/verify.ts';
import { describe as descriptor, makeImage, type MadeImage } from '../fixtures/images/image.ts';
import { serveImage, type Misbehave, type Served } from '../fixtures/images/server.ts';
import { countingSink, type CountingSink } from '../fixtures/images/sink.ts';

let root: string;
let layers: CountingSink;
let image: MadeImage;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-registry-'));
  layers = countingSink();
  // Random, so that a blob is larger than what one socket read delivers.
  image = makeImage([randomBytes(300_000), 'second']);
});
afterEach(() => rmSync(root, { recursive: true }));

async function pull(host: string, options: Partial<PullRequest> = {}): Promise<StoredImage> {
  const env = { HOME: root };
  return pullImage({
    image: `${host}/team/app`,
    platform: parsePlatform('linux/amd64'),
    registries: await loadRegistriesConf({ config: root, system: join(root, 'system'), env }),
    layers,
    blobs: new Blobs({ directory: join(root, 'blobs'), staging: join(root, 'tmp') }),
    policy: ACCEPT_ANYTHING,
    credentials: openCredentials({ env }),
    certificates: { config: root, system: [], env },
    retries: 0,
    timeoutMs: 20_000,
    pauseMs: 2,
    ...options,
  });
}

/** Nothing that names an image is left: no manifest, no config, nothing half done. */
function expectNothingKept(): void {
  const kept = existsSync(join(root, 'blobs/sha256')) ? readdirSync(join(root, 'blobs/sha256')) : [];
  const staged = existsSync(join(root, 'tmp')) ? readdirSync(join(root, 'tmp')) : [];
  expect([...kept, ...staged]).toEqual([]);
}

async function expectRefused(
  misbehave: Misbehave,
  expected: { code?: string; message?: string | RegExp },
  options: Partial<PullRequest> = {},
): Promise<Served> {
  await using served = await serveImage(image, misbehave);
  await expect(pull(served.host, options)).rejects.toMatchObject({
    ...(expected.code === undefined ? {} : { code: expected.code }),
    ...(expected.message === undefined
      ? {}
      : {
          message:
            typeof expected.message === 'string' ? expect.stringContaining(expected.message) : expect.stringMatching(expected.message),
        }),
  });
  expectNothingKept();
  return served;
}

const isBlob = (url: string | undefined): boolean => url!.includes('/blobs/');
const layerDigest = (): string => [...image.blobs.keys()][1]!;
const isLayer = (url: string | undefined): boolean => url!.endsWith(layerDigest());

test('a well-behaved registry gives the image, and says so in Podman’s order', async () => {
  await using served = await serveImage(image);
  const events: CopyEvent[] = [];
  const stored = await pull(served.host, { onEvent: (event) => events.push(event) });
  expect(stored).toMatchObject({ manifestDigest: image.manifestDigest, layers: image.diffIds, names: [`${served.host}/team/app:latest`] });
  expect([...layers.kept.keys()].toSorted()).toEqual([...image.diffIds].toSorted());
  expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'layer')).toEqual([
    'trying',
    'signatures',
    'blob',
    'blob',
    'config',
    'manifest',
  ]);
  expect(readFileSync(join(root, 'blobs/sha256', image.manifestDigest.slice(7)))).toEqual(image.manifest);
});

test('a proxy in the environment is not used for loopback', async () => {
  await using served = await serveImage(image);
  const proxy = 'http://127.0.0.1:1';
  await pull(served.host, { certificates: { config: root, system: [], env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } } });
  expect(layers.kept.size).toBe(2);
});

test('layers that are here are not fetched again', async () => {
  await using served = await serveImage(image);
  await pull(served.host);
  const before = served.requests.length;
  await pull(served.host);
  expect(served.requests.slice(before).filter(({ url }) => url.includes('/blobs/'))).toHaveLength(1);
});

describe('blobs (G01, G11, G12)', () => {
  test.each<[string, (blob: Buffer) => Buffer]>([
    ['other bytes', (blob) => Buffer.from(blob).fill(0, 100, 200)],
    ['more bytes', (blob) => Buffer.concat([blob, Buffer.from('x')])],
    ['fewer bytes with a clean end', (blob) => blob.subarray(0, -1)],
  ])('of %s than the digest says are refused', async (_, spoil) => {
    await expectRefused((request, response) => {
      if (!isLayer(request.url)) return false;
      response.end(spoil(image.blobs.get(layerDigest() as never)!));
      return true;
    }, {});
    expect(layers.kept.has(image.diffIds[0]!)).toBe(false);
  });

  test('whose connection breaks are taken up where they stopped', async () => {
    let breaks = 0;
    await using served = await serveImage(image, (request, response) => {
      const blob = image.blobs.get(layerDigest() as never)!;
      if (!isLayer(request.url) || breaks === 3) return false;
      const offset = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
      breaks++;
      response.writeHead(offset === 0 ? 200 : 206, {
        'content-length': blob.length - offset,
        ...(offset === 0 ? {} : { 'content-range': `bytes ${offset}-${blob.length - 1}/${blob.length}` }),
      });
      response.write(blob.subarray(offset, offset + 50_000), () => response.destroy());
      return true;
    });
    await pull(served.host);
    const ranges = served.requests.filter(({ url }) => isLayer(url)).map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!))).toBe(true);
    expect(layers.kept.size).toBe(2);
  });

  test('from a server that ignores ranges are not pasted together wrongly', async () => {
    let first = true;
    await using served = await serveImage(image, (request, response) => {
      if (!isLayer(request.url)) return false;
      const blob = image.blobs.get(layerDigest() as never)!;
      response.writeHead(200, { 'content-length': blob.length });
      if (first) response.write(blob.subarray(0, 70_000), () => response.destroy());
      else response.end(blob);
      first = false;
      return true;
    });
    await pull(served.host);
    expect(layers.kept.size).toBe(2);
  });

  test('with a wrong Content-Range are refused', async () => {
    let first = true;
    await expectRefused(
      (request, response) => {
        if (!isLayer(request.url)) return false;
        const blob = image.blobs.get(layerDigest() as never)!;
        if (first) response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 70_000), () => response.destroy());
        else response.writeHead(206, { 'content-range': `bytes 5-${blob.length - 1}/${blob.length}` }).end(blob.subarray(5));
        first = false;
        return true;
      },
      { code: 'REGISTRY_ERROR', message: 'got another part' },
    );
  });

  test('that a proxy compressed are refused', async () => {
    await expectRefused(
      (request, response) => {
        if (!isLayer(request.url)) return false;
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(image.blobs.get(layerDigest() as never)!));
        return true;
      },
      { code: 'REGISTRY_ERROR', message: 'Content-Encoding' },
    );
  });

  test('that stall or break for ever are given up', async () => {
    await expectRefused(
      (request, response) => {
        if (!isLayer(request.url)) return false;
        response.writeHead(200, { 'content-length': 1000 });
        response.flushHeaders();
        return true;
      },
      { code: 'REGISTRY_UNREACHABLE' },
      { timeoutMs: 40 },
    );
  });

  test('that drip a byte at a time are given up', async () => {
    const drips: NodeJS.Timeout[] = [];
    await expectRefused(
      (request, response) => {
        if (!isLayer(request.url)) return false;
        const blob = image.blobs.get(layerDigest() as never)!;
        response.writeHead(request.headers.range === undefined ? 200 : 500, { 'content-length': blob.length });
        let sent = 0;
        drips.push(setInterval(() => response.write(blob.subarray(sent, ++sent)), 10));
        return true;
      },
      {},
      { timeoutMs: 100 },
    );
    drips.forEach(clearInterval);
  });
});

describe('manifests (G02, G03, G08, G09)', () => {
  const serveManifest =
    (body: unknown, type?: string): Misbehave =>
    (request, response) => {
      if (!request.url!.includes('/manifests/')) return false;
      response.setHeader('content-type', type ?? MEDIA.ociManifest);
      response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
      return true;
    };

  test('that are not the digest asked for are refused', async () => {
    await using served = await serveImage(image, serveManifest(image.manifest));
    await expect(pull(served.host, { image: `${served.host}/team/app@sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
      message: expect.stringContaining(`manifest is ${image.manifestDigest}, not sha256:000`),
    });
    expectNothingKept();
  });

  test('whose Docker-Content-Digest lies are refused', async () => {
    await expectRefused(
      (request, response) => {
        if (request.url!.includes('/manifests/')) response.setHeader('docker-content-digest', `sha256:${'0'.repeat(64)}`);
        return false;
      },
      { code: 'IMAGE_CORRUPT', message: `not sha256:${'0'.repeat(64)}` },
    );
  });

  test('of more than 4 MiB are refused without reading them whole', async () => {
    await expectRefused(serveManifest(Buffer.alloc(5 * 2 ** 20, ' ')), { code: 'REGISTRY_ERROR', message: 'longer than 4194304 bytes' });
  });

  test('that may be read in two ways are refused', async () => {
    await expectRefused(serveManifest({ ...JSON.parse(image.manifest.toString()), manifests: [] }), {
      code: 'IMAGE_CORRUPT',
      message: 'only one of them',
    });
    await expectRefused(serveManifest(image.manifest, MEDIA.dockerManifest), { code: 'IMAGE_CORRUPT', message: 'was announced as' });
  });

  test('with digests that climb never become a URL', async () => {
    const manifest = { ...JSON.parse(image.manifest.toString()) };
    manifest.layers[0].digest = 'sha256:../../../etc/passwd';
    const served = await expectRefused(serveManifest(manifest), { code: 'IMAGE_CORRUPT', message: 'layers.0.digest' });
    expect(served.requests.some(({ url }) => isBlob(url))).toBe(false);
  });

  test('are picked from an index for the platform; an index in it or none that suits is refused', async () => {
    const entry = { ...descriptor(MEDIA.ociManifest, image.manifest), platform: { os: 'linux', architecture: 'amd64' } };
    const index = {
      schemaVersion: 2,
      mediaType: MEDIA.ociIndex,
      manifests: [{ ...entry, digest: `sha256:${'1'.repeat(64)}`, platform: { os: 'linux', architecture: 's390x' } }, entry],
    };
    const answer: Misbehave = (request, response) => {
      if (!request.url!.endsWith('/manifests/latest')) return false;
      response.setHeader('content-type', MEDIA.ociIndex);
      response.end(JSON.stringify(index));
      return true;
    };
    await using served = await serveImage(image, answer);
    const stored = await pull(served.host);
    expect(stored.manifestDigest).toBe(image.manifestDigest);
    expect(stored.indexDigest).toBe(digestOf(Buffer.from(JSON.stringify(index))));
    await expect(pull(served.host, { platform: parsePlatform('linux/arm64') })).rejects.toMatchObject({
      code: 'PLATFORM_MISMATCH',
      message: expect.stringContaining('no image found in image index for architecture "arm64", variant "", OS "linux"'),
      hint: 'There is: linux/s390x, linux/amd64.',
    });
  });

  test('with foreign layer URLs never make us ask those URLs (G05)', async () => {
    await using stranger = await serveImage(image);
    const manifest = JSON.parse(image.manifest.toString());
    manifest.layers[0].urls = [`${stranger.url}/v2/team/app/blobs/${layerDigest()}`];
    await using served = await serveImage(image, serveManifest(manifest));
    await pull(served.host);
    expect(stranger.requests).toEqual([]);
  });
});

describe('redirects (G04, G05)', () => {
  const credentials = openCredentials({ creds: 'user:secret', env: {} });
  const needsBasic: Misbehave = (request, response) => {
    if (request.headers.authorization !== undefined) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };

  test('to another origin do not carry credentials', async () => {
    await using other = await serveImage(image);
    await using served = await serveImage(image, (request, response, self) => {
      if (needsBasic(request, response, self)) return true;
      if (!isBlob(request.url)) return false;
      response.writeHead(307, { location: other.url + request.url }).end();
      return true;
    });
    await pull(served.host, { credentials });
    expect(other.requests.length).toBe(3);
    expect(other.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(served.requests.filter(({ headers }) => headers.authorization !== undefined).length).toBeGreaterThan(3);
  });

  test('to a stranger that wants credentials get none', async () => {
    await using stranger = await serveImage(image, (request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="give"' }).end();
      return request.url !== undefined;
    });
    await expectRefused(
      (request, response) => {
        if (!isBlob(request.url)) return false;
        response.writeHead(302, { location: stranger.url + request.url }).end();
        return true;
      },
      { code: 'REGISTRY_UNAUTHORIZED' },
      { credentials },
    );
    expect(stranger.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('in a circle are given up after ten', async () => {
    const served = await expectRefused(
      (request, response) => {
        if (!request.url!.includes('/manifests/')) return false;
        response.writeHead(302, { location: request.url! }).end();
        return true;
      },
      { code: 'REGISTRY_ERROR', message: 'stopped after 10 redirects' },
    );
    expect(served.requests.length).toBe(12);
  });

  test.each(['file:///etc/passwd', 'ftp://x/', 'http://[', ''])('to %j are refused', async (location) => {
    await expectRefused(
      (request, response) => {
        if (!request.url!.includes('/manifests/')) return false;
        response.writeHead(302, location === '' ? {} : { location }).end();
        return true;
      },
      { code: 'REGISTRY_ERROR', message: 'redirected to nowhere' },
    );
  });
});

describe('tokens (G06, G07)', () => {
  /** A registry that wants a bearer token from `/token` of itself, or from elsewhere. */
  const wantsToken =
    (token: (response: import('node:http').ServerResponse, url: string) => void, realm?: string): Misbehave =>
    (request, response, self) => {
      if (request.url!.startsWith('/token')) {
        token(response, request.url!);
        return true;
      }
      if (request.headers.authorization === 'Bearer good') return false;
      response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="${realm ?? `${self.url}/token`}",service="a&b=c",scope="repository:other:push"`,
        })
        .end();
      return true;
    };
  const good = (response: import('node:http').ServerResponse): void => void response.end('{"token":"good","expires_in":300}');

  test('are asked for our own scope, with the service quoted, and used until they expire', async () => {
    await using served = await serveImage(image, wantsToken(good));
    await pull(served.host, { credentials: openCredentials({ creds: 'user:secret', env: {} }) });
    const asked = served.requests.filter(({ url }) => url.startsWith('/token'));
    expect(asked).toHaveLength(1);
    const query = new URL(asked[0]!.url, served.url).searchParams;
    expect([query.get('service'), query.get('scope'), query.get('b')]).toEqual(['a&b=c', 'repository:team/app:pull', null]);
    expect(asked[0]!.headers.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
  });

  test('that are not accepted end in one clear error, not in a loop', async () => {
    const served = await expectRefused(
      wantsToken((response) => response.end('{"token":"bad"}')),
      { code: 'REGISTRY_UNAUTHORIZED', message: 'authentication required' },
    );
    expect(served.requests.length).toBeLessThan(8);
  });

  test.each<[string, string]>([
    ['no JSON', 'nonsense'],
    ['no token', '{}'],
    ['a token with a newline', '{"token":"a\\r\\nx: y"}'],
    ['more than 1 MiB', `{"token":"${'x'.repeat(2 ** 20)}"}`],
  ])('in an answer of %s are refused', async (_, body) => {
    await expectRefused(
      wantsToken((response) => response.end(body)),
      { code: 'REGISTRY_ERROR' },
    );
  });

  test('with absurd lifetimes are used all the same', async () => {
    for (const expires of ['0', '-5', '1e300', '"soon"', 'null']) {
      await using served = await serveImage(
        image,
        wantsToken((response) => response.end(`{"token":"good","expires_in":${expires}}`)),
      );
      await pull(served.host);
      expect(served.requests.filter(({ url }) => url.startsWith('/token')).length).toBe(1);
      layers = countingSink();
    }
  });

  test('from an endpoint that redirects are refused', async () => {
    await using stranger = await serveImage(image);
    await expectRefused(
      wantsToken((response) => response.writeHead(302, { location: `${stranger.url}/token` }).end()),
      { code: 'REGISTRY_ERROR', message: 'must not' },
    );
    expect(stranger.requests).toEqual([]);
  });

  test('of a stranger are asked for without the credentials of the registry', async () => {
    await using stranger = await serveImage(image, (_, response) => {
      good(response);
      return true;
    });
    const [, port] = stranger.host.split(':');
    writeAuth({ auths: { '127.0.0.1': { auth: 'dXNlcjpzZWNyZXQ=' } } });
    await using served = await serveImage(image, wantsToken(good, `http://127.0.0.2:${port}/token`));
    await pull(served.host).catch(() => undefined);
    expect(stranger.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });
});

describe('credentials (G15)', () => {
  const basic: Misbehave = (request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from('user:secret').toString('base64')}`) return false;
    response
      .writeHead(401, { 'www-authenticate': 'Basic realm="x"' })
      .end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    return true;
  };

  test('come from the auth file, the most specific entry first', async () => {
    await using served = await serveImage(image, basic);
    await expect(pull(served.host)).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringMatching(/: authentication required$/),
    });
    writeAuth({
      auths: { [served.host]: { auth: 'd3Jvbmc6eA==' }, [`${served.host}/team`]: { auth: Buffer.from('user:secret').toString('base64') } },
    });
    await pull(served.host);
  });

  test('are asked of a helper, by a safe name only', async () => {
    await using served = await serveImage(image, basic);
    writeAuth({ credHelpers: { [served.host]: '../../x' } });
    await expect(pull(served.host)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('invalid credential helper name "../../x"'),
    });
    writeAuth({ credHelpers: { [served.host]: 'lichen-nosuch' } });
    await expect(pull(served.host)).rejects.toMatchObject({ code: 'HELPER_MISSING' });
  });

  function writeAuthFile(text: string): string {
    const path = join(root, 'auth.json');
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  test.each(['[]', '{', '{"auths":{"HOST":{"auth":"!!"}}}'])(
    'in a broken auth file (%s) are a CONFIG error that shows no secret',
    async (text) => {
      await using served = await serveImage(image, basic);
      const authFile = writeAuthFile(text.replace('HOST', served.host));
      await expect(pull(served.host, { credentials: openCredentials({ authFile, env: {} }) })).rejects.toMatchObject({ code: 'CONFIG' });
    },
  );
});

describe('refusals', () => {
  test('of an unknown image are worded as Podman words them', async () => {
    await using served = await serveImage(image);
    await expect(pull(served.host, { image: `${served.host}/team/none:1` })).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: `unable to copy from source docker://${served.host}/team/none:1: initializing source docker://${served.host}/team/none:1: reading manifest 1 in ${served.host}/team/none: manifest unknown`,
    });
  });

  test('cannot steer the terminal (G14)', async () => {
    await expectRefused(
      (request, response) => {
        if (!request.url!.includes('/manifests/')) return false;
        response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'DENIED', message: '\u001b[2Jgone\r\nError: fake' }] }));
        return true;
      },
      // oxlint-disable-next-line no-control-regex -- that there are none is the point
      { code: 'REGISTRY_ERROR', message: /^[^\u0000-\u001f]*denied: \[2Jgone Error: fake$/ },
    );
  });

  test('for being busy are asked again a few times, whatever Retry-After says (G11)', async () => {
    let busy = 2;
    await using served = await serveImage(image, (request, response) => {
      if (!request.url!.includes('/manifests/') || busy-- <= 0) return false;
      response.writeHead(429, { 'retry-after': '1000000000' }).end();
      return true;
    });
    await pull(served.host);
  });

  test('for being busy for ever are given up', async () => {
    const refused = await expectRefused(
      (request, response) => {
        if (!request.url!.includes('/manifests/')) return false;
        response.writeHead(503).end();
        return true;
      },
      { code: 'REGISTRY_ERROR' },
    );
    expect(refused.requests.filter(({ url }) => url.includes('/manifests/')).length).toBe(4);
  });

  test('of headers without end, or that never come, are given up', async () => {
    await expectRefused((_, response) => isEnded(response.writeHead(200, { 'x-bomb': 'x'.repeat(100_000) })), {
      code: 'REGISTRY_UNREACHABLE',
    });
    await expectRefused(() => true, { code: 'REGISTRY_UNREACHABLE', message: 'timeout' }, { timeoutMs: 50 });
  });

  test('where nobody listens are tried as often as --retry says', async () => {
    const events: CopyEvent[] = [];
    const gone = await serveImage(image);
    await gone[Symbol.asyncDispose]();
    await expect(pull(gone.host, { retries: 2, retryDelayMs: 1, onEvent: (event) => events.push(event) })).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: `unable to copy from source docker://${gone.host}/team/app:latest: initializing source docker://${gone.host}/team/app:latest: pinging container registry ${gone.host}: Get "https://${gone.host}/v2/": dial tcp ${gone.host}: connect: connection refused`,
    });
    expect(events.filter(({ kind }) => kind === 'retrying')).toHaveLength(2);
    await expect(pull(gone.host, { tlsVerify: false })).rejects.toThrow(`Get "http://${gone.host}/v2/": dial tcp`);
  });

  test('of plain http hold where only TLS will do', async () => {
    await using served = await serveImage(image);
    await expect(pull(served.host, { tlsVerify: true })).rejects.toThrow('http: server gave HTTP response to HTTPS client');
  });

  test('of a mirror lead on to the next place, and the image keeps its own name', async () => {
    await using down = await serveImage(image, (_, response) => isEnded(response.writeHead(500)));
    await using served = await serveImage(image);
    writeFileSync(
      join(root, 'registries.conf'),
      `[[registry]]\nlocation = "127.0.0.1:1"\n[[registry.mirror]]\nlocation = "${down.host}"\n[[registry.mirror]]\nlocation = "${served.host}"\n`,
    );
    expect((await pull('127.0.0.1:1')).names).toEqual(['127.0.0.1:1/team/app:latest']);
  });

  test('by the caller leave nothing behind', async () => {
    const abort = new AbortController();
    await expectRefused(
      (request) => {
        if (isLayer(request.url)) abort.abort();
        return isLayer(request.url);
      },
      { code: 'ABORTED' },
      { signal: abort.signal },
    );
  });
});

describe('TLS (G13)', () => {
  let key: Buffer, cert: Buffer, ca: Buffer;
  beforeEach(() => {
    const ssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: root, stdio: 'ignore' });
    ssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=ca',
      '-days',
      '2',
    );
    ssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      's.key',
      '-out',
      's.csr',
      '-subj',
      '/CN=127.0.0.1',
    );
    writeFileSync(join(root, 'san'), 'subjectAltName=IP:127.0.0.1\n');
    ssl(
      'x509',
      '-req',
      '-in',
      's.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      's.crt',
      '-days',
      '2',
      '-extfile',
      'san',
    );
    [key, cert, ca] = ['s.key', 's.crt', 'ca.crt'].map((name) => readFileSync(join(root, name))) as [Buffer, Buffer, Buffer];
  });

  test('an unknown CA is refused, also on loopback, and never answered by plain http', async () => {
    await using served = await serveImage(image, undefined, { key, cert });
    await expect(pull(served.host)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('tls: failed to verify certificate: x509: certificate signed by unknown authority'),
    });
    expect(served.requests).toEqual([]);
  });

  test('a CA in certs.d, from the environment, or --tls-verify=false opens the door', async () => {
    await using served = await serveImage(image, undefined, { key, cert });
    await pull(served.host, { tlsVerify: false });
    await pull(served.host, { certificates: { config: root, system: [], env: { LICHEN_EXTRA_CA_CERTS: join(root, 'ca.crt') } } });
    const directory = join(root, 'certs.d', served.host);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'ca.crt'), ca);
    await pull(served.host);
    expect(layers.kept.size).toBe(2);
  });

  test('a client certificate is shown, and one without its key is a clear error', async () => {
    await using served = await serveImage(image, undefined, { key, cert, ca, requestCert: true, rejectUnauthorized: true });
    const certDir = join(root, 'mine');
    mkdirSync(certDir);
    writeFileSync(join(certDir, 'ca.crt'), ca);
    await expect(pull(served.host, { certificates: { config: root, certDir, env: {} } })).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    writeFileSync(join(certDir, 'client.cert'), cert);
    await expect(pull(served.host, { certificates: { config: root, certDir, env: {} } })).rejects.toThrow('missing client certificate key');
    writeFileSync(join(certDir, 'client.key'), key);
    await pull(served.host, { certificates: { config: root, certDir, env: {} } });
  });

  test('--tls-verify=false for a registry does not reach the host it redirects to', async () => {
    await using other = await serveImage(image, undefined, { key, cert });
    await using served = await serveImage(
      image,
      (request, response) => {
        if (!isBlob(request.url)) return false;
        response.writeHead(302, { location: other.url + request.url }).end();
        return true;
      },
      { key, cert },
    );
    await expect(pull(served.host, { tlsVerify: false })).rejects.toThrow('certificate signed by unknown authority');
    expect(other.requests).toEqual([]);
  });

  test('https never leads to http', async () => {
    await using plain = await serveImage(image);
    await using served = await serveImage(
      image,
      (request, response) => {
        if (!isBlob(request.url)) return false;
        response.writeHead(302, { location: plain.url + request.url }).end();
        return true;
      },
      { key, cert },
    );
    await expect(pull(served.host, { tlsVerify: false })).rejects.toThrow('refused the redirect from https');
    expect(plain.requests).toEqual([]);
  });
});

function isEnded(response: import('node:http').ServerResponse): true {
  response.end();
  return true;
}

function writeAuth(content: unknown): void {
  mkdirSync(join(root, '.config/containers'), { recursive: true });
  writeFileSync(join(root, '.config/containers/auth.json'), JSON.stringify(content), { mode: 0o600 });
}
