import { EngineError, isEngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { lockAndRead } from '../../libpod/container/lock.ts';
import type { Selected } from '../../libpod/container/select.ts';
import { startContainer, type StartedContainer, startUnderLock } from '../../libpod/container/start.ts';
import { settled } from '../../libpod/container/wait.ts';
import type { Engine } from '../../libpod/engine.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { startFace } from '../faces/start.ts';
import type { FlagValues } from '../flag.ts';
import { type Foreground, foregroundAttach, foregroundRun } from '../foreground.ts';
import { awaitReady } from '../ready.ts';
import { selectByFlags } from '../selection.ts';
import { attachedStreams } from '../wish/streams.ts';

type StartFlags = FlagValues<typeof startFace.flags>;

export const command = defineCommand(startFace, async (context, names, flags) => {
  const attach = flags.attach || flags.interactive;
  if (context.given.has('sig-proxy') && flags['sig-proxy'] && !attach) {
    throw new EngineError('INVALID_ARGUMENT', 'you cannot use sig-proxy without --attach: invalid argument');
  }
  const engine = await context.openEngine();
  if (flags['after-boot']) return (await import('../../libpod/boot/due.ts')).startAfterBoot(engine);
  const selected = selectByFlags(engine, names, flags);
  if (attach && selected.length > 1) throw new EngineError('USAGE', 'you cannot start and attach multiple containers at once');
  const [only] = selected;
  if (attach && only) return inForeground(context, engine, only, flags);
  // One after the other: containers may share namespaces, and a start takes those it needs along.
  await forEachName(context, selected, async ({ record, shown }) => {
    const now = await settled(engine, engine.containers.get(record.id) ?? record);
    if (now?.status !== 'running') await startAtRest(context, engine, now ?? record);
    return shown;
  });
  return 0;
});

async function startAtRest(context: CommandContext, engine: Engine, { id }: Selected['record']): Promise<void> {
  const started = await startUnlessRunning(context, engine, id);
  if (started === undefined) return;
  try {
    await awaitReady(engine, started.record, started.runCount);
  } catch (error) {
    throw notReady(error, JSON.stringify(id));
  }
}

/** Undefined when somebody else has started it meanwhile. */
async function startUnlessRunning(context: CommandContext, engine: Engine, id: ContainerId): Promise<StartedContainer | undefined> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  refuseFrozen(record);
  return record.status === 'running' ? undefined : await startUnderLock(engine, record, { tell: (line) => context.stderr.line(line) });
}

function notReady(error: unknown, shownId: string): unknown {
  if (!isEngineError(error, 'WRONG_STATE')) return error;
  return new EngineError(error.code, `unable to start container ${shownId}: ${error.message}`, { cause: error });
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
  return now.status === 'running' ? foregroundAttach(engine, now, foreground) : startInFront(context, engine, now, foreground);
}

async function startInFront(context: CommandContext, engine: Engine, record: Selected['record'], foreground: Foreground): Promise<number> {
  let isStarted = false;
  try {
    return await foregroundRun(engine, record, foreground, async (options) => {
      const started = await startContainer(engine, record.id, { ...options, tell: (line) => context.stderr.line(line) });
      isStarted = true;
      return started;
    });
  } catch (error) {
    throw isStarted ? notReady(error, record.id) : error;
  }
}
