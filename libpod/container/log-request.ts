/** What is asked of a container's log, wherever that is kept. */
import { parseStamp } from '../../core/moment.ts';
import type { Engine } from '../engine.ts';
import { type ContainerRecord, LIVE } from '../state/containers.ts';
import { tryLockContainer } from './lock.ts';
import { settled } from './wait.ts';

export interface LogRequest {
  /** Only so many lines from the end of what is there. */
  readonly tail?: number | undefined;
  /** Nanoseconds since the epoch. */
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
  /** Go on until the container has ended, or `untilNs` has passed. */
  readonly follow?: boolean;
}

/** How soon an end of the container is seen. */
export const LOOK_EVERY_MS = 200;

/** Takes the time of a record. */
export function timeTest({ sinceNs, untilNs }: LogRequest): (stamp: string) => boolean {
  if (sinceNs === undefined && untilNs === undefined) return () => true;
  return (stamp) => {
    const time = parseStamp(stamp);
    if (time === undefined) return false;
    return (sinceNs === undefined || time >= sinceNs) && (untilNs === undefined || time <= untilNs);
  };
}

export function isPast(untilNs: bigint | undefined): boolean {
  return untilNs !== undefined && BigInt(Date.now()) * 1_000_000n > untilNs;
}

/** Is there more to come? Not of one that nobody is about to start again. */
export async function stillRuns(engine: Engine, record: ContainerRecord): Promise<boolean> {
  const row = engine.containers.get(record.id);
  const now = row && (await settled(engine, row));
  if (now === undefined) return false;
  return now.status === 'starting' || LIVE.includes(now.status) || isWorkedOn(engine, record);
}

/** One at rest that somebody holds is between the two halves of a restart, or about to be gone. */
function isWorkedOn(engine: Engine, { id }: ContainerRecord): boolean {
  using lock = tryLockContainer(engine, id);
  return lock === undefined;
}
