import { EngineError } from '../../core/errors.ts';
import type { Selected } from '../../libpod/container/select.ts';
import { startContainer } from '../../libpod/container/start.ts';
import { settled } from '../../libpod/container/wait.ts';
import type { Engine } from '../../libpod/engine.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { startFace } from '../faces/start.ts';
import type { FlagValues } from '../flag.ts';
import { foregroundAttach, foregroundRun } from '../foreground.ts';
import { selectByFlags } from '../selection.ts';
import { attachedStreams } from '../wish/streams.ts';

type StartFlags = FlagValues<typeof startFace.flags>;

export const command = defineCommand(startFace, async (context, names, flags) => {
  const attach = flags.attach || flags.interactive;
  if (context.given.has('sig-proxy') && flags['sig-proxy'] && !attach) {
    throw new EngineError('INVALID_ARGUMENT', 'you cannot use sig-proxy without --attach: invalid argument');
  }
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags);
  if (attach && selected.length > 1) throw new EngineError('USAGE', 'you cannot start and attach multiple containers at once');
  const [only] = selected;
  if (attach && only) return inForeground(context, engine, only, flags);
  // One after the other: containers may share namespaces, and a start takes those it needs along.
  await forEachName(context, selected, async ({ record, shown }) => {
    const now = await settled(engine, engine.containers.get(record.id) ?? record);
    if (now?.status !== 'running') await startUnlessFrozen(engine, now ?? record);
    return shown;
  });
  return 0;
});

async function startUnlessFrozen(engine: Engine, record: Selected['record']): Promise<void> {
  refuseFrozen(record);
  await startContainer(engine, record.id);
}

function refuseFrozen({ id, status }: Selected['record']): void {
  if (status !== 'paused') return;
  throw new EngineError(
    'WRONG_STATE',
    `unable to start container "${id}": container ${id} must be in Created or Stopped state to be started: container state improper`,
    { hint: 'It is paused: use unpause.' },
  );
}

async function inForeground(context: CommandContext, engine: Engine, { record }: Selected, flags: StartFlags): Promise<number> {
  const now = (await settled(engine, record)) ?? record;
  refuseFrozen(now);
  const foreground = {
    streams: attachedStreams([], flags.interactive),
    detachKeys: flags['detach-keys'],
    proxySignals: context.given.has('sig-proxy') ? flags['sig-proxy'] : true,
  };
  return now.status === 'running' ? foregroundAttach(engine, now, foreground) : foregroundRun(engine, now, foreground);
}
