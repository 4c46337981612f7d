import { parseDurationMs } from '../../core/duration.ts';
import { isEngineError } from '../../core/errors.ts';
import { parseStatus } from '../../libpod/container/filter.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { waitForContainer, type WaitCondition } from '../../libpod/container/wait.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../../libpod/engine.ts';
import { defineCommand } from '../command.ts';
import { waitFace } from '../faces/wait.ts';

/** The exit status shown for a name without a container, with --ignore. */
const MISSING = -1;

export const command = defineCommand(waitFace, async (context, names, flags) => {
  const conditions = flags.condition.map(parseCondition);
  const intervalMs = parseInterval(flags.interval);
  const engine = await context.openEngine();
  const ids = flags.latest ? [latestContainer(engine).id] : names.map((name) => lookUp(engine, name, flags.ignore));
  const statusOf = (id: ContainerId | undefined): Promise<number> => waitFor(engine, id, conditions, intervalMs);
  if (flags['exit-first-match']) {
    context.stdout.line(String(await Promise.race(ids.map(statusOf))));
    return;
  }
  for (const id of ids) context.stdout.line(String(await statusOf(id)));
});

async function waitFor(
  engine: Engine,
  id: ContainerId | undefined,
  conditions: readonly WaitCondition[],
  intervalMs: number,
): Promise<number> {
  if (id === undefined) return MISSING;
  if (conditions.length > 0) return waitForContainer(engine, id, conditions, intervalMs);
  // One that never ran has nothing to wait for.
  if (engine.containers.get(id)?.status === 'configured') return 0;
  return waitForContainer(engine, id, ['stopped', 'exited'], intervalMs);
}

/** Throws INVALID_ARGUMENT. */
function parseCondition(text: string): WaitCondition {
  if (text === 'stopped' || text === 'healthy' || text === 'unhealthy') return text;
  const status = parseStatus(text);
  return status === 'created' ? 'configured' : (status as WaitCondition);
}

/** A duration, or a number of milliseconds. Throws INVALID_ARGUMENT. */
function parseInterval(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : parseDurationMs(text);
}

function lookUp(engine: Engine, name: string, ignoreMissing: boolean): ContainerId | undefined {
  try {
    return engine.containers.find(name).id;
  } catch (error) {
    if (ignoreMissing && isEngineError(error, 'NO_SUCH_CONTAINER')) return undefined;
    throw error;
  }
}
