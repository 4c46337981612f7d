/**
 * The door for text: one command line in, output and an exit status out. Only here are errors printed and exit statuses chosen.
 */
import { trace } from '../host/trace.ts';
import { openSync } from 'node:fs';
import { EngineError, type ErrorCode } from '../core/errors.ts';
import { log, openLog } from '../core/log.ts';
import { plainText } from '../core/plain.ts';
import type { Engine } from '../libpod/engine.ts';
import type { Begun, Command, CommandContext } from './command.ts';
import { findCommand, type Found } from './find.ts';
import type { CandidateKind, FlagTable, FlagValue } from './flag.ts';
import { logLine, terminalLogLine } from './logline.ts';
import { type Globals, LOG_LEVEL_FAILURE, parseLogLevel, PERSISTENT_FLAGS, ROOT_FLAGS } from './globals.ts';
import { OutputClosed, type Printer, printerTo, printerToNothing } from './print.ts';
import { REGISTRY } from './registry.ts';
import { type Split, splitArguments } from './split.ts';

export interface Invocation {
  /** Without the program's word. */
  readonly argv: readonly string[];
  /** The word lichen was called by. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Ended by whoever calls if it is still there afterwards. */
  readonly begun: Begun;
  openEngine(globals: Globals): Promise<Engine>;
  /** Names of objects for completion; a failure there shows nothing. */
  candidates(kind: CandidateKind, globals: Globals): Promise<readonly string[]>;
}

/** What a shell reports for a program that died of SIGPIPE. */
const CLOSED_OUTPUT_STATUS = 141;
const ENGINE_FAILURE = 125;
const USUAL_STATUS: Partial<Readonly<Record<ErrorCode, number>>> = { COMMAND_NOT_EXECUTABLE: 126, COMMAND_NOT_FOUND: 127 };

/** Never throws. */
export async function runCommandLine(invocation: Invocation): Promise<number> {
  const stderr = printerTo(2);
  let exitCodes: Command['exitCodes'];
  try {
    const root = splitArguments(ROOT_FLAGS, invocation.argv, { interspersed: false, path: invocation.program });
    if (root.positionals[0] === '__complete') return await complete(invocation, root);
    if (root.help && root.positionals.length === 0) return await help(invocation, []);
    if (root.values['version'] === true) return await version(invocation.program);
    if (root.positionals[0] === 'help') return await help(invocation, root.positionals.slice(1));

    const found = findCommand(REGISTRY, root.positionals, invocation.program);
    if (found.kind === 'group') return await groupAlone(invocation, found);
    trace('parse');
    const { command } = await found.load();
    trace('import');
    exitCodes = command.exitCodes;
    return await runCommand(invocation, root, found, command, stderr);
  } catch (error) {
    return report(error, exitCodes, stderr);
  }
}

async function runCommand(
  invocation: Invocation,
  root: Split,
  found: Found & { kind: 'command' },
  command: Command,
  stderr: Printer,
): Promise<number> {
  const path = `${invocation.program} ${found.path}`;
  const table = { ...PERSISTENT_FLAGS, ...command.flags };
  const split = splitArguments(table, found.rest, { interspersed: command.interspersed ?? true, path });
  if (split.help) {
    const { commandHelp } = await import('./help.ts');
    printerTo(1).write(commandHelp(command, path));
    return 0;
  }

  const globals = mergeGlobals(root, split, command.flags);
  // Docker's word for the directory of its configuration, credentials among it.
  if (globals.config !== undefined) invocation.env['DOCKER_CONFIG'] = globals.config;
  openStderrLog(globals, stderr);
  refuseUnsupported(ROOT_FLAGS, root);
  refuseUnsupported(table, split);
  const complaint = command.args({ args: split.positionals, path: found.path, program: invocation.program, flags: split.values });
  if (complaint !== undefined) throw new EngineError('USAGE', complaint);

  const context = contextOf(invocation, found.path, globals, split.given, stderr);
  return (await command.run(context, split.positionals, split.values)) ?? 0;
}

function contextOf(invocation: Invocation, path: string, globals: Globals, given: ReadonlySet<string>, stderr: Printer): CommandContext {
  let engine: Promise<Engine> | undefined;
  return {
    globals,
    program: invocation.program,
    path,
    argv: [invocation.program, ...invocation.argv],
    given,
    stdout: stdoutFor(globals),
    stderr,
    env: invocation.env,
    cwd: invocation.cwd,
    begun: invocation.begun,
    openEngine: (own = {}) => (engine ??= invocation.openEngine({ ...globals, ...own })),
  };
}

function stdoutFor(globals: Globals): Printer {
  if (globals.noout) return printerToNothing(openSync('/dev/null', 'w'));
  return globals.out === undefined ? printerTo(1) : printerTo(openSync(globals.out, 'w', 0o666));
}

function openStderrLog(globals: Globals, stderr: Printer): void {
  const level = parseLogLevel(globals['log-level']);
  // Date, not `performance`: that would load a module for 3 ms.
  const startMs = Date.now();
  openLog(level, (lineLevel, message) => {
    stderr.line(
      stderr.isTerminal() ? terminalLogLine(lineLevel, message, (Date.now() - startMs) / 1000) : logLine(lineLevel, message, new Date()),
    );
  });
}

/** A flag after the command's word overrides the one before it; lists are put together. A command's own flag of that name is its own. */
function mergeGlobals(root: Split, split: Split, own: FlagTable): Globals {
  const merged: Record<string, FlagValue> = { ...root.values };
  for (const name of split.given) {
    if (!(name in PERSISTENT_FLAGS) || name in own) continue;
    const before = merged[name];
    const value = split.values[name];
    merged[name] = Array.isArray(before) && Array.isArray(value) ? ([...before, ...value] as readonly string[]) : value;
  }
  return merged as Globals;
}

/** Typing the default is fine: it asks for nothing. */
function refuseUnsupported(table: FlagTable, { given, values }: Split): void {
  for (const name of given) {
    const flag = table[name];
    const usual = flag?.default ?? flag?.shownDefault ?? false;
    if (flag?.unsupported === true && values[name] !== usual) {
      throw new EngineError('NOT_SUPPORTED', `--${name} is not supported yet`, flag.instead === undefined ? {} : { hint: flag.instead });
    }
  }
}

async function help(invocation: Invocation, words: readonly string[]): Promise<number> {
  const { helpFor } = await import('./help.ts');
  printerTo(1).write(await helpFor(REGISTRY, words, invocation.program, ROOT_FLAGS));
  return 0;
}

async function groupAlone(invocation: Invocation, found: Found & { kind: 'group' }): Promise<number> {
  const status = await help(invocation, found.words);
  if (found.help) return status;
  throw new EngineError('USAGE', `missing command '${[invocation.program, ...found.words].join(' ')} COMMAND'`);
}

async function version(program: string): Promise<number> {
  const { versionLine } = await import('./version.ts');
  printerTo(1).line(versionLine(program));
  return 0;
}

async function complete(invocation: Invocation, { positionals, values }: Split): Promise<number> {
  const { completionLines } = await import('./completion/complete.ts');
  const lines = await completionLines(REGISTRY, positionals.slice(1), (kind) => invocation.candidates(kind, values as Globals));
  printerTo(1).write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}

function report(failure: unknown, exitCodes: Command['exitCodes'], stderr: Printer): number {
  if (failure instanceof OutputClosed) return CLOSED_OUTPUT_STATUS;
  const error = fullOrSame(failure);
  const known = error instanceof EngineError ? error : undefined;
  const status =
    known === undefined ? ENGINE_FAILURE : (known.exitCode ?? exitCodes?.[known.code] ?? USUAL_STATUS[known.code] ?? ENGINE_FAILURE);
  if (known?.code === 'CONTAINER_EXIT') return status;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  log.debug(() => stack ?? message);
  const text = plainText(message);
  stderr.line(known?.code === 'USAGE' && status === LOG_LEVEL_FAILURE ? text : `Error: ${text}`);
  if (known?.hint !== undefined) stderr.line(plainText(known.hint));
  return status;
}

const FULL: Readonly<Record<string, string>> = { ENOSPC: 'no space left on device', EDQUOT: 'disk quota exceeded' };

/** A disk fills up at any call of node:fs, which has words of its own for it. */
function fullOrSame(error: unknown): unknown {
  if (error instanceof EngineError || !(error instanceof Error)) return error;
  const { code = '', syscall, path } = error as NodeJS.ErrnoException;
  if (!Object.hasOwn(FULL, code)) return error;
  const what = [syscall, path].filter((part) => part !== undefined).join(' ');
  return new EngineError('STORE_FULL', `${what}: ${FULL[code]}`, {
    cause: error,
    hint: 'Free some space, for example with: lichen system prune',
  });
}
