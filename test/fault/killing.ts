/** kill -9 of one command line at many random moments: the next command works, and nothing is left. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningCommand, TestHost } from '../host/host.ts';
import { chance, sampleOf, SEED } from './chance.ts';
import { expectNothingLeft } from './remains.ts';

export interface Victim {
  /** A function is asked anew for each kill. */
  readonly argv: readonly string[] | (() => readonly string[]);
  /** Of which a usual run of the tests makes a fifth (chance.ts). */
  readonly kills: number;
  /** Default: SIGKILL. */
  readonly signal?: NodeJS.Signals;
  /** What the moments hang on; default: the words of `argv`. */
  readonly title?: string;
  /** Before each; must succeed. */
  readonly prepare?: (host: TestHost) => Promise<unknown>;
  /** Default: a list of containers. */
  readonly next?: readonly string[];
  /** Look at what the kill left before any other command does: the next one is whatever `prepare` or `thorough` call. */
  readonly untouched?: boolean;
  /** What must hold after each, whatever the moment. */
  readonly check?: (host: TestHost) => unknown;
  /** The same for what takes longer, after some kills and after the last. Default: nothing is left of any container. */
  readonly thorough?: (host: TestHost) => Promise<void>;
}

/** Commands are judged every so many kills; by then leftovers of several may have piled up, which is harder on the engine, not easier. */
const KILLS_PER_CHECK = 10;
/** Bounded, not timed: nothing waits for anything but a lock that its dead holder has let go of. */
const NEXT_COMMAND_MS = 20_000;
const GROWTH = 1.02;

export async function killMany(host: TestHost, victim: Victim): Promise<void> {
  const random = chance(victim.title ?? argvOf(victim).join(' '));
  let usualMs = await usualDuration(host, victim);
  const thorough = victim.thorough ?? expectNothingLeft;
  const wanted = sampleOf(victim.kills);
  for (let kills = 0, attempts = 0; kills < wanted; attempts++) {
    if (attempts > wanted * 5)
      throw new Error(`only ${kills} of ${attempts} kills met a living process (usually ${usualMs.toFixed(0)} ms)`);
    const afterMs = random() * usualMs * 1.1;
    const early = random() < 0.3;
    try {
      await victim.prepare?.(host);
      const met = await killOnce(host, victim, afterMs, early);
      if (met) kills++;
      // The machine is not always as fast as it was.
      usualMs = met ? usualMs * GROWTH : afterMs;
      await victim.check?.(host);
      if (attempts % KILLS_PER_CHECK === 0) await thorough(host);
    } catch (error) {
      const moment = `${afterMs.toFixed(1)} of ${usualMs.toFixed(0)} ms${early ? ', the next command already under way' : ''}`;
      throw new Error(`LICHEN_FAULT_SEED=${SEED}, attempt ${attempts}, killed after ${moment}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  await thorough(host);
}

/** True when it met a living process. With `early` the next command starts before the kill, so that it looks at once at what the dead one left. */
export async function killOnce(host: TestHost, victim: Victim, afterMs: number, early: boolean): Promise<boolean> {
  await using command = host.spawnLichen(argvOf(victim));
  command.endInput();
  const next = early ? nextCommand(host, victim, Math.max(afterMs - 50, 0)) : undefined;
  await delay(afterMs);
  command.signal(victim.signal ?? 'SIGKILL');
  const died = await endOf(command, victim.signal);
  // One that came early may have looked while the other was still alive.
  await next;
  if (victim.untouched !== true) await nextCommand(host, victim, 0);
  return died;
}

async function nextCommand(host: TestHost, { next = ['ps', '--all'] }: Victim, afterMs: number): Promise<void> {
  await delay(afterMs);
  const { exitCode, stderr } = await host.lichen(next, { timeoutMs: NEXT_COMMAND_MS });
  if (exitCode !== 0) throw new Error(`the next command failed with ${exitCode}: ${stderr}`);
}

/** Whether it met the signal. The container's own processes may hold the streams for longer: only the command itself is waited for. */
async function endOf(command: RunningCommand, signal: NodeJS.Signals = 'SIGKILL'): Promise<boolean> {
  const { exitCode } = await command.finish(30_000);
  // A signal that can be caught may find the container, which takes it or does not.
  return signal === 'SIGKILL' ? exitCode === 128 + 9 : exitCode !== 0;
}

async function usualDuration(host: TestHost, victim: Victim): Promise<number> {
  const durations: number[] = [];
  for (let round = 0; round < 3; round++) {
    await victim.prepare?.(host);
    const start = performance.now();
    await host.succeed(argvOf(victim));
    durations.push(performance.now() - start);
  }
  await host.succeed(['rm', '--force', '--time', '0', '--all']);
  return durations.toSorted((a, b) => a - b)[1]!;
}

function argvOf({ argv }: Victim): readonly string[] {
  return typeof argv === 'function' ? argv() : argv;
}
