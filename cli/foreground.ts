/** A container's life in front of the caller: streams, terminal, signals. Shared by run, start --attach and attach. */
import { attachToRunning, runAttached, type AttachedRun } from '../libpod/attach/run.ts';
import { parseDetachKeys } from '../libpod/spec/parse/detach-keys.ts';
import type { StartedContainer, StartOptions } from '../libpod/container/start.ts';
import type { Engine } from '../libpod/engine.ts';
import { warnOnce } from '../libpod/once.ts';
import type { ContainerRecord } from '../libpod/state/containers.ts';
import { oneIdHint } from '../host/idmap.ts';
import { identify, signalProcess } from '../host/pid.ts';
import type { TerminalSize } from '../host/terminal.ts';
import { awaitReady } from './ready.ts';
import { ownStreams, passTerminal, proxySignals, typedKeys } from './streams.ts';
import type { Stream } from './wish/streams.ts';

export interface Foreground {
  readonly streams: ReadonlySet<Stream>;
  readonly detachKeys: string | undefined;
  readonly proxySignals: boolean;
}

/** Start the container in the foreground; its exit status, 0 after the detach keys. Throws WRONG_STATE when it should become healthy and ended before. */
export async function foregroundRun(
  engine: Engine,
  record: ContainerRecord,
  foreground: Foreground,
  start: (options: StartOptions) => Promise<StartedContainer>,
): Promise<number> {
  const detached = new AbortController();
  let ready: Promise<void> | undefined;
  const exitCode = await inFront(engine, record, foreground, (run) =>
    runAttached(engine, record.id, run, async (options) => {
      const started = await start({ ...options, terminalSize: record.config.terminal ? await callersSize() : undefined });
      ready = awaitReady(engine, record, started.runCount, detached.signal);
      ready.catch(() => undefined);
      return started;
    }),
  );
  if (exitCode === undefined) detached.abort();
  else await ready;
  if (exitCode !== undefined && exitCode !== 0) tellOfOneId(engine);
  return exitCode ?? 0;
}

async function callersSize(): Promise<TerminalSize | undefined> {
  return (await import('../host/terminal.ts')).terminalSize();
}

function tellOfOneId(engine: Engine): void {
  const hint = oneIdHint();
  if (hint !== undefined) warnOnce(engine, 'one-id', `the container failed. ${hint}`);
}

/** The same for a container that runs already. */
export async function foregroundAttach(engine: Engine, record: ContainerRecord, foreground: Foreground): Promise<number> {
  return (await inFront(engine, record, foreground, (run) => attachToRunning(engine, record, run))) ?? 0;
}

async function inFront(
  engine: Engine,
  record: ContainerRecord,
  foreground: Foreground,
  work: (run: AttachedRun) => Promise<number | undefined>,
): Promise<number | undefined> {
  using stack = new DisposableStack();
  const input = foreground.streams.has('stdin');
  const detachKeys = parseDetachKeys(foreground.detachKeys ?? engine.settings.detachKeys);
  return await work({
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
}
