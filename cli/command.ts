/**
 * A command is data: a face (usage, summary, flags, arguments; everything help and completion need) and `run`.
 *
 * To write one, make `commands/stop.ts` and name it in registry.ts:
 *
 *     export const command = defineCommand(stopFace, async (context, names, { time, ignore }) => {
 *       const engine = await context.openEngine();
 *       …
 *     });
 *
 * Faces of the usual verbs are in faces/. A small command may write its face in place (see commands/version.ts).
 * Flag kinds are listed in flag.ts. `run` receives the positionals and the flags by long name; `context.given.has('time')` tells whether
 * one was typed. It prints data through `context.stdout` and returns an exit status where that is not 0; errors are thrown, never printed.
 * Where Podman's exit status for an error is not 125, `exitCodes` in the face says so.
 */
import type { ErrorCode } from '../core/errors.ts';
import type { Engine } from '../libpod/engine.ts';
import type { BegunNetwork } from '../network/early.ts';
import type { ArgumentRule } from './arguments.ts';
import type { CandidateKind, FlagTable, FlagValues } from './flag.ts';
import type { Globals } from './globals.ts';
import type { Printer } from './print.ts';

export interface CommandFace<F extends FlagTable = FlagTable> {
  /** What follows the command's words: `[options] CONTAINER [CONTAINER...]`. */
  readonly usage: string;
  readonly summary: string;
  /** Absent: the summary. */
  readonly description?: string;
  /** Without the program's word: `stop ctrID`, `volume rm myvol`. In a command's second place the first word stands for all that lead there. */
  readonly examples?: readonly string[];
  readonly flags: F;
  readonly args: ArgumentRule;
  /** False: flags end at the first positional, the rest belongs to the command inside. Default true. */
  readonly interspersed?: boolean;
  /** What the positionals name; the last entry stands for all that follow. */
  readonly complete?: readonly CandidateKind[];
  readonly exitCodes?: Partial<Readonly<Record<ErrorCode, number>>>;
}

export interface Command extends CommandFace {
  run(context: CommandContext, args: readonly string[], flags: FlagValues<FlagTable>): Promise<number | void>;
}

/** What the launcher has set going for this command, until the command makes it its own. */
export interface Begun {
  network?: BegunNetwork | undefined;
}

export interface CommandContext {
  readonly globals: Globals;
  /** The word lichen was invoked as, for messages. */
  readonly program: string;
  /** `container stop` */
  readonly path: string;
  /** The whole command line, program word first: inspect's CreateCommand. */
  readonly argv: readonly string[];
  /** Long names of the flags that were typed. */
  readonly given: ReadonlySet<string>;
  readonly stdout: Printer;
  readonly stderr: Printer;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly begun: Begun;
  /** Opens store and namespaces at the first call; the same engine afterwards. `own`: flags of the command that take the place of the program's. */
  openEngine(own?: Partial<Globals>): Promise<Engine>;
}

export function defineCommand<const F extends FlagTable>(
  face: CommandFace<F>,
  run: (context: CommandContext, args: readonly string[], flags: FlagValues<F>) => Promise<number | void>,
): Command {
  return { ...face, run };
}

/** Keeps the literal types of the flags. */
export function defineFace<const F extends FlagTable>(face: CommandFace<F>): CommandFace<F> {
  return face;
}
