/** The life of a container as its parent sees it, from the start of its runtime to the exit command. */
import { closeSync, readFileSync, renameSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { exitNow } from '../../../host/exit.ts';
import { posixSpawn } from '../../../host/posix-spawn.ts';
import { neverBlock, readReady } from '../../../host/ready-io.ts';
import { adoptOrphans } from '../../../host/subreaper.ts';
import { preserveArgs, withoutGaps } from '../../runtime/preserved.ts';
import { Child, reapOrphans } from './child.ts';
import { Loop } from './loop.ts';
import { MemoryEvents } from './memory-events.ts';
import { OomScore } from './oom-score.ts';
import { ReadySocket } from './ready-socket.ts';
import { Streams } from './streams.ts';
import type { MonitorTask } from './task.ts';

/** Descriptors by which the command that started us is spoken to. */
export interface MonitorChannels {
  /** Where it hears how it went. */
  readonly sync: number;
  /** Where it says when to go on; its end without a word ends us. */
  readonly start: number;
  /** Of an exec session: where it hears that clients can attach. */
  readonly attach: number;
  /** The first that is not inherited. */
  readonly end: number;
}

const SIGKILL = 9;
/** What a service manager ends a service with is the container's to hear. */
const PASSED_ON = { SIGTERM: 15, SIGINT: 2, SIGQUIT: 3 } as const;
/** In the exit file of a container that ran over its time, and our own exit status then. */
const TIMED_OUT = '-1';
const TIMED_OUT_STATUS = 255;
const COMPLAINT_BYTES = 8192;

/** Ends the process. Throws what its parts throw as long as there is no container. */
export async function supervise(task: MonitorTask, channels: MonitorChannels): Promise<void> {
  // Loaded while nobody waits for it yet.
  const runtime = task.inside && { ...(await import('./runtime-inside.ts')), inside: task.inside };
  if (!isToldToGo(channels)) exitNow(0);
  adoptOrphans(true);
  writeFileSync(task.monitorPidFile, String(process.pid));
  const loop = await Loop.open();
  const streams = new Streams(loop, task);
  if (task.notifySocket !== undefined) loop.add(new ReadySocket(task.directory, task.notifySocket));
  if (task.kind === 'exec') {
    writeSync(channels.attach, '{"data": 0}\n');
    if (!isToldToGo(channels)) exitNow(0);
  }
  const signals = new PassedSignals();
  const made = await (runtime?.createInside(task, runtime.inside, streams) ?? createByProgram(loop, task, streams, signals));
  answer(channels, typeof made === 'string' ? { data: -1, message: made } : { data: made });
  let status = 0;
  if (typeof made === 'number') {
    const container = new Child(made);
    signals.passTo(container);
    loop.add(container);
    const score = new OomScore();
    const code = await endOf(loop, container, task, streams);
    writeExit(task.exitFile, code);
    status = code === TIMED_OUT ? TIMED_OUT_STATUS : Number(code);
    score.restore();
  }
  streams.close();
  for (let fd = 3; fd < channels.end; fd++) closeSync(fd);
  if (task.kind === 'create') await runtime?.deleteInside(task, runtime.inside);
  await runExitCommand(task.exitCommand);
  // To a service manager we are the service: how we end is how it has ended.
  exitNow(status);
}

/** The pid of the container's process, once it waits to be let go; or what the runtime said of why there is none. */
async function createByProgram(loop: Loop, task: MonitorTask, streams: Streams, signals: PassedSignals): Promise<number | string> {
  const { consolePath } = streams;
  const runtime = new Child(
    posixSpawn({
      program: task.program,
      args: [
        ...task.args,
        ...(consolePath === undefined ? [] : ['--console-socket', consolePath]),
        ...preserveArgs(task.preserveFds),
        task.id,
      ],
      env: Object.entries(process.env).map(([key, value = '']) => `${key}=${value}`),
      fds: [...streams.stdio, ...withoutGaps(task.preserveFds).map((fd) => (fd === 'ignore' ? ('null' as const) : fd))],
      newSession: false,
    }),
  );
  streams.handedOver();
  signals.passTo(runtime);
  loop.add(runtime);
  while (runtime.code === undefined) await loop.next();
  loop.remove(runtime);
  return runtime.code === 0 ? Number(readFileSync(task.pidFile, 'latin1')) : complaint(streams.errors);
}

/** Those that are meant for a child of ours. */
class PassedSignals {
  #child: Child | undefined;
  #early: number[] = [];

  constructor() {
    for (const [name, number] of Object.entries(PASSED_ON)) {
      process.on(name, () => (this.#child === undefined ? this.#early.push(number) : this.#child.signal(number)));
    }
  }

  /** From now on; with what came before there was one. */
  passTo(child: Child): void {
    this.#child = child;
    for (const number of this.#early.splice(0)) child.signal(number);
  }
}

/** What its exit file says. */
async function endOf(loop: Loop, container: Child, task: MonitorTask, streams: Streams): Promise<string> {
  // Those that came to us from the container (one without a pid namespace of its own) are heard of by the signal alone.
  process.on('SIGCHLD', () => reapOrphans(container));
  const memory = task.kind === 'create' ? new MemoryEvents(container.pid, task.directory) : undefined;
  if (memory !== undefined) loop.add(memory);
  streams.begin();
  const deadlineMs = task.timeoutSeconds === undefined ? Infinity : performance.now() + task.timeoutSeconds * 1000;
  while (container.code === undefined && performance.now() < deadlineMs) await loop.next(Math.min(deadlineMs, streams.deadlineMs));
  const isOverTime = container.code === undefined;
  if (isOverTime) container.signal(SIGKILL);
  while (container.code === undefined) await loop.next(streams.deadlineMs);
  memory?.look();
  await streams.drain();
  return isOverTime ? TIMED_OUT : String(container.code);
}

/** Whoever sees the file sees all of it. */
function writeExit(path: string, code: string): void {
  writeFileSync(`${path}.new`, code);
  renameSync(`${path}.new`, path);
}

async function runExitCommand([program, ...args]: readonly string[]): Promise<void> {
  if (program === undefined) return;
  process.removeAllListeners('SIGCHLD');
  // What it leaves running is not ours.
  adoptOrphans(false);
  const env = Object.entries(process.env).map(([key, value = '']) => `${key}=${value}`);
  const command = new Child(posixSpawn({ program, args, env, fds: ['null', 'null', 'null'], newSession: false }));
  const loop = await Loop.open();
  loop.add(command);
  while (command.code === undefined) await loop.next();
}

function isToldToGo({ start }: MonitorChannels): boolean {
  return readSync(start, Buffer.alloc(1)) === 1;
}

/** A command that does not listen any more is no failure of the container's. */
function answer({ sync }: MonitorChannels, message: { readonly data: number; readonly message?: string }): void {
  try {
    writeSync(sync, `${JSON.stringify(message)}\n`);
  } catch {}
}

/** What the runtime said of why it failed. */
function complaint(errors: number | undefined): string {
  if (errors === undefined) return '';
  neverBlock(errors);
  const text = Buffer.alloc(COMPLAINT_BYTES);
  return text.toString('utf8', 0, readReady(errors, text) ?? 0).trim();
}
