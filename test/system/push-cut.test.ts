/** A connection that breaks in the middle of a layer, on the way to a real registry. What Debian's registry got of that layer is gone with it. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cached } from '../fixtures/build/cache.ts';
import { buildImage, readBuilt, writeForm } from '../fixtures/build/image.ts';
import { canMakeImages } from '../fixtures/build/images.ts';
import { file } from '../fixtures/build/tar.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const MIB = 2 ** 20;
const IMAGE = 'localhost/cut:latest';
/** Less than the one layer that is larger than this, whatever else is sent before it. */
const CUT_AFTER_BYTES = 8 * MIB;

describe.skipIf(!canMakeImages || !canRunRegistry)('a push whose connection breaks once', () => {
  let host: TestHost;
  let registry: Registry;
  beforeAll(async () => {
    host = await testHost();
    registry = await startRegistry(host);
    await host.succeed(['load', '--quiet', '--input', host.fixture(await cutArchive())]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const push = (cutter: Cutter, repository: string, retries: number) =>
    host.lichen([
      'push',
      '--tls-verify=false',
      '--retry',
      String(retries),
      '--retry-delay',
      '10ms',
      IMAGE,
      `127.0.0.1:${cutter.port}/team/${repository}:1`,
    ]);
  const status = async (repository: string): Promise<number> =>
    (await fetch(`${registry.url}/v2/team/${repository}/manifests/1`, { method: 'HEAD' })).status;

  test('is tried again as --retry says, and the image is whole', async () => {
    await using cutter = await Cutter.start(registry);
    const { stdout, stderr, exitCode } = await push(cutter, 'again', 1);
    expect({ stdout, exitCode, cuts: cutter.cuts }, stderr).toEqual({ stdout: '', exitCode: 0, cuts: 1 });
    expect(stderr).toMatch(/Failed, retrying in 10ms \.\.\. \(1\/1\)/);
    const id = await host.succeed(['images', '--quiet', '--no-trunc', IMAGE]);
    await host.succeed(['rmi', IMAGE]);
    const back = `${registry.name}/team/again:1`;
    expect(`sha256:${await host.succeed(['pull', '--quiet', '--tls-verify=false', back])}`).toBe(id);
    expect(await host.lichen(['system', 'check'])).toMatchObject({ stdout: '', exitCode: 0 });
    await host.succeed(['tag', back, IMAGE]);
  });

  test('ends with --retry 0: one error, and no image in the registry', async () => {
    await using cutter = await Cutter.start(registry);
    const { stdout, stderr, exitCode } = await push(cutter, 'never', 0);
    expect({ stdout, exitCode, cuts: cutter.cuts }).toEqual({ stdout: '', exitCode: 125, cuts: 1 });
    expect(stderr.match(/^Error: /gm)).toHaveLength(1);
    expect(await status('never')).toBe(404);
  });
});

/** Hands bytes on in both directions, and cuts the first connection that has sent more than some. */
class Cutter implements AsyncDisposable {
  cuts = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(registry: Registry): Promise<Cutter> {
    const target = new URL(registry.url);
    const server = createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname);
      let sentBytes = 0;
      client.on('data', (chunk) => {
        sentBytes += chunk.length;
        if (cutter.cuts > 0 || sentBytes < CUT_AFTER_BYTES) return;
        cutter.cuts++;
        client.resetAndDestroy();
      });
      client.on('error', () => undefined).on('close', () => upstream.destroy());
      upstream.on('error', () => undefined).on('close', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    const cutter = new Cutter(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cutter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A small layer and one of noise, which stays as large when it is compressed. */
function cutArchive(): Promise<string> {
  return cached('cut.oci.tar', async (path) => {
    const built = await cached('cut.built', async (directory) => {
      const layers = [[file('small', 'small')], [file('large', noise(24 * MIB))]];
      await buildImage({ reference: IMAGE, layers, config: {} }, directory);
    });
    await writeForm(await readBuilt(built), 'oci-archive', path);
  });
}

/** xorshift32: the same on every machine. */
function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 1;
  for (let at = 0; at < sizeBytes; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, at);
  }
  return bytes;
}
