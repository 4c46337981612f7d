import { closeSync, fstatSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { bind, errno, ERRNO, syscallError } from './libc.ts';

const LOCK = { shared: 1, exclusive: 2 } as const;
const LOCK_NB = 4;
const LOCK_UN = 8;

const nativeFlock = bind('int flock(int fd, int operation)');

/** flock(2) without blocking. False if another open file description holds a conflicting lock. */
export function tryFlock(fd: number, mode: keyof typeof LOCK): boolean {
  if (nativeFlock(fd, LOCK[mode] | LOCK_NB) === 0) return true;
  const number = errno();
  if (number === ERRNO.EAGAIN) return false;
  throw syscallError('flock', `fd ${fd}`, number);
}

export class FileLock implements Disposable {
  readonly #fd: number;
  #held = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    nativeFlock(this.#fd, LOCK_UN);
    closeSync(this.#fd);
  }
}

/**
 * The lock file at `path` (made 0600 if missing) if it is free, else undefined. Children do not inherit it.
 * Its holder may remove the file: whoever had opened it before and gets the lock after starts again with the file that is there now.
 */
export function tryLockFile(path: string, mode: keyof typeof LOCK = 'exclusive'): FileLock | undefined {
  for (;;) {
    const fd = openSync(path, 'a+', 0o600);
    let locked = false;
    try {
      locked = tryFlock(fd, mode) && fstatSync(fd).nlink > 0;
      if (locked) return new FileLock(fd);
      if (fstatSync(fd).nlink > 0) return undefined;
    } finally {
      if (!locked) closeSync(fd);
    }
  }
}

/**
 * Wait for the lock file at `path`. flock(2) dies with its holder, so a killed process never leaves one behind.
 * Throws LOCKED after `timeoutMs`, ABORTED on the signal.
 */
export async function lockFile(
  path: string,
  options: { mode?: keyof typeof LOCK; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<FileLock> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.5, 25)) {
    const lock = tryLockFile(path, options.mode);
    if (lock) return lock;
    if (Date.now() > deadline)
      throw new EngineError('LOCKED', `another process holds ${path}`, { hint: 'Wait for it, or end it, and try again.' });
    if (options.signal?.aborted) throw new EngineError('ABORTED', `waiting for ${path} was cancelled`, { cause: options.signal.reason });
    await sleep(pauseMs);
  }
}
