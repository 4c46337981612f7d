/**
 * kill -9 of the command line at random moments (S01): the next command works, and nothing is orphaned.
 * The moments come from a seed, which a failure names; LICHEN_FAULT_SEED=… runs the same ones again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { type RunningCommand, testHost, type TestHost } from '../host/host.ts';
import { chance, SEED } from './chance.ts';
import { expectNothingLeft, queryStore, remains } from './remains.ts';

interface Victim {
  readonly argv: readonly string[];
  readonly kills: number;
  /** Before each; must succeed. */
  readonly prepare?: (host: TestHost) => Promise<unknown>;
  /** What must hold after each, whatever the moment. */
  readonly check?: (host: TestHost) => Promise<void>;
}

const IMAGE = 'localhost/busybox';
const SLEEP = ['sleep', '1000'] as const;

async function removeVictim(host: TestHost): Promise<void> {
  await host.succeed(['rm', '--force', '--time', '0', '--ignore', 'victim']);
}

async function runVictim(host: TestHost): Promise<void> {
  await removeVictim(host);
  await host.succeed(['run', '--detach', '--name', 'victim', '--network', 'none', IMAGE, ...SLEEP]);
}

async function createVictim(host: TestHost): Promise<void> {
  await removeVictim(host);
  await host.succeed(['create', '--name', 'victim', IMAGE, ...SLEEP]);
}

const VICTIMS: readonly Victim[] = [
  { argv: ['run', '--rm', '--network', 'none', IMAGE, 'true'], kills: 45, check: settlesByItself },
  { argv: ['run', '--rm', '--network', 'pasta', IMAGE, 'true'], kills: 35, check: settlesByItself },
  { argv: ['run', '--rm', '--network', 'slirp4netns', '--volume', '/data', IMAGE, 'true'], kills: 20, check: settlesByItself },
  { argv: ['run', '--detach', IMAGE, ...SLEEP], kills: 30, check: runsWhatItSays },
  { argv: ['start', 'victim'], kills: 25, prepare: createVictim, check: runsWhatItSays },
  { argv: ['stop', '--time', '1', 'victim'], kills: 15, prepare: runVictim },
  { argv: ['stop', '--time', '0', 'victim'], kills: 15, prepare: runVictim },
  { argv: ['rm', '--force', '--time', '0', 'victim'], kills: 25, prepare: runVictim },
  { argv: ['exec', 'victim', 'true'], kills: 15, prepare: runVictim },
  { argv: ['cp', '/usr/share/common-licenses', 'victim:/copied'], kills: 15, prepare: createVictim },
  { argv: ['commit', '--quiet', 'victim', 'committed'], kills: 20, prepare: runVictim, check: committedIsWhole },
  { argv: ['load', '--input', ''], kills: 25, prepare: removeImages, check: isWholeOrAbsent },
];

test('there are at least two hundred kills', () => {
  expect(VICTIMS.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThanOrEqual(200);
});

/** Unbuilt, from source, everything takes three times as long. */
const TEST_TIMEOUT_MS = 300_000;

for (const victim of VICTIMS) {
  test.skipIf(!canMakeImages)(
    `${victim.argv.join(' ').trim()}: a killed one is put in order by the next command`,
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
    await using host = await testHost();
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

const FIRST_ROUNDS = 8;

/** Commands are judged every so many kills; by then leftovers of several may have piled up, which is harder on the engine, not easier. */
const KILLS_PER_CHECK = 5;
/** Bounded, not timed: nothing waits for anything but a lock that its dead holder has let go of. */
const NEXT_COMMAND_MS = 20_000;

async function killMany(host: TestHost, victim: Victim): Promise<void> {
  const random = chance(victim.argv.join(' '));
  const usualMs = await usualDuration(host, victim);
  for (let kills = 0, attempts = 0; kills < victim.kills; attempts++) {
    if (attempts > victim.kills * 5) throw new Error(`only ${kills} of ${attempts} kills met a living process (usually ${usualMs} ms)`);
    const afterMs = random() * usualMs * 1.1;
    const early = random() < 0.3;
    try {
      await victim.prepare?.(host);
      kills += (await killOnce(host, victim, afterMs, early)) ? 1 : 0;
      await victim.check?.(host);
      if (attempts % KILLS_PER_CHECK === 0) await expectNothingLeft(host);
    } catch (error) {
      const moment = `${afterMs.toFixed(1)} of ${usualMs.toFixed(0)} ms${early ? ', the next command already under way' : ''}`;
      throw new Error(`LICHEN_FAULT_SEED=${SEED}, attempt ${attempts}, killed after ${moment}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  await expectNothingLeft(host);
}

/** True when it met a living process. With `early` the next command starts before the kill, so that it looks at once at what the dead one left. */
async function killOnce(host: TestHost, victim: Victim, afterMs: number, early: boolean): Promise<boolean> {
  await using command = host.spawnLichen(victim.argv);
  command.endInput();
  const next = early ? nextCommand(host, Math.max(afterMs - 50, 0)) : undefined;
  await delay(afterMs);
  command.signal('SIGKILL');
  const died = await endOf(command);
  // One that came early may have looked while the other was still alive.
  await next;
  await nextCommand(host, 0);
  return died;
}

async function nextCommand(host: TestHost, afterMs: number): Promise<void> {
  await delay(afterMs);
  const { exitCode, stderr } = await host.lichen(['ps', '--all'], { timeoutMs: NEXT_COMMAND_MS });
  if (exitCode !== 0) throw new Error(`the next command failed with ${exitCode}: ${stderr}`);
}

/** The container's own processes may hold the streams for longer: only the command itself is waited for. */
async function endOf(command: RunningCommand): Promise<boolean> {
  const { exitCode } = await command.finish(30_000);
  return exitCode === 128 + 9;
}

async function usualDuration(host: TestHost, victim: Victim): Promise<number> {
  const durations: number[] = [];
  for (let round = 0; round < 3; round++) {
    await victim.prepare?.(host);
    const start = performance.now();
    await host.succeed(victim.argv);
    durations.push(performance.now() - start);
  }
  await host.succeed(['rm', '--force', '--time', '0', '--all']);
  return durations.toSorted((a, b) => a - b)[1]!;
}

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
