import { EngineError } from '../../core/errors.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { defineCommand } from '../command.ts';
import { podLogsFace } from '../faces/pod-logs.ts';
import { logRequest, printAllLogs } from '../logging.ts';

export const command = defineCommand(podLogsFace, async (context, [name = ''], flags) => {
  const request = logRequest(flags);
  const engine = await context.openEngine();
  const pod = flags.latest ? podTable(engine).latest() : podTable(engine).find(name);
  const members = engine.containers.inPod(pod.id);
  const chosen = flags.container ? [one(members, flags.container, flags.latest ? pod.name : name)] : members;
  await printAllLogs(context, engine, chosen, { request, flags });
});

function one(members: readonly ContainerRecord[], wanted: string, pod: string): ContainerRecord {
  const found = members.find(({ id, name }) => name === wanted || id === wanted) ?? members.find(({ id }) => id.startsWith(wanted));
  if (found) return found;
  throw new EngineError('NO_SUCH_CONTAINER', `container ${wanted} is not in pod ${pod}: no such container`);
}
