import { readFileSync } from 'node:fs';

/** A process that its monitor killed for running over time has no status of its own: conmon writes -1. */
const TIMED_OUT = 255;

/** The exit status a monitor wrote (written by rename, so whole or not there). */
export function exitCodeFrom(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  if (!/^-?\d+$/.test(text)) return undefined;
  const code = Number(text);
  return code < 0 ? TIMED_OUT : code;
}
