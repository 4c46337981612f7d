import { formatDuration } from '../../core/duration.ts';
import { isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import type { OnCopyEvent } from '../progress.ts';
import { isLasting } from './http.ts';
import { pause } from './pause.ts';

export interface RetryOptions {
  /** After the first failure; 0 never tries again. Default: 3 (containers.conf engine.retry). */
  readonly retries?: number | undefined;
  /** Default: 1 s. */
  readonly delayMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told of each failure that is not the last; so is the log. */
  readonly onEvent?: OnCopyEvent | undefined;
}

/** `--retry` and `--retry-delay`: what may pass by itself is tried again; an answer that will not change is not. */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const attempts = options.retries ?? 3;
  const delayMs = options.delayMs ?? 1000;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt > attempts || !isPassing(error) || options.signal?.aborted) throw error;
      const { message } = error as Error;
      options.onEvent?.({ kind: 'retrying', attempt, attempts, delayMs, error: message });
      log.warn(`Failed, retrying in ${formatDuration(delayMs)} ... (${attempt}/${attempts}). Error: ${message}`);
      await pause(delayMs, options.signal);
    }
  }
}

function isPassing(error: unknown): boolean {
  return isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_ERROR') && !isLasting(error);
}
