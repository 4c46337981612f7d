import type { CgroupManager } from '../../runtime/cgroup/place.ts';

/** By this name lichen's own is asked for. */
export const EMBEDDED = 'embedded';

/**
 * An OCI runtime (runtime-spec runtime.md#operations). Makes: crun and runc and anything with their command line (`oci.ts`).
 * `create` and `exec` are not here: the monitor calls the runtime for them, because it must be the parent of the container.
 */
export interface Runtime {
  /** As `inspect` and `info` show it: `crun`. */
  readonly name: string;
  readonly path: string;
  /** Global arguments, before the verb: state root, cgroup manager, log. Also handed to the monitor. */
  readonly globalArgs: readonly string[];
  /** Of the embedded runtime: what a monitor needs that does the runtime's work itself. */
  readonly inside?: RuntimeInside;
  /** `hooks`: the configuration has hooks for the moment after the start. */
  start(id: string, options?: { hooks?: boolean }): Promise<void>;
  state(id: string): Promise<RuntimeState | undefined>;
  /** Signal the init process; with `all`, every process of the container. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Other limits for a running container: the path of an OCI document (config-linux.md#control-groups). */
  update(id: string, resourcesFile: string): Promise<void>;
  /** Forced: an unknown id is fine. */
  delete(id: string): Promise<void>;
  /** Run a process in a running container with the caller's own streams; resolves with its exit status. */
  exec(id: string, request: RuntimeExec): Promise<number>;
  /** Run a container from its start to its end, without a monitor: its process has the streams given. Resolves with the exit status. */
  run(id: string, request: RuntimeRun): Promise<number>;
  /** Where the runtime keeps the state of `id`: exists exactly while the runtime knows the container. */
  stateDirectory(id: string): string;
}

export interface RuntimeInside {
  readonly stateRoot: string;
  readonly cgroupManager: CgroupManager;
}

export interface RuntimeState {
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  readonly pid: number;
}

export interface RuntimeRun {
  /** The directory with config.json. */
  readonly bundle: string;
  /** Absent: it reads an end at once. */
  readonly stdin?: number | undefined;
  readonly stdout: number;
  readonly stderr: number;
  /** No cgroup of its own, where the runtime can do without. */
  readonly withoutCgroup: boolean;
}

export interface RuntimeExec {
  /** Path of an OCI process document (config.md#process). */
  readonly processFile: string;
  /** Additional descriptors, from 3 on, that the process gets under the same numbers. */
  readonly preserveFds: readonly number[];
  /** Written by the runtime once the process runs. */
  readonly pidFile: string;
  /** Pass on the caller's stdin; else the process reads an end at once. */
  readonly stdin: boolean;
  /** Takes stdout and stderr in place of the caller's own. */
  readonly output?: number;
}
