/** A container's life in front of the caller: streams, terminal, signals. Shared by run, start --attach and attach. */
import { attachToRunning, runAttached, type AttachedRun } from '../libpod/attach/run.ts';
import { parseDetachKeys } from '../libpod/spec/parse/detach-keys.ts';
import type { StartedContainer, StartOptions } from '../libpod/container/start.ts';
import type { Engine } from '../libpod/engine.ts';
import type { ContainerRecord } from '../libpod/state/containers.ts';
import { identify, signalProcess } from '../host/pid.ts';
import { ownStreams, passTerminal, proxySignals, typedKeys } from './streams.ts';
import type { Stream } from './wish/streams.ts';

export interface Foreground {
  readonly streams: ReadonlySet<Stream>;
  readonly detachKeys: string | undefined;
  readonly proxySignals: boolean;
  readonly start?: (options: StartOptions) => Promise<StartedContainer>;
}

/** Start the container in the foreground; its exit status, 0 after the detach keys. */
export function foregroundRun(engine: Engine, record: ContainerRecord, foreground: Foreground): Promise<number> {
  return inFront(engine, record, foreground, (run) => runAttached(engine, record.id, run, foreground.start));
}

/** The same for a container that runs already. */
export function foregroundAttach(engine: Engine, record: ContainerRecord, foreground: Foreground): Promise<number> {
  return inFront(engine, record, foreground, (run) => attachToRunning(engine, record, run));
}

async function inFront(
  engine: Engine,
  record: ContainerRecord,
  foreground: Foreground,
  work: (run: AttachedRun) => Promise<number | undefined>,
): Promise<number> {
  using stack = new DisposableStack();
  const input = foreground.streams.has('stdin');
  const detachKeys = parseDetachKeys(foreground.detachKeys ?? engine.settings.detachKeys);
  const exitCode = await work({
    streams: ownStreams(foreground.streams),
    detachKeys: input ? typedKeys(detachKeys) : detachKeys,
    onAttached: async ({ pid, controlFifo }) => {
      if (foreground.proxySignals) {
        const process = identify(pid);
        if (process) stack.use(proxySignals((signal) => void signalProcess(process, signal)));
      }
      if (record.config.terminal) stack.use(await passTerminal(controlFifo, { raw: input }));
    },
  });
  return exitCode ?? 0;
}
