import { bind } from './libc.ts';

const CLOCK_REALTIME = 0;
const clockGettime = bind('int clock_gettime(int clock, _Out_ int64_t *time)');
const time: [number, number] = [0, 0];

/** Of the wall clock: seconds since the epoch, and nanoseconds. */
export function wallClock(): readonly [seconds: number, nanoseconds: number] {
  clockGettime(CLOCK_REALTIME, time);
  return time;
}
