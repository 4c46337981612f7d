/** As parity.test.ts, for images, registries, lists and artifacts: one store, in which each case finds what those before it have left. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canRunContainers } from '../host/loaded.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry } from '../host/registry.ts';
import { expected, withoutHint } from './differences.ts';
import { readGoldens, type Recorded } from './goldens.ts';
import { normalise } from './normalise.ts';
import { imageFiles, placed, unplaced, type Places } from './setting-images.ts';

let host: TestHost;
let places: Places;

// What a case changes stays changed: it cannot be tried again.
describe.skipIf(!canRunContainers || !canRunRegistry)('images, registries, lists and artifacts', { retry: 0 }, () => {
  beforeAll(async () => {
    host = await testHost();
    const [registry, locked] = [await startRegistry(host), await startRegistry(host, { secure: true })];
    places = { directory: `${host.user.home}/images`, registry: registry.name, locked: locked.name };
    for (const [name, bytes] of await imageFiles()) await host.writeFile(`${places.directory}/${name}`, bytes);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  test.each(readGoldens('images.json').map((golden) => [golden.name, golden] as const))('%s', async (_name, golden) => {
    expect(withoutHint(await saidByLichen(golden), golden)).toEqual(expected(golden));
  });
});

async function saidByLichen({ argv }: Recorded) {
  const { exitCode, stdout, stderr } = await host.lichen(placed(argv, places), { cwd: '/' });
  return normalise(unplaced({ exitCode, stdout, stderr }, places));
}
