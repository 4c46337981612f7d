/**
 * The process that stays with a container: parent of the container, keeper of its streams, writer of its log and exit file. Makes: conmon
 * (`conmon.ts`) and our own (`embedded.ts`); `choose.ts` says which.
 * A Monitor outlives the command line that started it.
 */
import type { LogDriver } from '../spec/wish.ts';

export interface Monitor {
  readonly name: string;
  /** It deletes the runtime's container before it runs the exit command. */
  readonly isDeleting: boolean;
  /** Start the monitor of a container whose bundle is still being made: its own start-up takes as long. Throws HELPER_MISSING, INVALID_ARGUMENT (the log). */
  prepare(request: MonitorCreate): Promise<PreparedMonitor>;
  /** Run a further process in a running container under a monitor of its own (detached exec, or exec with a terminal). */
  exec(request: MonitorExec): Promise<MonitoredProcess>;
}

/** A monitor that waits for its bundle. Disposed of without `create`, it ends and has done nothing. */
export interface PreparedMonitor extends Disposable {
  /** Let the runtime create the container of the bundle. Resolves with the container's pid (state "created"). Throws what the runtime said. */
  create(): Promise<MonitoredProcess>;
}

export interface MonitorStreams {
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** Keep the container's stdin open when the attached client closes its own. */
  readonly keepStdinOpen: boolean;
}

export interface MonitorCreate extends MonitorStreams {
  readonly id: string;
  readonly name: string;
  readonly bundle: string;
  readonly runDir: string;
  /** `tag`: of `journald` alone. */
  readonly log: { readonly driver: LogDriver; readonly path: string; readonly maxSizeBytes?: number; readonly tag?: string };
  /** argv run when the container has exited (and its exit file is written). */
  readonly exitCommand: readonly string[];
  /** Seconds after which the container is killed; absent: never. */
  readonly timeoutSeconds?: number;
  /** Socket of a service manager; what the container sends to `notify/notify.sock` in the bundle is passed on to it. */
  readonly notifySocket?: string;
  /** Inherited by the monitor and held open as long as it lives. */
  readonly heldFds: readonly number[];
  /** From 3 on: the container's process gets them under the same numbers. */
  readonly preserveFds: readonly number[];
  /** The container's cgroup is a path whatever the engine's others are. */
  readonly isSplit: boolean;
}

export interface MonitorExec extends MonitorStreams {
  readonly id: string;
  readonly execId: string;
  readonly name: string;
  readonly directory: string;
  readonly processFile: string;
  /** Descriptors of ours, from 3 on, that the process gets under the same numbers. */
  readonly preserveFds: readonly number[];
  readonly exitCommand: readonly string[];
  /** Called when attach clients can connect and the process has not started yet: whoever connects now misses nothing. */
  readonly onAttachable?: (attachSocket: string, controlFifo: string) => Promise<void>;
}

export interface MonitoredProcess {
  readonly pid: number;
  readonly monitorPid: number;
  /** Where attach clients connect (SOCK_SEQPACKET, see attach.ts). */
  readonly attachSocket: string;
  readonly controlFifo: string;
  readonly exitFile: string;
}
