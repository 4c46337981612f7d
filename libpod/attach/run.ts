/** The foreground life of a container: start it with the caller attached, wait for its end, clean up. */
import { EngineError } from '../../core/errors.ts';
import { passesStreamsThrough } from '../spec/container.ts';
import { trace } from '../../host/trace.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { attend, cleanUp, exitCodeOf } from '../container/cleanup.ts';
import { containerEvent } from '../container/event.ts';
import { placesOf } from '../container/places.ts';
import type { StartedContainer, StartOptions } from '../container/start.ts';
import { waitForContainer } from '../container/wait.ts';
import { waitForEnd } from '../../host/pid.ts';
import { openAttach, type AttachSession, type AttachStreams } from './session.ts';

export interface AttachedRun {
  readonly streams: AttachStreams;
  readonly detachKeys: Uint8Array;
  /** Awaited before the process starts: here signals are hooked up and the terminal gets its size. */
  readonly onAttached?: (container: { readonly pid: number; readonly controlFifo: string }) => Promise<void>;
}

/** The exit status, or undefined when the caller detached and the container runs on. Throws what `start` throws. */
export async function runAttached(
  engine: Engine,
  id: ContainerId,
  run: AttachedRun,
  start: (options: StartOptions) => Promise<StartedContainer>,
): Promise<number | undefined> {
  using _attended = attend(engine, id);
  const isPassedThrough = passesStreamsThrough(engine.containers.get(id)!.config);
  let session: AttachSession | undefined;
  try {
    const started = await start({
      onAttachable: async (process) => {
        if (!isPassedThrough) session = openAttach(process.attachSocket, run);
        await run.onAttached?.({ pid: process.pid, controlFifo: process.controlFifo });
      },
    });
    if (session) engine.events.offer(containerEvent(started.record, 'attach'));
    if ((await session?.end) === 'detached') return undefined;
    return await finish(engine, id, started.runCount);
  } finally {
    session?.[Symbol.dispose]();
  }
}

/** Attach to a container that runs already; the exit status, or undefined after the detach keys. Throws NOT_SUPPORTED. */
export async function attachToRunning(engine: Engine, record: ContainerRecord, run: AttachedRun): Promise<number | undefined> {
  if (passesStreamsThrough(record.config)) {
    const why = `this container is using the '${record.config.log.driver}' log driver, cannot attach: this container is not logging output`;
    throw new EngineError('NOT_SUPPORTED', `attaching to container ${record.id}: ${why}`);
  }
  using _attended = attend(engine, record.id);
  const places = placesOf(engine, record.id);
  using session = openAttach(places.attachSocket, run);
  await run.onAttached?.({ pid: record.process?.pid ?? 0, controlFifo: places.control });
  engine.events.offer(containerEvent(record, 'attach'));
  if ((await session.end) === 'detached') return undefined;
  return await finish(engine, record.id, record.runCount);
}

/** The streams are at their end; the container ends now, or goes on without them. */
async function finish(engine: Engine, id: ContainerId, runCount: number): Promise<number> {
  const record = engine.containers.get(id);
  if (record?.process && record.runCount === runCount && LIVE.includes(record.status)) await endOf(record);
  trace('ended');
  const exitCode = await cleanUp(engine, id, runCount);
  trace('cleaned');
  if (exitCode !== undefined) return exitCode;
  return exitCodeOf(engine, id) ?? waitForContainer(engine, id, ['exited', 'configured'], 50);
}

async function endOf(record: ContainerRecord): Promise<void> {
  while (!(await waitForEnd(record.process!, 3_600_000)));
}
