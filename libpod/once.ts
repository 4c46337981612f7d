/** What the user is told when it first matters, not with every command. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../core/log.ts';
import { readIfThere } from '../host/if-there.ts';
import type { Engine } from './engine.ts';

/** Warn, unless the very same was said about `topic` before in this run directory, which lasts as long as the user's session. */
export function warnOnce({ paths }: Engine, topic: string, message: string): void {
  const directory = join(paths.run, 'said');
  const file = join(directory, topic);
  if (readIfThere(file) === message) return;
  log.warn(message);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(file, message);
}
