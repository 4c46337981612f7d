/**
 * The OCI runtime of our own (`runtime/`). conmon starts it as a program, as it would crun; a monitor of our own, and what else is to be done to
 * a container, needs no process of its own for it.
 */
import { isEngineError } from '../../core/errors.ts';
import { reap } from '../../host/posix-spawn.ts';
import { readDocument, readProcess } from '../../runtime/bundle.ts';
import type { CgroupManager } from '../../runtime/cgroup/place.ts';
import {
  containerState,
  deleteContainer,
  killContainer,
  pauseContainer,
  resumeContainer,
  startContainer,
  updateContainer,
} from '../../runtime/operate.ts';
import { containerDirectory, openGate } from '../../runtime/store.ts';
import { runtimeError } from './failure.ts';
import type { OciRuntimeChoice } from './oci.ts';
import { withoutGaps } from './preserved.ts';
import { EMBEDDED, type Runtime, type RuntimeExec, type RuntimeInside, type RuntimeRun, type RuntimeState } from './runtime.ts';

export function openEmbedded(choice: OciRuntimeChoice): Runtime {
  return new EmbeddedRuntime(choice);
}

class EmbeddedRuntime implements Runtime {
  readonly name = EMBEDDED;
  readonly path: string;
  readonly globalArgs: readonly string[];
  readonly inside?: RuntimeInside;
  readonly #root: string;
  readonly #cgroupManager: CgroupManager;

  constructor({ embedded, stateRoot, cgroupManager, flags }: OciRuntimeChoice) {
    this.path = embedded;
    this.#root = stateRoot;
    this.#cgroupManager = cgroupManager;
    const manager = cgroupManager === 'systemd' ? ['--systemd-cgroup'] : cgroupManager === 'disabled' ? ['--cgroup-manager=disabled'] : [];
    this.globalArgs = ['--root', stateRoot, ...manager, ...flags.map((flag) => `--${flag}`)];
    // Its flags are for the program.
    if (flags.length === 0) this.inside = { stateRoot, cgroupManager };
  }

  start(id: string, { hooks = false }: { hooks?: boolean } = {}): Promise<void> {
    return this.#do(() => (!hooks && openGate(this.stateDirectory(id)) ? undefined : startContainer(this.#root, id)));
  }

  async state(id: string): Promise<RuntimeState | undefined> {
    try {
      const { status, pid } = containerState(this.#root, id);
      return { status, pid };
    } catch (error) {
      if (isEngineError(error, 'NO_SUCH_CONTAINER')) return undefined;
      throw error;
    }
  }

  kill(id: string, signal: number, { all = false }: { all?: boolean } = {}): Promise<void> {
    return this.#do(() => killContainer(this.#root, id, signal, { all }));
  }

  pause(id: string): Promise<void> {
    return this.#do(() => pauseContainer(this.#root, id));
  }

  resume(id: string): Promise<void> {
    return this.#do(() => resumeContainer(this.#root, id));
  }

  update(id: string, resourcesFile: string): Promise<void> {
    return this.#do(() => updateContainer(this.#root, id, readDocument(resourcesFile)));
  }

  delete(id: string): Promise<void> {
    return this.#do(() => deleteContainer(this.#root, id, { force: true }));
  }

  async exec(id: string, { processFile, preserveFds, pidFile, stdin, output }: RuntimeExec): Promise<number> {
    const { execInContainer } = await import('../../runtime/exec.ts');
    const { pid } = await this.#do(() =>
      execInContainer({
        root: this.#root,
        id,
        process: readProcess(processFile),
        fds: [stdin ? 0 : 'null', output ?? 1, output ?? 2, ...withoutGaps(preserveFds).map((fd) => (fd === 'ignore' ? 'null' : fd))],
        pidFile,
        consoleSocket: undefined,
      }),
    );
    return (await reap(pid)).code;
  }

  async run(id: string, { bundle, stdin, stdout, stderr, withoutCgroup }: RuntimeRun): Promise<number> {
    const { createContainer } = await import('../../runtime/create.ts');
    return this.#do(async () => {
      const { kept } = await createContainer({
        root: this.#root,
        id,
        bundle,
        fds: [stdin ?? 'null', stdout, stderr],
        pidFile: undefined,
        consoleSocket: undefined,
        noPivot: false,
        noNewKeyring: false,
        cgroupManager: withoutCgroup ? 'disabled' : this.#cgroupManager,
      });
      await startContainer(this.#root, id);
      const { code } = await reap(kept.pid);
      await deleteContainer(this.#root, id, { force: true });
      return code;
    });
  }

  stateDirectory(id: string): string {
    return containerDirectory(this.#root, id);
  }

  /** Its errors in the words that those of other runtimes come in. */
  async #do<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw isEngineError(error) ? runtimeError(this.name, error.message) : error;
    }
  }
}
