/**
 * Run `work` over all items, at most `limit` at a time, results in the order of the items.
 * The first failure aborts the signal that the others got, waits until they have ended, and is thrown.
 */
export async function mapConcurrent<T, R>(
  items: Iterable<T>,
  options: { limit: number; signal?: AbortSignal | undefined },
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const siblings = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, siblings.signal]) : siblings.signal;
  const queue = [...items].entries();
  const results: R[] = [];
  let failure: { error: unknown } | undefined;

  async function worker(): Promise<void> {
    for (const [index, item] of queue) {
      if (failure || signal.aborted) return;
      try {
        results[index] = await work(item, signal, index);
      } catch (error) {
        failure ??= { error };
        siblings.abort(error);
        return;
      }
    }
  }

  await Promise.all(Array.from({ length: Math.max(1, options.limit) }, worker));
  if (failure) throw failure.error;
  options.signal?.throwIfAborted();
  return results;
}
