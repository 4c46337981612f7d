/** The same command line says under lichen what it said under Podman (goldens: record.ts), except for what differences.ts allows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunContainers } from '../host/loaded.ts';
import { testHost } from '../host/host.ts';
import { fixturePath } from '../fixtures/build/images.ts';
import { expected, withoutHint } from './differences.ts';
import { readGoldens, type Recorded } from './goldens.ts';
import { normalise } from './normalise.ts';
import { prepare, PREPARE_PODS, RESTORE, RESTORE_PODS } from './setting.ts';

let host: TestHost;

describe.skipIf(!canRunContainers).each([
  ['what is refused, and how', 'failures.json'],
  ['what is to be seen inside', 'facts.json'],
  ['secrets, volumes and health checks', 'kept.json'],
  ['networks', 'networks.json'],
  ['several containers at once', 'several.json'],
  ['pods', 'pods.json'],
] as const)('%s', (_, goldens) => {
  const isOfPods = goldens === 'pods.json';
  beforeAll(async () => {
    host = await testHost();
    // Podman opens the user's home itself for containers in which the user has no id; lichen leaves that to him.
    const { home } = host.user;
    await host.run(['sh', '-c', `mkdir -p ${home}/.local/share && chmod 711 ${home} ${home}/.local ${home}/.local/share`]);
    const setting = prepare(host.fixture(await fixturePath('busybox')));
    for (const argv of isOfPods ? [...setting, ...PREPARE_PODS] : setting) await host.succeed(argv);
  });
  afterAll(async () => {
    for (const argv of isOfPods ? [...RESTORE_PODS, ...RESTORE] : RESTORE) await host.lichen(argv);
    await host[Symbol.asyncDispose]();
  });

  test.each(readGoldens(goldens).map((golden) => [golden.name, golden] as const))('%s', async (_name, golden) => {
    expect(withoutHint(await saidByLichen(golden), golden)).toEqual(expected(golden));
  });
});

async function saidByLichen({ argv }: Recorded) {
  const { exitCode, stdout, stderr } = await host.lichen(argv, { cwd: '/' });
  return normalise({ exitCode, stdout, stderr });
}
