import { availableParallelism } from 'node:os';
import { mapConcurrent } from '../core/concurrent.ts';
import { plainText } from '../core/plain.ts';
import type { CommandContext } from './command.ts';

/**
 * Work on several names in turn and go on after a failure, as Podman does: what `work` returns is printed as a line (undefined: nothing),
 * all errors but the last are printed at once, the last one is thrown and decides the exit status.
 */
export async function forEachName<T>(
  context: CommandContext,
  names: readonly T[],
  work: (name: T) => Promise<string | undefined>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      const line = await work(name);
      if (line !== undefined) context.stdout.line(line);
    } catch (error) {
      failures.push(error);
    }
  }
  reportFailures(context, failures);
}

/** The same, several at once: for work that mostly waits. Lines come in the order of the names. */
export async function forEachAtOnce<T>(
  context: CommandContext,
  names: readonly T[],
  work: (name: T) => Promise<string | undefined>,
): Promise<void> {
  type Outcome = { readonly line: string | undefined } | { readonly error: unknown };
  const outcomes = await mapConcurrent(names, { limit: availableParallelism() * 3 + 1 }, async (name): Promise<Outcome> => {
    try {
      return { line: await work(name) };
    } catch (error) {
      return { error };
    }
  });
  for (const outcome of outcomes) if ('line' in outcome && outcome.line !== undefined) context.stdout.line(outcome.line);
  reportFailures(
    context,
    outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : [])),
  );
}

function reportFailures(context: CommandContext, failures: readonly unknown[]): void {
  if (failures.length === 0) return;
  for (const error of failures.slice(0, -1)) context.stderr.line(`Error: ${plainText((error as Error).message)}`);
  throw failures.at(-1);
}
