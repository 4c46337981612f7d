/** Log driver json-file: conmon writes its own format into a pipe, and a small process of ours (json-log-main.ts) writes Docker's from it. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryFlock, tryLockFile } from '../../host/flock.ts';
import { makePipe } from '../../host/pipe.ts';
import { launchBeside } from './beside.ts';
import { openLogFile } from './log-file.ts';
import type { MonitorCreate } from './monitor.ts';

const POLL_MS = 5;
/** Longer than a writer needs for a full pipe. */
const WRITERS_GONE_MS = 5000;

/** Start the writer. `fd` is where it reads from: for the monitor, and to be closed here. Throws INVALID_ARGUMENT when the log cannot be opened. */
export async function startJsonLog({ log, runDir }: Pick<MonitorCreate, 'log' | 'runDir'>): Promise<Disposable & { readonly fd: number }> {
  const file = openLogFile(log.path);
  const lock = await sharedLock(runDir);
  const pipe = makePipe();
  try {
    await launchBeside('json-log-main', [log.path, String(log.maxSizeBytes ?? '')], {
      stdio: [pipe.read, 'ignore', 'ignore', file, lock],
      cwd: '/',
    });
  } catch (error) {
    closeSync(pipe.write);
    throw error;
  } finally {
    for (const fd of [pipe.read, file, lock]) closeSync(fd);
  }
  return { fd: pipe.write, [Symbol.dispose]: () => closeSync(pipe.write) };
}

/** Wait, not for ever, until what an ended container printed is in its log. */
export async function jsonLogWritten(runDir: string): Promise<void> {
  for (let waited = 0; waited < WRITERS_GONE_MS; waited += POLL_MS) {
    if (isFree(runDir)) return;
    await sleep(POLL_MS);
  }
}

function isFree(runDir: string): boolean {
  try {
    using lock = tryLockFile(lockPath(runDir));
    return lock !== undefined;
  } catch {
    // The run directory is gone, and whoever wrote with it.
    return true;
  }
}

/** Held by the writer through the descriptor that it inherits. */
async function sharedLock(runDir: string): Promise<number> {
  const fd = openSync(lockPath(runDir), 'a', 0o600);
  while (!tryFlock(fd, 'shared')) await sleep(POLL_MS);
  return fd;
}

function lockPath(runDir: string): string {
  return join(runDir, 'log-writer');
}
