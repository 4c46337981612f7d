/** Registries that fail, lie or lead astray while something is pushed to them: nothing becomes visible, and credentials stay where they belong. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Digest } from '../../core/digest.ts';
import { parseManifest } from '../../storage/manifest.ts';
import { parseReference } from '../../storage/reference.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { openRegistryDestination } from '../../storage/registry/destination.ts';
import type { RegistryOptions } from '../../storage/registry/registry.ts';
import { withRetries } from '../../storage/registry/retry.ts';
import { sendImage, type OutgoingImage, type SendOptions, type SentImage } from '../../storage/send.ts';
import { makeImage, type MadeImage } from '../fixtures/images/image.ts';
import { uploadServer, type MisbehaveUpload, type UploadServer } from '../fixtures/images/upload-server.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-push-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Larger than what sockets hold, so that an upload can break in its middle. */
const image: MadeImage = makeImage([randomBytes(8_000_000), 'second']);

function outgoing(tarOf: (diffId: Digest) => Buffer = (diffId) => image.layers[image.diffIds.indexOf(diffId)]!): OutgoingImage {
  return {
    manifest: parseManifest(image.manifest, undefined, 'test'),
    manifestBytes: image.manifest,
    config: image.config,
    layers: image.diffIds.map((diffId, index) => ({ diffId, tarBytes: image.layers[index]!.length, known: [] })),
    tar: async (diffId) => {
      const tar = tarOf(diffId);
      return Readable.from(chunksOf(tar), { objectMode: false });
    },
  };
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

async function push(
  host: string,
  options: Partial<RegistryOptions> & { readonly image?: OutgoingImage; readonly send?: SendOptions } = {},
): Promise<SentImage> {
  const env = { HOME: root };
  await using destination = openRegistryDestination(parseReference(`${host}/team/app:1`), {
    credentials: openCredentials({ env, creds: 'me:secret' }),
    certificates: { config: root, system: [], env },
    timeoutMs: 2000,
    pauseMs: 2,
    ...options,
  });
  const sent = await sendImage(options.image ?? outgoing(), destination, options.send);
  await destination.finish();
  return sent;
}

function expectWhole(server: UploadServer): void {
  const manifest = parseManifest(server.manifests.get('1')!, undefined, 'pushed');
  expect(manifest.layers.map(({ digest }) => gunzipSync(server.blobs.get(digest)!))).toEqual(image.layers);
  expect(server.blobs.get(manifest.config.digest)).toEqual(image.config);
}

async function expectRefused(misbehave: MisbehaveUpload, message: RegExp): Promise<void> {
  await using server = await uploadServer(misbehave);
  await expect(push(server.host)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  expect(server.manifests.size).toBe(0);
  expect(server.open.size).toBe(0);
}

const withAuth: MisbehaveUpload = (request, response) => {
  if (request.headers.authorization !== undefined) return false;
  request.resume();
  response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
  return true;
};

test('a well-behaved registry gets the image', async () => {
  await using server = await uploadServer(withAuth);
  const sent = await push(server.host);
  expectWhole(server);
  expect(sent.manifest.bytes).toEqual(server.manifests.get('1'));
  expect(server.open.size).toBe(0);
});

test('an upload that breaks leaves nothing visible; the next attempt sends only what is missing', async () => {
  let breaks = 1;
  const remembered = new Map<Digest, SentImage['layers'][number]>();
  await using server = await uploadServer((request, response) => {
    if (request.method !== 'PATCH' || breaks === 0) return false;
    breaks--;
    // Not before the other layer has gone through: else what is missing would be a matter of luck.
    const waiting = setInterval(() => {
      if (remembered.size === 0) return;
      clearInterval(waiting);
      request.socket.destroy();
    }, 5);
    request.resume();
    response.on('error', () => undefined);
    return true;
  });
  const attempt = (): Promise<SentImage> => {
    const known = outgoing().layers.map((layer) => {
      const before = remembered.get(layer.diffId);
      return before === undefined ? layer : { ...layer, known: [{ ...before, repositories: [] }] };
    });
    return push(server.host, {
      image: { ...outgoing(), layers: known },
      send: { onLayer: (layer) => remembered.set(layer.diffId, layer) },
    });
  };
  await withRetries(attempt, { retries: 2, delayMs: 1, onEvent: () => expect(server.manifests.size).toBe(0) });
  expectWhole(server);
  const complete = server.requests.filter(({ method, url }) => method === 'PUT' && url.includes('uploads')).length;
  expect(complete).toBe(3);
});

describe('a push is refused', () => {
  test('where the registry fails in the middle', async () => {
    await expectRefused((request, response) => {
      if (request.method !== 'PATCH') return false;
      request.once('data', () => response.writeHead(500, { connection: 'close' }).end());
      return true;
    }, /^writing blob: (uploading layer|Patch "http)/);
  });

  test('where the registry wants no blob, no upload, no manifest', async () => {
    const answer =
      (method: string, status: number): MisbehaveUpload =>
      (request, response) => {
        if (request.method !== method || request.url!.endsWith('/v2/')) return false;
        request.resume().on('end', () => response.writeHead(status).end());
        return true;
      };
    await expectRefused(
      answer('POST', 403),
      /^writing blob: initiating layer upload to \/v2\/team\/app\/blobs\/uploads\/ in 127\.0\.0\.1:\d+: /,
    );
    await expectRefused(answer('PATCH', 413), /^writing blob: uploading layer chunked .* 413 /);
    await expectRefused(answer('PUT', 400), /^writing (blob|manifest): uploading .* 400 /);
    await expectRefused(answer('HEAD', 500), /^trying to reuse blob sha256:[0-9a-f]{64} at destination: .* 500 /);
  });

  test('where it says that it stored something else', async () => {
    await using server = await uploadServer((request, response) => {
      if (!request.url!.includes('/manifests/')) return false;
      request.resume().on('end', () => response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end());
      return true;
    });
    await expect(push(server.host)).rejects.toMatchObject({
      code: 'REGISTRY_ERROR',
      message: expect.stringMatching(
        /^writing manifest: uploading manifest 1 to .*: the registry stored sha256:0{64} instead of sha256:/,
      ) as string,
    });
  });

  test('where the store gives another layer than the config names', async () => {
    await using server = await uploadServer();
    const altered = outgoing((diffId) => Buffer.from(image.layers[image.diffIds.indexOf(diffId)]!).fill(1, 600, 700));
    await expect(push(server.host, { image: altered })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(server.manifests.size).toBe(0);
    expect(server.open.size).toBe(0);
  });

  test('where it is cancelled', async () => {
    const abort = new AbortController();
    await using server = await uploadServer((request) => {
      if (request.method === 'PATCH') abort.abort(new Error('enough'));
      return false;
    });
    await expect(push(server.host, { send: { signal: abort.signal } })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(server.manifests.size).toBe(0);
  });
});

test('a registry that is overloaded is asked again', async () => {
  let refusals = 3;
  await using server = await uploadServer((request, response) => {
    if (request.method === 'PATCH' || request.url === '/v2/' || refusals === 0) return false;
    refusals--;
    request.resume().on('end', () => response.writeHead(429, { 'retry-after': '0' }).end());
    return true;
  });
  await push(server.host);
  expect(refusals).toBe(0);
  expectWhole(server);
});

test('a blob of the wrong size is not taken for the layer', async () => {
  await using server = await uploadServer((request, response) => {
    if (request.method !== 'HEAD') return false;
    response.writeHead(200, { 'content-length': '7' }).end();
    return true;
  });
  const { layers } = await push(server.host);
  expect(layers.every(({ digest }) => server.blobs.has(digest))).toBe(true);
});

describe('Location and redirects (G04)', () => {
  test.each([undefined, 'javascript:alert(1)', 'http://', 'file:///etc/passwd'])(
    'an upload that goes on at %s does not',
    async (location) => {
      await expectRefused((request, response) => {
        if (request.method !== 'POST') return false;
        request.resume().on('end', () => response.writeHead(202, location === undefined ? {} : { location }).end());
        return true;
      }, /^writing blob: determining upload URL in 127\.0\.0\.1:\d+\/team\/app: the registry names no usable Location$/);
    },
  );

  test('another host may take the bytes, and gets no credentials', async () => {
    await using other = await uploadServer();
    await using server = await uploadServer((request, response, self) => {
      if (withAuth(request, response, self)) return true;
      if (request.method !== 'POST') return false;
      request.resume().on('end', () => {
        void fetch(`${other.url}${request.url}`, { method: 'POST' }).then((opened) =>
          response.writeHead(202, { location: `http://user:pass@${other.host}${opened.headers.get('location')}` }).end(),
        );
      });
      return true;
    });
    await push(server.host);
    expect(other.blobs.size).toBe(3);
    expect(server.manifests.size).toBe(1);
    expect(other.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    expect(server.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(true);
  });

  test.each(['POST', 'PATCH', 'PUT'])('a 307 for a %s is followed without credentials', async (method) => {
    await using other = await uploadServer();
    const upload = async (): Promise<string> => {
      const opened = await fetch(`${other.url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
      return opened.headers.get('location')!;
    };
    await using server = await uploadServer((request, response, self) => {
      if (withAuth(request, response, self)) return true;
      if (request.method !== method || request.url!.includes('/manifests/')) return false;
      // Before the body: whoever streams it has to begin again elsewhere.
      const redirect = (path: string): void => void response.writeHead(307, { location: `${other.url}${path}` }).end();
      request.resume();
      if (method === 'PATCH') void upload().then(redirect);
      else redirect(request.url!);
      return true;
    });
    await push(server.host).catch((error: unknown) => {
      // The other host knows nothing of an upload that was begun and filled here.
      if (method !== 'PUT') throw error;
    });
    expect(other.requests.length).toBeGreaterThan(0);
    expect(other.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    if (method === 'PATCH') expect(other.blobs.size).toBe(2);
  });

  test('a redirect that makes it a GET, or goes round in circles, ends the push', async () => {
    await expectRefused((request, response) => {
      if (request.method !== 'POST') return false;
      request.resume().on('end', () => response.writeHead(302, { location: '/elsewhere' }).end());
      return true;
    }, /initiating layer upload .* 302 /);
    await using server = await uploadServer((request, response) => {
      if (request.method !== 'PATCH') return false;
      request.resume();
      response.writeHead(307, { location: request.url! }).end();
      return true;
    });
    await expect(push(server.host)).rejects.toMatchObject({ message: expect.stringContaining('redirected more than') as string });
  });

  test('https never leads to http', async () => {
    const ssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: root, stdio: 'ignore' });
    ssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem');
    const tls = { key: readFileSync(join(root, 'key.pem')), cert: readFileSync(join(root, 'cert.pem')) };
    await using plain = await uploadServer();
    await using server = await uploadServer((request, response) => {
      if (request.method !== 'POST') return false;
      request.resume().on('end', () => response.writeHead(202, { location: `${plain.url}/v2/team/app/blobs/uploads/x` }).end());
      return true;
    }, tls);
    await expect(push(server.host, { tlsVerify: false })).rejects.toMatchObject({
      message: expect.stringContaining('refused the way from https to http:') as string,
    });
    expect(plain.requests).toEqual([]);
  });
});
