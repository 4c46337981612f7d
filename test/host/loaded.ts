/** A host whose store holds images already, and the words most tests need to run something in them. */
import type { ImageName } from '../fixtures/build/images.ts';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type HostOptions, type TestHost } from './host.ts';

/** For `describe.skipIf(!canRunContainers)`. */
export const canRunContainers = canMakeImages;

export const BUSYBOX = 'localhost/busybox';

/** Made by `testHost`; the images are loaded by lichen itself. Dispose it like any host. */
export async function loadedHost(images: readonly ImageName[] = ['busybox'], options: HostOptions = {}): Promise<TestHost> {
  const host = await testHost(options);
  try {
    for (const image of images) await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath(image))]);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}

/** Command words: a script for the container's (or the host's) shell. */
export function sh(script: string): readonly ['sh', '-c', string] {
  return ['sh', '-c', script];
}

/** End and remove containers at once, whatever they do; those that are not there are passed over. */
export async function removeNow(host: TestHost, ...names: readonly string[]): Promise<void> {
  await host.succeed(['rm', '--force', '--ignore', '--volumes', '--time', '0', ...names]);
}
