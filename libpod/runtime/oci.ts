/** Any runtime with the command line that runc set: crun, runc, youki (runtime-spec runtime.md#operations; formats as crun(1) prints them). */
import { closeSync, constants, existsSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../../host/if-there.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { launch, runHelper } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';
import { lastLoggedError, runtimeError, spokenError } from './failure.ts';
import { preserveArgs, withoutGaps } from './preserved.ts';
import { EMBEDDED, type Runtime, type RuntimeExec, type RuntimeRun, type RuntimeState } from './runtime.ts';

/** In the order of preference: crun starts in a third of runc's time. */
const DEFAULTS = ['crun', 'runc'] as const;

export interface OciRuntimeChoice {
  /** What a container was made for: as long as it is installed, it comes first. */
  readonly recorded?: string | undefined;
  /** `--runtime`: a name or an absolute path; absent: the first default that is installed. */
  readonly wanted?: string | undefined;
  readonly flags: readonly string[];
  readonly stateRoot: string;
  readonly cgroupManager: 'systemd' | 'cgroupfs' | 'disabled';
  /** The embedded runtime as a program. */
  readonly embedded: string;
}

/** Ours where it is asked for, or where none is installed. Throws INVALID_ARGUMENT (a runtime asked for by name that is not there). */
export async function openOciRuntime(choice: OciRuntimeChoice): Promise<Runtime> {
  const path = findRuntime(choice);
  if (path === undefined) return (await import('./embedded.ts')).openEmbedded(choice);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const globalArgs = ['--root', choice.stateRoot, ...cgroupArgs(name, choice.cgroupManager), ...choice.flags.map((flag) => `--${flag}`)];
  return new OciRuntime(name, path, globalArgs, choice.stateRoot);
}

/** Undefined: ours. */
function findRuntime({ recorded, wanted }: OciRuntimeChoice): string | undefined {
  if (recorded === EMBEDDED) return undefined;
  const kept = recorded === undefined ? undefined : findProgram(recorded);
  if (kept !== undefined) return kept;
  if (wanted === EMBEDDED) return undefined;
  if (wanted === undefined) return firstInstalled();
  const path = findProgram(wanted);
  if (path !== undefined) return path;
  throw new EngineError('INVALID_ARGUMENT', `default OCI runtime "${wanted}" not found: invalid argument`);
}

function firstInstalled(): string | undefined {
  for (const name of DEFAULTS) {
    const path = findProgram(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

function cgroupArgs(name: string, manager: OciRuntimeChoice['cgroupManager']): string[] {
  if (manager === 'systemd') return ['--systemd-cgroup'];
  return manager === 'disabled' && name === 'crun' ? ['--cgroup-manager=disabled'] : [];
}

class OciRuntime implements Runtime {
  readonly name: string;
  readonly path: string;
  readonly globalArgs: readonly string[];
  readonly #stateRoot: string;

  constructor(name: string, path: string, globalArgs: readonly string[], stateRoot: string) {
    this.name = name;
    this.path = path;
    this.globalArgs = globalArgs;
    this.#stateRoot = stateRoot;
  }

  async start(id: string, { hooks = false }: { hooks?: boolean } = {}): Promise<void> {
    if (!hooks && this.name === 'crun' && openGate(join(this.stateDirectory(id), 'exec.fifo'))) return;
    try {
      await this.#run(['start', id]);
    } catch (error) {
      // runc removes its FIFO when it has let the process go, and may find that an exit script's `delete` was faster.
      if (!(error as Error).message.includes('exec.fifo: no such file or directory') || this.#knows(id)) throw error;
    }
  }

  async state(id: string): Promise<RuntimeState | undefined> {
    const { code, stdout } = await runHelper(this.path, [...this.globalArgs, 'state', id], { okCodes: [0, 1], package: this.name });
    if (code !== 0) return undefined;
    const document = parseJson(stdout, `state of ${id} from ${this.name}`, 'HELPER_FAILED') as unknown as RuntimeState;
    return { status: document.status, pid: document.pid };
  }

  async kill(id: string, signal: number, options: { all?: boolean } = {}): Promise<void> {
    await this.#run(['kill', ...(options.all ? ['--all'] : []), id, String(signal)]);
  }

  async pause(id: string): Promise<void> {
    await this.#run(['pause', id]);
  }

  async resume(id: string): Promise<void> {
    await this.#run(['resume', id]);
  }

  async update(id: string, resourcesFile: string): Promise<void> {
    await this.#run(['update', '--resources', resourcesFile, id]);
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#run(['delete', '--force', id]);
    } catch (error) {
      // Another delete (an exit script's, a killed command's) was faster.
      if (this.#knows(id)) throw error;
    }
    // Two of crun's side by side can leave the directory between them: without its status it stands for no container.
    if (!this.#knows(id)) rmSync(this.stateDirectory(id), { recursive: true, force: true });
  }

  async exec(id: string, request: RuntimeExec): Promise<number> {
    const logFile = `${request.pidFile}.log`;
    rmSync(request.pidFile, { force: true });
    const args = [
      ...this.globalArgs,
      '--log',
      logFile,
      '--log-format',
      'json',
      'exec',
      '--process',
      request.processFile,
      '--pid-file',
      request.pidFile,
      ...preserveArgs(request.preserveFds),
      id,
    ];
    const child = await launch(this.path, args, {
      stdio: [
        request.stdin ? 'inherit' : 'ignore',
        request.output ?? 'inherit',
        request.output ?? 'inherit',
        ...withoutGaps(request.preserveFds),
      ],
      package: this.name,
    });
    const { code } = await child.exited;
    // The runtime and the process it ran share one exit status: only a missing pid file tells that nothing ran.
    const said = code === 0 ? undefined : lastLoggedError(readIfThere(logFile) ?? '');
    rmSync(logFile, { force: true });
    if (code !== 0 && said !== undefined && (readIfThere(request.pidFile) ?? '') === '') throw runtimeError(this.name, said);
    return code;
  }

  async run(id: string, { bundle, stdin, stdout, stderr, withoutCgroup }: RuntimeRun): Promise<number> {
    const [logFile, pidFile] = [join(bundle, 'runtime.log'), join(bundle, 'pid')];
    const cgroup = withoutCgroup && this.name === 'crun' ? ['--cgroup-manager=disabled'] : [];
    const args = [
      ...this.globalArgs,
      ...cgroup,
      '--log',
      logFile,
      '--log-format',
      'json',
      'run',
      '--bundle',
      bundle,
      '--pid-file',
      pidFile,
      id,
    ];
    const child = await launch(this.path, args, { stdio: [stdin ?? 'ignore', stdout, stderr], package: this.name });
    const { code } = await child.exited;
    const hasBegun = code === 0 || Boolean(readIfThere(pidFile));
    const said = hasBegun ? undefined : lastLoggedError(readIfThere(logFile) ?? '');
    if (said !== undefined) throw runtimeError(this.name, said);
    return code;
  }

  stateDirectory(id: string): string {
    return join(this.#stateRoot, id);
  }

  #knows(id: string): boolean {
    const directory = this.stateDirectory(id);
    return existsSync(this.name === 'crun' ? join(directory, 'status') : directory);
  }

  async #run(args: readonly string[]): Promise<void> {
    try {
      await runHelper(this.path, [...this.globalArgs, ...args], { package: this.name, timeoutMs: 60_000 });
    } catch (error) {
      if (isEngineError(error, 'HELPER_FAILED'))
        throw runtimeError(this.name, spokenError(error.message) ?? error.message.replace(/^\S+ \S+: /, '').replace(/^.*?: (?=error)/, ''));
      throw error;
    }
  }
}

/**
 * What `crun start` comes to (without poststart hooks), without the 15 ms of its own start: the container's process waits for
 * a byte from a FIFO, which is unlinked first so that nobody starts it twice. False where no process waits: then crun itself says why.
 */
function openGate(fifo: string): boolean {
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    unlinkSync(fifo);
    writeSync(fd, Buffer.of(0));
    return true;
  } finally {
    closeSync(fd);
  }
}
