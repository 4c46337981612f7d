/** Registries that give hostile indexes and artifacts to `manifest` and `artifact`, and commands killed in the middle. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testHost, type TestHost } from '../host/host.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Document {
  readonly type: string;
  readonly body: Buffer | ((response: ServerResponse) => void);
}

let host: TestHost;
let server: Server;
let name: string;
const documents = new Map<string, Document>();
const blobs = new Map<string, Document['body']>();

beforeAll(async () => {
  host = await testHost();
  server = createServer((request, response) => {
    const last = request.url?.split('/').at(-1) ?? '';
    const found = request.url?.includes('/manifests/') ? documents.get(last) : undefined;
    const body = found?.body ?? blobs.get(last);
    if (request.url === '/v2/') response.end('{}');
    else if (body === undefined) response.writeHead(404).end('{}');
    else if (typeof body === 'function') body(response);
    else response.writeHead(200, { 'content-length': body.length, ...(found && { 'content-type': found.type }) }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  name = `127.0.0.1:${(server.address() as AddressInfo).port}/x`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await host[Symbol.asyncDispose]();
});

function serve(tag: string, document: unknown, type = INDEX): { digest: string; size: number; mediaType: string } {
  const body = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
  const digest = digestOf(body);
  for (const key of [tag, digest]) documents.set(key, { type, body });
  return { mediaType: type, digest, size: body.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const index = (manifests: unknown, more: object = {}): object => ({ schemaVersion: 2, mediaType: INDEX, manifests, ...more });
const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
const kept = (): readonly string[] => {
  const path = host.path(`${host.store}/blobs/sha256`);
  return existsSync(path) ? readdirSync(path) : [];
};

test.each([
  [
    'G08: an index that lists itself',
    () => {
      const self = { mediaType: INDEX, digest: digestOf(Buffer.from('anything')), size: 300, platform };
      serve('bad', index([self]));
      // The server answers with the index itself, whatever digest it is asked for.
      documents.set(self.digest, documents.get('bad')!);
    },
    /manifest is sha256:[0-9a-f]{64}, not sha256:|an index in an index/,
  ],
  [
    'G08: an index in an index',
    () => void serve('bad', index([{ ...serve('inner', index([])), platform }])),
    /an index in an index|an index where/,
  ],
  [
    'G08: an index over 4 MiB',
    () => void serve('bad', index(Array.from({ length: 60_000 }, () => ({ ...serve('inner', index([])), platform })))),
    /longer than 4194304 bytes/,
  ],
  ['G08: an index nested 100,000 deep', () => void serve('bad', Buffer.from(`{"manifests":${'['.repeat(100_000)}`)), /not valid JSON/],
  [
    'G09: an index that is a manifest, too',
    () => void serve('bad', index([], { layers: [], config: {} })),
    /layers and manifests: only one of them may be there/,
  ],
  ['G09: an index announced as a manifest', () => void serve('bad', index([]), MANIFEST), /was announced as/],
  [
    'G10: an entry of negative size',
    () => void serve('bad', index([{ ...serve('inner', index([])), size: -1, platform }])),
    /manifests\.0\.size: must not be negative/,
  ],
])('%s is refused, and nothing of it is kept', async (_title, prepare, message) => {
  prepare();
  const before = kept();
  for (const args of [
    ['manifest', 'create', '--all', '--tls-verify=false', 'bad', `docker://${name}:bad`],
    ['artifact', 'pull', '-q', '--retry', '0', '--tls-verify=false', `${name}:bad`],
  ]) {
    expect(await host.lichen(args), args.join(' ')).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(message) as string,
      exitCode: 125,
    });
  }
  expect(kept()).toEqual(before);
  expect((await host.lichen(['manifest', 'exists', 'bad'])).exitCode).toBe(1);
});

test('G01: an artifact whose file is not what its manifest says is refused, and nothing of it is kept', async () => {
  const bytes = randomBytes(1000);
  const layer = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 };
  blobs.set(config.digest, Buffer.from('{}'));
  serve('lying', { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }, MANIFEST);
  for (const body of [randomBytes(1000), Buffer.concat([bytes, bytes])]) {
    blobs.set(layer.digest, body);
    const { exitCode, stderr } = await host.lichen(['artifact', 'pull', '-q', '--retry', '0', '--tls-verify=false', `${name}:lying`]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(/^Error: /) as string });
  }
  expect(await host.succeed(['artifact', 'ls', '--noheading'])).toBe('');
  expect(kept()).not.toContain(layer.digest.slice('sha256:'.length));
});

test('artifact pull killed in the middle leaves no artifact, and what it fetched goes with a prune', async () => {
  const [whole, stalled] = [randomBytes(1000), randomBytes(500_000)];
  const layers = [whole, stalled].map((bytes) => ({ mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length }));
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 };
  const halfway = Promise.withResolvers<void>();
  blobs.set(config.digest, Buffer.from('{}'));
  blobs.set(layers[0]!.digest, whole);
  blobs.set(layers[1]!.digest, (response) => {
    response.writeHead(200, { 'content-length': stalled.length });
    response.write(stalled.subarray(0, 200_000), () => halfway.resolve());
  });
  serve('stalling', { schemaVersion: 2, mediaType: MANIFEST, config, layers }, MANIFEST);
  await using pull = host.spawnLichen(['artifact', 'pull', '-q', '--tls-verify=false', `${name}:stalling`]);
  await halfway.promise;
  await expect.poll(() => kept()).toContain(layers[0]!.digest.slice('sha256:'.length));
  pull.signal('SIGKILL');
  await pull.finish();
  expect(await host.succeed(['artifact', 'ls', '--noheading'])).toBe('');
  expect(readdirSync(host.path(`${host.store}/tmp`))).toEqual([]);
  await host.succeed(['image', 'prune', '-f']);
  expect(kept()).toEqual([]);
  blobs.set(layers[1]!.digest, stalled);
  await host.succeed(['artifact', 'pull', '-q', '--tls-verify=false', `${name}:stalling`]);
  expect(kept()).toHaveLength(4);
});
