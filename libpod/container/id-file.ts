/** The file that `--cidfile` has the id written to. It is there for as long as the container, and is nobody else's in that time. */
import { readFileSync, rmSync } from 'node:fs';
import type { ContainerId } from '../../core/id.ts';

/** What the file says; undefined where there is none. Throws what reading throws. */
export function readIdFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** With the container: one that says something else by now is left alone, and one that cannot be had is no failure. */
export function forgetIdFile(path: string, id: ContainerId): void {
  try {
    if (readIdFile(path) === id) rmSync(path, { force: true });
  } catch {
    // Its directory is not ours any more.
  }
}
