import { EngineError, isEngineError } from '../../core/errors.ts';
import { asId, type ContainerId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { isAlive } from '../../host/pid.ts';
import type { Engine } from '../../libpod/engine.ts';
import { STATUS } from '../../libpod/health/plan.ts';
import { runHealthcheck } from '../../libpod/health/run.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { exactly } from '../arguments.ts';
import { defineCommand, defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

const UNHEALTHY = 1;

const face = defineFace({
  usage: 'CONTAINER',
  summary: 'Run the health check of a container',
  description:
    'Run the health check of a container now. Exit status 0 if it is healthy, 1 if not, 125 if the check could not be run to its end.',
  examples: ['healthcheck run mywebapp'],
  flags: flagTable({ run: { kind: 'uint', help: 'As the schedule of this run of the container asks', hidden: true } }),
  args: exactly(1),
  complete: ['running-container', 'none'],
});

export const command = defineCommand(face, async (context, [name = ''], flags) => {
  const engine = await context.openEngine();
  if (flags.run !== undefined) return scheduled(engine, name, flags.run);
  const result = await runHealthcheck(engine, find(engine, name));
  if (result === 'healthy') return 0;
  context.stdout.line(result);
  return UNHEALTHY;
});

function find(engine: Engine, name: string): ContainerRecord {
  try {
    return engine.containers.find(name);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw new EngineError(error.code, `unable to look up ${name} to perform a health check: ${error.message}`, { cause: error });
  }
}

/** Nobody reads what is said here: what went wrong is in the container's health log. */
async function scheduled(engine: Engine, id: string, runCount: number): Promise<number> {
  // Where the monitor was killed, too, nobody has put the row to rest.
  const isUp = ({ status, process }: ContainerRecord): boolean =>
    ['running', 'paused'].includes(status) && process !== undefined && isAlive(process);
  const isOver = (record: ContainerRecord | undefined): boolean => record === undefined || record.runCount !== runCount || !isUp(record);
  const read = (): ContainerRecord | undefined => engine.containers.get(asId<ContainerId>(id));
  const record = read();
  if (record === undefined || isOver(record)) return STATUS.over;
  if (record.status === 'running') {
    try {
      await runHealthcheck(engine, record);
    } catch (error) {
      log.debug(() => (error as Error).message);
    }
  }
  const now = read();
  if (now === undefined || isOver(now)) return STATUS.over;
  return now.health?.startup === undefined ? STATUS.done : STATUS.startup;
}
