import { EngineError, isEngineError } from '../../core/errors.ts';
import { containerProcesses } from '../../libpod/container/top.ts';
import type { Engine } from '../../libpod/engine.ts';
import { membersOf, podTable } from '../../libpod/pod/rows.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { defineCommand } from '../command.ts';
import { podTopFace } from '../faces/pod-top.ts';
import { topColumns } from '../format/views/top-columns.ts';
import { formatTop } from '../format/views/top.ts';

export const command = defineCommand(podTopFace, async (context, args, flags) => {
  const engine = await context.openEngine();
  const pod = find(engine, flags.latest ? undefined : args[0]);
  const columns = podColumns(flags.latest ? args : args.slice(1));
  const running = (await membersOf(engine, pod)).filter(({ status }) => status === 'running');
  if (running.length === 0) return;
  const processes = running.flatMap((record) => containerProcesses(engine, record));
  // Those with a process namespace in common are seen in each of them.
  const once = [...new Map(processes.map((process) => [process.hostPid, process])).values()];
  const headers = columns.map(({ header }) => header);
  const rows = once.map((process) => columns.map(({ cell }) => cell(process)));
  context.stdout.write(formatTop(headers, rows));
});

/** Podman says it in other words here. */
function podColumns(words: readonly string[]): ReturnType<typeof topColumns> {
  try {
    return topColumns(words);
  } catch (error) {
    const [, unknown] = /^unknown descriptor "(.*)"$/.exec((error as Error).message) ?? [];
    if (!isEngineError(error) || unknown === undefined) throw error;
    throw new EngineError(error.code, `'${unknown}': unknown descriptor`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function find(engine: Engine, name: string | undefined): PodConfig {
  try {
    return name === undefined ? podTable(engine).latest() : podTable(engine).find(name);
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_POD')) throw error;
    throw new EngineError(error.code, `unable to look up requested container: ${error.message}`, { cause: error });
  }
}
