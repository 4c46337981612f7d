/** The same chunks, but a read ends when the signal comes. A pipeline's own signal waits for the read that is under way, which may never come back. */
export function abortable(chunks: AsyncIterator<Buffer>, signal: AbortSignal | undefined): AsyncIterator<Buffer> {
  if (signal === undefined) return chunks;
  const next = () =>
    new Promise<IteratorResult<Buffer>>((resolve, reject) => {
      const onAbort = () => reject(signal.reason as Error);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      const done = () => signal.removeEventListener('abort', onAbort);
      chunks.next().then(resolve, reject).finally(done);
    });
  return { next };
}
