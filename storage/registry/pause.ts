import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';

/** Throws ABORTED at once when the signal fires. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new EngineError('ABORTED', 'context canceled', { cause });
  }
}
