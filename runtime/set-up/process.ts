/** The last way of a deputy: from a process in its namespaces to the program that was asked for. The same for a container's first and its further ones. */
import { EngineError } from '../../core/errors.ts';
import type { Program } from '../../host/deputy/deputy.ts';
import type { Step } from '../../host/deputy/layout.ts';
import type { Config, Process } from '../config.ts';
import { listenerOf, systemCallFilter } from '../filter.ts';
import type { State } from '../store.ts';
import { parseCapabilities } from './capabilities.ts';
import { setCredentials } from './credentials.ts';
import { enterDirectory, findExecutable } from './executable.ts';
import type { InnerRoot } from './inner-root.ts';
import { setLabels } from './labels.ts';
import { setLimits, setScheduling } from './limits.ts';
import { openTerminal } from './terminal.ts';

const CLOSE_RANGE_CLOEXEC = 4;
const MOST_FDS = 0xffff_ffff;

export interface ProcessRequest {
  readonly config: Config;
  readonly process: Process;
  readonly consoleSocket: string | undefined;
  /** What a listener of its filter is told. */
  readonly state: State;
  /** It is the container's first: it has the console, and a session keyring of this name. */
  readonly first: { readonly keyring: string | undefined } | undefined;
  readonly maySetGroups: boolean;
  /** When the terminal has its place in the root. */
  readonly closeRoot?: () => void;
}

export interface ReadyProcess {
  readonly program: Program;
  readonly last: readonly Step[];
  /** The terminal's master, where it has no console socket. */
  readonly master: number | undefined;
}

/** Throws SYSCALL, INVALID_ARGUMENT, COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE, NOT_SUPPORTED. */
export function prepareProcess(root: InnerRoot, request: ProcessRequest): ReadyProcess {
  const { deputy } = root;
  const { config, process, first } = request;
  const capabilities = parseCapabilities(process.capabilities);
  const filter = systemCallFilter(config);
  setScheduling(deputy, process, config.linux);
  const master =
    process.terminal === true
      ? openTerminal(root, process, { socket: request.consoleSocket, onConsole: first !== undefined })
      : (deputy.attempt('setsid', []), undefined);
  request.closeRoot?.();
  setLabels(deputy, process);
  const isThere = enterDirectory(deputy, process.cwd, { isLastTry: false });
  const listener = listenerOf(deputy, config, filter, request.state);
  // From here on it may have no descriptor left to open.
  setLimits(deputy, process);
  const last = setCredentials(deputy, {
    process,
    capabilities,
    filter,
    listener,
    maySetGroups: request.maySetGroups,
    keepGroups: config.annotations?.['run.oci.keep_original_groups'] === '1',
    newKeyring: first?.keyring,
  });
  if (!isThere) enterDirectory(deputy, process.cwd, { isLastTry: true });
  const path = findExecutable(deputy, process);
  if (process.args === undefined) throw new EngineError('INVALID_ARGUMENT', 'process.args: required');
  return {
    program: { path, args: process.args, env: process.env ?? [] },
    // Before a filter, which may forbid it.
    last: [{ call: 'close_range', args: [deputy.firstOwn, MOST_FDS, CLOSE_RANGE_CLOEXEC] }, ...last],
    master,
  };
}
