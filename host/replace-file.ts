/** A file with new contents: complete under its name, or as it was. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { lockFile } from './flock.ts';

/**
 * Written aside, flushed to the disk and renamed into place. A symbolic link at `path` is replaced, not followed.
 * To be called under `lockBeside`: what a killed process left aside is in nobody's use then, and goes.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  const aside = `${path}.new`;
  try {
    rmSync(aside, { force: true });
    const fd = openSync(aside, 'wx', mode);
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** One at a time may change the file at `path`. The lock is a file beside it, which goes when the lock does. Throws LOCKED. */
export async function lockBeside(path: string, timeoutMs: number): Promise<Disposable> {
  const file = `${path}.lock`;
  const lock = await lockFile(file, { timeoutMs });
  return {
    [Symbol.dispose]: () => {
      rmSync(file, { force: true });
      lock[Symbol.dispose]();
    },
  };
}
