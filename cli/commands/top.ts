import { latestContainer } from '../../libpod/container/select.ts';
import { containerProcesses } from '../../libpod/container/top.ts';
import { settled } from '../../libpod/container/wait.ts';
import { defineCommand } from '../command.ts';
import { topFace } from '../faces/top.ts';
import { topColumns } from '../format/views/top-columns.ts';
import { formatTop } from '../format/views/top.ts';

export const command = defineCommand(topFace, async (context, args, flags) => {
  const columns = topColumns(flags.latest ? args : args.slice(1));
  const engine = await context.openEngine();
  const record = flags.latest ? latestContainer(engine) : engine.containers.find(args[0] ?? '');
  const processes = containerProcesses(engine, (await settled(engine, record)) ?? record);
  const rows = processes.map((process) => columns.map(({ cell }) => cell(process)));
  context.stdout.write(
    formatTop(
      columns.map(({ header }) => header),
      rows,
    ),
  );
});
