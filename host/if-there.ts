/** What is there to be read, and no error where nothing is or nothing may be read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export function namesIn(directory: string): string[] {
  // An error costs more than this look, and most directories that are asked for are not there.
  if (!existsSync(directory)) return [];
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
