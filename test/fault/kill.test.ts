/**
 * kill -9 of the command line at random moments (S01): the next command works, and nothing is orphaned.
 * The moments come from a seed, which a failure names; LICHEN_FAULT_SEED=… runs the same ones again.
 */
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { chance, SEED } from './chance.ts';
import { killMany, killOnce, type Victim } from './killing.ts';
import { expectNothingLeft, queryStore, remains } from './remains.ts';

const IMAGE = 'localhost/busybox';
const SLEEP = ['sleep', '1000'] as const;

async function runVictim(host: TestHost): Promise<void> {
  await host.succeed(['run', '--detach', '--replace', '--name', 'victim', '--network', 'none', '--stop-timeout', '0', IMAGE, ...SLEEP]);
}

/** Running, from whatever it was before. */
async function startedVictim(host: TestHost): Promise<void> {
  if (host.processes().some(({ command }) => command === SLEEP.join(' '))) return;
  const { exitCode } = await host.lichen(['start', 'victim']);
  if (exitCode !== 0) await runVictim(host);
}

async function createVictim(host: TestHost): Promise<void> {
  await host.succeed(['create', '--replace', '--name', 'victim', '--stop-timeout', '0', IMAGE, ...SLEEP]);
}

const VICTIMS: readonly (Victim & { readonly argv: readonly string[] })[] = [
  { argv: ['run', '--rm', '--network', 'none', IMAGE, 'true'], kills: 55, check: settlesByItself },
  { argv: ['run', '--rm', IMAGE, 'true'], kills: 25, check: settlesByItself },
  { argv: ['run', '--rm', '--network', 'slirp4netns', '--volume', '/data', IMAGE, 'true'], kills: 15, check: settlesByItself },
  { argv: ['run', '--detach', IMAGE, ...SLEEP], kills: 25, check: runsWhatItSays },
  { argv: ['start', 'victim'], kills: 20, prepare: createVictim, check: runsWhatItSays },
  { argv: ['stop', '--time', '1', 'victim'], kills: 15, prepare: runVictim },
  { argv: ['stop', '--time', '0', 'victim'], kills: 10, prepare: runVictim },
  { argv: ['rm', '--force', '--time', '0', 'victim'], kills: 20, prepare: runVictim },
  { argv: ['restart', '--time', '0', 'victim'], kills: 30, prepare: startedVictim, check: runsWhatItSays },
  { argv: ['exec', 'victim', 'true'], kills: 30, prepare: startedVictim },
  { argv: ['cp', '/usr/share/common-licenses', 'victim:/copied'], kills: 20, prepare: createVictim },
  { argv: ['commit', '--quiet', 'victim', 'committed'], kills: 15, prepare: runVictim, check: committedIsWhole },
  { argv: ['load', '--input', ''], kills: 20, prepare: removeImages, check: isWholeOrAbsent },
];

test('there are at least three hundred kills', () => {
  expect(VICTIMS.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThanOrEqual(300);
});

/** Unbuilt, from source, everything takes three times as long. */
const TEST_TIMEOUT_MS = 300_000;

for (const victim of VICTIMS) {
  test.skipIf(!canMakeImages)(
    `S01: ${victim.argv.join(' ').trim()}: a killed one is put in order by the next command`,
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      await using host = await testHost();
      const archive = host.fixture(await fixturePath('busybox'));
      await host.succeed(['load', '--quiet', '--input', archive]);
      await killMany(host, { ...victim, argv: victim.argv.map((word) => (word === '' ? archive : word)) });
    },
  );
}

test.skipIf(!canMakeImages)('the first commands of a store: what they begin is begun again by the next', async () => {
  const random = chance('first');
  for (let round = 0; round < FIRST_ROUNDS; round++) {
    await using host = await testHost({ cold: true });
    const load = ['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))];
    const moments = [random() * 300, random() * 250] as const;
    try {
      await killOnce(host, { argv: load, kills: 1 }, moments[0], false);
      await host.succeed(load);
      await killOnce(host, { argv: ['run', '--rm', IMAGE, 'true'], kills: 1 }, moments[1], false);
      expect(await host.succeed(['run', '--rm', IMAGE, 'echo', 'works'])).toBe('works');
      await expectNothingLeft(host);
    } catch (error) {
      const message = `LICHEN_FAULT_SEED=${SEED}, round ${round}, killed after ${moments.join(' and ')} ms: ${(error as Error).message}`;
      throw new Error(message, { cause: error });
    }
  }
});

const FIRST_ROUNDS = 5;

async function removeImages(host: TestHost): Promise<void> {
  await host.succeed(['rmi', '--all', '--force']);
}

/** Nobody has to remove a container with --rm, whether it had come to run or not. */
async function settlesByItself(host: TestHost): Promise<void> {
  expect(await remains(host)).toEqual([]);
}

/** What is listed as running runs: it is not a process that waits for its start for ever. */
async function runsWhatItSays(host: TestHost): Promise<void> {
  const pids = queryStore(host, `SELECT pid FROM containers WHERE status = 'running'`).map(({ pid }) => pid);
  const running = () => host.processes().filter(({ pid }) => pids.includes(pid));
  await expect.poll(() => running().map(({ command }) => command), { timeout: 5000 }).toEqual(pids.map(() => SLEEP.join(' ')));
}

async function committedIsWhole(host: TestHost): Promise<void> {
  if ((await host.lichen(['image', 'exists', 'committed'])).exitCode !== 0) return;
  expect(await host.succeed(['run', '--rm', '--network', 'none', 'committed', 'echo', 'whole'])).toBe('whole');
  await host.succeed(['rmi', '--force', 'committed']);
}

/** What the list shows can be run. */
async function isWholeOrAbsent(host: TestHost): Promise<void> {
  const images = await host.succeed(['images', '--quiet']);
  if (images === '') return;
  expect(await host.succeed(['run', '--rm', '--network', 'none', IMAGE, 'echo', 'whole'])).toBe('whole');
}
