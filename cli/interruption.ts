const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Work that a signal cancels: it is told by the abort signal, takes back what it began, and then the process dies of the signal it got, as its caller
 * expects. A second one ends it at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let received: NodeJS.Signals | undefined;
  const listener = (name: NodeJS.Signals): void => {
    SIGNALS.forEach((signal) => process.off(signal, listener));
    received = name;
    abort.abort(new Error(`cancelled by ${name}`));
  };
  SIGNALS.forEach((signal) => process.on(signal, listener));
  try {
    return await work(abort.signal);
  } finally {
    SIGNALS.forEach((signal) => process.off(signal, listener));
    if (received !== undefined) {
      process.kill(process.pid, received);
      // Ours is not to say anything any more.
      await new Promise(() => setTimeout(() => undefined, 10_000));
    }
  }
}
