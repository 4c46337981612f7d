import { passesStreamsThrough } from '../../libpod/spec/container.ts';
import { EngineError } from '../../core/errors.ts';
import { createContainer, type CreatedContainer } from '../../libpod/container/create.ts';
import { startUnderLock, type StartedContainer, type StartOptions } from '../../libpod/container/start.ts';
import type { Engine } from '../../libpod/engine.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { prepareCreation, writeIdFile } from '../creation.ts';
import { runFace } from '../faces/run.ts';
import type { FlagValues } from '../flag.ts';
import { foregroundRun } from '../foreground.ts';
import { preservedFds } from '../preserved.ts';
import { awaitReady } from '../ready.ts';
import { warnWithoutTerminal } from '../streams.ts';
import { attachedStreams, type Stream } from '../wish/streams.ts';

type RunFlags = FlagValues<typeof runFace.flags>;

/** What fails once the container exists is not the engine's failure to create it (podman-run(1), Exit Status). */
const START_FAILURE = 126;

export const command = defineCommand(runFace, async (context, args, flags) => {
  const streams = attachedStreams(flags.attach, flags.interactive);
  const preserveFds = handedOn(flags);
  if (flags.tty && flags.interactive) warnWithoutTerminal();
  const { engine, wish } = await prepareCreation(context, args, flags);
  const begun = context.begun.network;
  const tell = (line: string): void => context.stderr.line(line);
  const created = await createContainer(engine, wish, { id: begun?.id, starting: true, tell });
  // A row in the database stands for it now.
  delete context.begun.network;
  writeIdFile(flags.cidfile, created.record.id);
  try {
    return flags.detach
      ? await detached(context, engine, created, { preserveFds, begun, tell })
      : await attached(engine, created, flags, streams, { preserveFds, begun, tell });
  } catch (error) {
    if (error instanceof EngineError && error.exitCode === undefined) {
      throw new EngineError(error.code, error.message, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
        exitCode: START_FAILURE,
      });
    }
    throw error;
  }
});

function handedOn(flags: RunFlags): readonly number[] {
  if (flags['preserve-fds'] && flags['preserve-fd'].length > 0) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot specify both --preserve-fds and --preserve-fd');
  }
  return preservedFds(flags);
}

async function detached(context: CommandContext, engine: Engine, created: CreatedContainer, given: StartOptions): Promise<number> {
  const { runCount } = await startCreated(engine, created, given);
  await awaitReady(engine, created.record, runCount);
  const { tellOfLinger } = await import('../../libpod/boot/linger.ts');
  tellOfLinger(
    engine,
    () => context.stderr.isTerminal(),
    (line) => context.stderr.line(line),
  );
  if (!passesStreamsThrough(created.record.config)) context.stdout.line(created.record.id);
  return 0;
}

async function attached(
  engine: Engine,
  created: CreatedContainer,
  flags: RunFlags,
  streams: ReadonlySet<Stream>,
  given: StartOptions,
): Promise<number> {
  const foreground = { streams, detachKeys: flags['detach-keys'], proxySignals: flags['sig-proxy'] };
  return foregroundRun(engine, created.record, foreground, (options) => startCreated(engine, created, { ...options, ...given }));
}

/** The lock is held since the row was made: a lichen that is killed up to here leaves a start that the next one undoes. */
async function startCreated(engine: Engine, created: CreatedContainer, options: StartOptions): Promise<StartedContainer> {
  using _lock = created;
  return await startUnderLock(engine, created.record, options);
}
