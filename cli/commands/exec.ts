import { readFileSync } from 'node:fs';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { parseDetachKeys } from '../../libpod/spec/parse/detach-keys.ts';
import { execAttached, execDetached, execInForeground, type ExecRequest } from '../../libpod/container/exec.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { settled } from '../../libpod/container/wait.ts';
import type { Engine } from '../../libpod/engine.ts';
import { parseEnv, parseEnvFile } from '../../libpod/spec/parse/env.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { callerEnvironment } from '../caller-env.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { execFace } from '../faces/exec.ts';
import type { FlagValues } from '../flag.ts';
import { preservedFds } from '../preserved.ts';
import { readIdFile } from '../selection.ts';
import { ownStreams, passTerminal, proxySignals, typedKeys } from '../streams.ts';
import { attachedStreams } from '../wish/streams.ts';

type ExecFlags = FlagValues<typeof execFace.flags>;

/** What goes wrong while a session is set up, and is not the command's fault. */
const SESSION_FAILURE = 255;

export const command = defineCommand(execFace, async (context, args, flags) => {
  const byFlag = flags.latest || flags.cidfile !== undefined;
  const request = execRequest(context, byFlag ? args : args.slice(1), flags);
  const detachKeys = flags['detach-keys'] === undefined ? undefined : keysOf(flags['detach-keys']);
  const engine = await context.openEngine();
  const record = find(engine, args, flags);
  const now = (await settled(engine, record)) ?? record;
  if (flags.detach) {
    context.stdout.line(await detached(engine, now, request));
    return 0;
  }
  if (!request.terminal) return inForeground(engine, now, request);
  return onTerminal(engine, now, request, detachKeys ?? parseDetachKeys(engine.settings.detachKeys));
});

function execRequest(context: CommandContext, argv: readonly string[], flags: ExecFlags): ExecRequest {
  const caller = callerEnvironment(context.env);
  const fromFiles = flags['env-file'].flatMap((path) => parseEnvFile(readEnvFile(path), path, caller));
  return {
    argv,
    env: [...fromFiles, ...flags.env.flatMap((text) => parseEnv(text, caller))],
    terminal: flags.tty,
    stdinOpen: flags.interactive,
    workdir: flags.workdir,
    user: flags.user,
    privileged: flags.privileged,
    preserveFds: preservedFds(flags),
  };
}

function readEnvFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `parsing file ${JSON.stringify(path)}: open ${path}: ${systemWords(cause)}`, { cause });
  }
}

function keysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    throw isEngineError(error) ? new EngineError(error.code, error.message, { cause: error, exitCode: SESSION_FAILURE }) : error;
  }
}

function find(engine: Engine, args: readonly string[], flags: ExecFlags): ContainerRecord {
  if (flags.latest) return latestContainer(engine);
  return engine.containers.find(flags.cidfile === undefined ? (args[0] ?? '') : readIdFile(flags.cidfile, false)[0]!);
}

/** In the background nothing tells the command's own failures from the engine's: Podman ends with the engine's status. */
async function detached(engine: Engine, record: ContainerRecord, request: ExecRequest): Promise<string> {
  try {
    return await execDetached(engine, record, request);
  } catch (error) {
    if (!isEngineError(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE')) throw error;
    throw new EngineError(error.code, error.message, { cause: error, exitCode: 125 });
  }
}

async function inForeground(engine: Engine, record: ContainerRecord, request: ExecRequest): Promise<number> {
  using stack = new DisposableStack();
  return await execInForeground(engine, record, request, (signal) => void stack.use(proxySignals(signal)));
}

async function onTerminal(engine: Engine, record: ContainerRecord, request: ExecRequest, detachKeys: Uint8Array): Promise<number> {
  using stack = new DisposableStack();
  const exitCode = await execAttached(engine, record, request, {
    streams: ownStreams(attachedStreams([], request.stdinOpen)),
    detachKeys: typedKeys(detachKeys),
    onAttached: async ({ controlFifo }) => void stack.use(await passTerminal(controlFifo, { raw: request.stdinOpen })),
  });
  return exitCode ?? 0;
}
