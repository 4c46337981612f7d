/**
 * A further process in a running container.
 * In the foreground without a terminal the runtime runs it with the caller's own streams: nothing has to outlive the command line, so
 * there is no monitor. With a terminal, or detached, a monitor of its own keeps the streams.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import { asId, type ExecId } from '../../core/id.ts';
import { availableIds, readIdMap } from '../../host/idmap.ts';
import { identify, signalProcess, waitForEnd } from '../../host/pid.ts';
import { randomHex } from '../../host/random.ts';
import { Root } from '../../host/root.ts';
import type { AttachStreams } from '../attach/session.ts';
import type { Engine } from '../engine.ts';
import { execProcess } from '../spec/process.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { exitCodeFrom } from './exit-file.ts';
import { containerEvent } from './event.ts';
import { refuseUnrunnable } from './exec-check.ts';
import { userIn } from './in-root.ts';
import { placesOf } from './places.ts';

export interface ExecRequest {
  readonly argv: readonly string[];
  readonly env: readonly (readonly [key: string, value: string])[];
  readonly terminal: boolean;
  readonly stdinOpen: boolean;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly privileged: boolean;
  readonly preserveFds: readonly number[];
}

export interface ExecAttachment {
  readonly streams: AttachStreams;
  readonly detachKeys: Uint8Array;
  /** Awaited before the process starts: here the terminal gets its size. */
  readonly onAttached?: (process: { readonly controlFifo: string }) => Promise<void>;
}

export interface Session {
  readonly id: ExecId;
  readonly directory: string;
  readonly processFile: string;
}

/** With the caller's own streams; resolves with the exit status. `onStart` is told how to signal the process. */
export async function execInForeground(
  engine: Engine,
  record: ContainerRecord,
  request: ExecRequest,
  onStart: (signal: (number: number) => void) => void,
): Promise<number> {
  const session = await openSession(engine, record, request);
  const pidFile = join(session.directory, 'pidfile');
  let isOver = false;
  try {
    const runtime = await engine.runtime(record.config);
    // What follows takes as long as the runtime's own start.
    const running = runtime.exec(record.id, {
      processFile: session.processFile,
      preserveFds: request.preserveFds,
      pidFile,
      stdin: request.stdinOpen,
    });
    onStart((number) => void signalWhenKnown(pidFile, number, () => isOver));
    engine.events.offer(containerEvent(record, 'exec'));
    const code = await running;
    engine.events.offer(containerEvent(record, 'exec_died', { exitCode: code }));
    return code;
  } finally {
    isOver = true;
    closeSession(session);
  }
}

/** A runtime may tell the pid a moment after the process has begun to speak. */
async function signalWhenKnown(pidFile: string, number: number, isOver: () => boolean): Promise<void> {
  for (; !isOver(); await sleep(10)) {
    const process = identify(Number(readIfThere(pidFile) ?? ''));
    if (process) return void signalProcess(process, number);
  }
}

/** Through a monitor, with the caller attached; the exit status, or undefined after the detach keys. */
export async function execAttached(
  engine: Engine,
  record: ContainerRecord,
  request: ExecRequest,
  attachment: ExecAttachment,
): Promise<number | undefined> {
  const session = await openSession(engine, record, request);
  const { openAttach } = await import('../attach/session.ts');
  let attached: ReturnType<typeof openAttach> | undefined;
  let isAlone = false;
  try {
    const monitor = await engine.monitor(record.config);
    const process = await monitor.exec({
      ...monitorRequest(record, session, request),
      exitCommand: [],
      onAttachable: async (attachSocket, controlFifo) => {
        attached = openAttach(attachSocket, attachment);
        await attachment.onAttached?.({ controlFifo });
      },
    });
    engine.events.offer(containerEvent(record, 'exec'));
    isAlone = true;
    if ((await attached!.end) === 'detached') return undefined;
    isAlone = false;
    const monitorProcess = identify(process.monitorPid);
    if (monitorProcess) await waitForEnd(monitorProcess, 3_600_000);
    const code = exitCodeFrom(process.exitFile) ?? 255;
    engine.events.offer(containerEvent(record, 'exec_died', { exitCode: code }));
    return code;
  } finally {
    attached?.[Symbol.dispose]();
    // The files of a session that goes on without us go with the container.
    if (!isAlone) closeSession(session);
  }
}

/** Through a monitor, not waited for; its id. The session's files go with the container. */
export async function execDetached(engine: Engine, record: ContainerRecord, request: ExecRequest): Promise<ExecId> {
  const session = await openSession(engine, record, request);
  try {
    const monitor = await engine.monitor(record.config);
    const { shellLine } = await import('../../core/shell.ts');
    const exitCommand = ['/bin/sh', '-c', shellLine(['rm', '-rf', session.directory])];
    const process = await monitor.exec({ ...monitorRequest(record, session, request), exitCommand });
    engine.db.transaction(() => {
      engine.db.run(
        `INSERT INTO exec_sessions (id, container_id, config, status, pid, pid_start, started_ms) VALUES (?, ?, ?, 'running', ?, ?, ?)`,
        session.id,
        record.id,
        JSON.stringify({ argv: request.argv }),
        process.pid,
        identify(process.pid)?.startTime ?? null,
        Date.now(),
      );
      engine.events.add(containerEvent(record, 'exec'));
    });
    return session.id;
  } catch (error) {
    closeSession(session);
    throw error;
  }
}

function monitorRequest(record: ContainerRecord, session: Session, request: ExecRequest) {
  return {
    id: record.id,
    execId: session.id,
    name: record.name,
    directory: session.directory,
    processFile: session.processFile,
    terminal: request.terminal,
    stdin: request.stdinOpen,
    keepStdinOpen: false,
    preserveFds: request.preserveFds,
  };
}

/** Files of a further process, looked up and checked. Throws WRONG_STATE, COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, NO_SUCH_USER. */
export async function openSession(engine: Engine, record: ContainerRecord, request: ExecRequest): Promise<Session> {
  if (record.status !== 'running' || !record.process) {
    throw new EngineError('WRONG_STATE', 'can only create exec sessions on running containers: container state improper', {
      exitCode: 255,
    });
  }
  const runtime = await engine.runtime(record.config);
  using root = new Root(`/proc/${record.process.pid}/root`);
  const identity = userIn(root, { groupAdd: record.config.groupAdd, user: request.user ?? record.config.user });
  const process = execProcess(record.config, identity, {
    argv: request.argv,
    env: request.env,
    terminal: request.terminal,
    privileged: request.privileged,
    availableIds: { uids: availableIds(readIdMap('uid')), gids: availableIds(readIdMap('gid')) },
    ...(request.workdir === undefined ? {} : { workdir: request.workdir }),
    ...(request.user === undefined ? {} : { user: request.user }),
    ...(await secretEnv(engine, record)),
  });
  refuseUnrunnable(root, process, runtime.name);
  const id = asId<ExecId>(randomHex(32));
  const directory = join(placesOf(engine, record.id).run, 'exec', id);
  mkdirSync(join(directory, 'exit'), { recursive: true, mode: 0o700 });
  const processFile = join(directory, 'process.json');
  writeFileSync(processFile, JSON.stringify(process), { mode: 0o600 });
  return { id, directory, processFile };
}

async function secretEnv(engine: Engine, { config }: ContainerRecord) {
  if (config.secretEnv === undefined || Object.keys(config.secretEnv).length === 0) return {};
  const { secretVariables } = await import('../secret/container.ts');
  return { secretEnv: await secretVariables(engine, config) };
}

export function closeSession(session: Session): void {
  rmSync(session.directory, { recursive: true, force: true });
}
