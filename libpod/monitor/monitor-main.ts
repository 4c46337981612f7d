/**
 * The monitor of our own (embedded.ts) as a process. Its arguments are the bundle, for whoever looks for it in a list of processes, and the number
 * of the first descriptor that is ours: from there on come the task, the channels in the order of `MonitorChannels`, and what is only held.
 *
 * It waits for everything in one poll(2) on one thread (inside/loop.ts), without Node's streams and threads: what it holds in memory it holds for
 * as long as its container lives.
 */
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { exitNow } from '../../host/exit.ts';
import { type MonitorChannels, supervise } from './inside/supervise.ts';
import { takeBackTuning } from '../../host/tuning.ts';
import type { MonitorTask } from './inside/task.ts';
import { COMM } from './names.ts';

takeBackTuning();
const [, first = 3, end = first] = process.argv.slice(2).map(Number);
const channels: MonitorChannels = { sync: first + 1, start: first + 2, attach: first + 3, end };
const task = JSON.parse(readFileSync(first, 'utf8')) as MonitorTask;

writeFileSync('/proc/self/comm', COMM);
process.on('SIGHUP', () => undefined);
supervise(task, channels).catch((error: unknown) => {
  // The command reads it where it hears no answer.
  writeSync(2, `${error instanceof Error ? error.message : String(error)}\n`);
  exitNow(1);
});
