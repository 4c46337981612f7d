/** What an image costs in memory does not grow with it: less than the image, and less than 300 MB, whichever way it goes. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildImage, writeForm, type BuiltImage } from '../fixtures/build/image.ts';
import { canMakeImages } from '../fixtures/build/images.ts';
import { file } from '../fixtures/build/tar.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { peakMemoryMib } from '../host/memory.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const MIB = 2 ** 20;
const LIMIT_MIB = 300;

/** VmHWM only grows, so looking now and then misses what comes in the last moments alone. */
async function peakMib(host: TestHost, argv: readonly string[]): Promise<number> {
  const command = host.spawnLichen(argv);
  let peak = 0;
  const looking = setInterval(() => (peak = Math.max(peak, peakMemoryMib(`/proc/${command.pid}`))), 10);
  const { exitCode, stderr } = await command.finish(120_000).finally(() => clearInterval(looking));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return peak;
}

describe.skipIf(!canMakeImages || !canRunRegistry)('an image of half a gigabyte', () => {
  let host: TestHost;
  let registry: Registry;
  let image: BuiltImage;

  beforeAll(async () => {
    host = await testHost();
    registry = await startRegistry(host);
    const [noise, pattern] = [randomBytes(40 * MIB), Buffer.alloc(50 * MIB, randomBytes(4096))];
    const layers = [noise, pattern, pattern, pattern, pattern].map((content, layer) => [
      file(`${layer}-one`, content),
      file(`${layer}-two`, content),
    ]);
    image = await buildImage({ reference: 'localhost/large:latest', layers, config: {} }, host.path('/tmp/built'));
    await writeForm(image, 'docker-archive', host.path('/tmp/large.tar'));
    await rm(host.path('/tmp/built'), { recursive: true });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('is loaded, pushed, saved and pulled in less memory than that', async () => {
    const reference = `${registry.name}/large:1`;
    const peaks = {
      load: await peakMib(host, ['load', '--quiet', '--input', '/tmp/large.tar']),
      push: await peakMib(host, ['push', '--quiet', '--tls-verify=false', 'localhost/large', reference]),
      save: await peakMib(host, ['save', '--quiet', '--output', '/tmp/saved.tar', 'localhost/large']),
      rmi: await peakMib(host, ['rmi', 'localhost/large']),
      pull: await peakMib(host, ['pull', '--quiet', '--tls-verify=false', reference]),
    };
    for (const [what, mib] of Object.entries(peaks)) {
      expect(mib, what).toBeGreaterThan(20);
      expect(mib, what).toBeLessThan(LIMIT_MIB);
    }
  });
});
