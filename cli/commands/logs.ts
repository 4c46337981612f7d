import { latestContainer } from '../../libpod/container/select.ts';
import { defineCommand } from '../command.ts';
import { logsFace } from '../faces/logs.ts';
import { logRequest, printAllLogs } from '../logging.ts';

export const command = defineCommand(logsFace, async (context, names, flags) => {
  const request = logRequest(flags);
  const engine = await context.openEngine();
  const records = flags.latest ? [latestContainer(engine)] : names.map((name) => engine.containers.find(name));
  await printAllLogs(context, engine, records, { request, flags });
});
