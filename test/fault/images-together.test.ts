/** Several lichens at once on the same image (S04): it is whole or not there, and nothing is left of any copy or removal. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry } from '../host/registry.ts';
import { chance, SEED } from './chance.ts';
import { emptied, expectNoMore } from './images-kept.ts';

const ROUNDS = 2;
const TIMEOUT_MS = 240_000;

describe.skipIf(!canMakeImages || !canRunRegistry)('at once', () => {
  let host: TestHost;
  let other: TestHost;
  let reference: string;
  let pull: readonly string[];
  let load: readonly string[];
  const prune = ['image', 'prune', '--all', '--force'];

  beforeAll(async () => {
    host = await testHost();
    other = await testHost();
    const registry = await startRegistry(other);
    reference = `${registry.name}/team/layered:1`;
    await pushFixture(await builtFixture('layered'), registry, 'team/layered', '1');
    pull = ['pull', '--quiet', '--tls-verify=false', reference];
    load = ['load', '--quiet', '--input', host.fixture(await fixturePath('layered'))];
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  /** All succeed and say nothing of each other. */
  async function together(...commands: readonly (readonly string[])[]): Promise<void> {
    const results = await Promise.all(commands.map((argv) => host.lichen(argv)));
    expect(results.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(commands.map(() => ({ exitCode: 0, stderr: '' })));
  }

  const CASES: Readonly<Record<string, () => readonly (readonly string[])[]>> = {
    'two pulls': () => [pull, pull],
    'a pull and a load of the same layers': () => [pull, load],
    'a pull and a removal': () => [pull, ['rmi', '--force', reference]],
    'a pull and a prune': () => [pull, prune],
    'a load and a prune': () => [load, prune],
    'two prunes': () => [prune, prune],
  };

  test.each(Object.keys(CASES))(
    '%s',
    async (title) => {
      for (let round = 0; round < ROUNDS; round++) {
        // With the image there before in every other round.
        if (round % 2 === 0) await emptied(host);
        else await host.succeed(pull);
        await together(...CASES[title]!());
        await expectNoMore(host);
        if ((await host.succeed(['images', '--quiet'])) === '') continue;
        const id = (await host.succeed(['images', '--quiet'])).split('\n')[0]!;
        expect(await host.succeed(['run', '--rm', '--network', 'none', id, 'cat', '/data/replaced'])).toBe('upper');
      }
      await emptied(host);
    },
    TIMEOUT_MS,
  );

  test('a pull that is killed beside another of the same image is in nobody’s way', { timeout: TIMEOUT_MS }, async () => {
    const random = chance('beside');
    for (let round = 0; round < 2 * ROUNDS; round++) {
      await emptied(host);
      const afterMs = random() * 400;
      await using victim = host.spawnLichen(pull);
      const survivor = host.lichen(pull);
      await delay(afterMs);
      victim.signal('SIGKILL');
      await victim.finish();
      const { exitCode, stderr } = await survivor;
      expect({ exitCode, stderr, seed: SEED, afterMs }).toEqual({ exitCode: 0, stderr: '', seed: SEED, afterMs });
      await expectNoMore(host);
    }
    await emptied(host);
  });
});
