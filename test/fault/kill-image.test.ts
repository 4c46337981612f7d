/** kill -9 of what changes images (S01, S04, G01): whole or not there, nothing leaked, and disk, rows, df and du agree. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';
import { emptied, expectNoMore, expectWhole } from './images-kept.ts';
import { killMany, type Victim } from './killing.ts';
import { queryStore } from './remains.ts';

const TIMEOUT_MS = 300_000;
/** Of pull, load, rmi and prune. With those of save (save-kill.test.ts) and the others of load (kill.test.ts) they are over two hundred. */
const KILLS = 150;
const OTHERS: readonly VictimTitle[] = ['import', 'tag', 'push'];

type VictimTitle = keyof typeof KILLS_OF;
/** Each of these has its moments: what brings an image in has most of them. */
const KILLS_OF = {
  pull: 48,
  'load of an archive': 20,
  'load of a directory': 12,
  'load of several images': 12,
  import: 16,
  'rmi of all': 20,
  'rmi by name': 16,
  'image prune': 24,
  tag: 8,
  push: 16,
} as const;

test(`there are at least ${KILLS} kills of what brings images in and removes them`, () => {
  const counted = (Object.keys(KILLS_OF) as VictimTitle[]).filter((title) => !OTHERS.includes(title));
  expect(counted.reduce((sum, title) => sum + KILLS_OF[title], 0)).toBeGreaterThanOrEqual(KILLS);
});

describe.skipIf(!canMakeImages || !canRunRegistry)('killed', () => {
  let host: TestHost;
  /** The registry is no process of the host that is looked at. */
  let other: TestHost;
  let registry: Registry;
  let victims: Readonly<Record<VictimTitle, Omit<Victim, 'kills' | 'title'>>>;
  let count = 0;

  const SEVERAL = '/tmp/several.tar';
  const NAMES = ['layered:latest', 'configured:v1', 'busybox:latest'].map((name) => `localhost/${name}`);
  const reference = (): string => `${registry.name}/team/layered:1`;
  const pull = (): readonly string[] => ['pull', '--quiet', '--tls-verify=false', reference()];
  const loadSeveral = ['load', '--quiet', '--input', SEVERAL];

  const several = async (): Promise<void> => {
    if (queryStore(host, 'SELECT id FROM images').length < NAMES.length) await host.succeed(loadSeveral);
  };
  /** A repository of its own for each push. */
  const target = (): string => `${registry.name}/team/pushed-${count}`;

  beforeAll(async () => {
    host = await testHost();
    other = await testHost();
    registry = await startRegistry(other);
    await pushFixture(await builtFixture('layered'), registry, 'team/layered', '1');
    for (const name of ['layered', 'configured', 'busybox'] as const)
      await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath(name))]);
    await host.succeed(['save', '--quiet', '--multi-image-archive', '--output', SEVERAL, ...NAMES]);
    await host.run(['tar', '-C', '/usr/share', '-cf', '/tmp/root.tar', 'common-licenses', 'terminfo', 'zoneinfo']);
    const load = async (form: 'docker-archive' | 'oci'): Promise<readonly string[]> => [
      'load',
      '--quiet',
      '--input',
      host.fixture(await fixturePath('layered', form)),
    ];
    victims = {
      pull: { argv: pull(), prepare: emptied },
      'load of an archive': { argv: await load('docker-archive'), prepare: emptied },
      'load of a directory': { argv: await load('oci'), prepare: emptied },
      'load of several images': { argv: loadSeveral, prepare: emptied },
      import: { argv: ['import', '--quiet', '/tmp/root.tar', 'imported'], prepare: emptied },
      'rmi of all': { argv: ['rmi', '--force', '--all'], prepare: several },
      'rmi by name': { argv: ['rmi', ...NAMES], prepare: several },
      'image prune': { argv: ['image', 'prune', '--all', '--force'], prepare: several },
      tag: { argv: () => ['tag', 'localhost/layered', `one:${++count}`, `two:${count}`], prepare: several, check: () => bothOrNone() },
      push: {
        argv: () => (count++, ['push', '--quiet', '--tls-verify=false', 'localhost/layered', target()]),
        prepare: several,
        check: () => expectPushedWhole(registry, `team/pushed-${count}`),
      },
    };
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  const bothOrNone = (): void => {
    const names = queryStore(host, `SELECT name FROM image_names WHERE name IN ('localhost/one:${count}', 'localhost/two:${count}')`);
    expect([0, 2]).toContain(names.length);
  };

  test.each(Object.entries(KILLS_OF) as [VictimTitle, number][])(
    '%s: every image is whole or absent, and nothing else stays',
    async (title, kills) => {
      const victim = victims[title];
      const check = async (): Promise<void> => {
        expectWhole(host);
        await victim.check?.(host);
      };
      await killMany(host, { ...victim, title, kills, next: ['images', '--all'], untouched: true, check, thorough: expectNoMore });
      await emptied(host);
    },
    TIMEOUT_MS,
  );
});

/** The registry has no such tag, or all that it stands for. */
async function expectPushedWhole({ url }: Registry, repository: string): Promise<void> {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const answer = await fetch(`${url}/v2/${repository}/manifests/latest`, { headers: { accept } });
  if (answer.status === 404) return;
  expect(answer.status).toBe(200);
  const { config, layers } = (await answer.json()) as { config: { digest: string }; layers: readonly { digest: string }[] };
  for (const { digest } of [config, ...layers]) {
    expect((await fetch(`${url}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  }
}
