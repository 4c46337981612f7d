/** What a monitor of our own is told by the command that starts it: one line of JSON. */
import type { RuntimeInside } from '../../runtime/runtime.ts';
import type { MonitorCreate, MonitorStreams } from '../monitor.ts';

export interface MonitorTask extends MonitorStreams {
  readonly kind: 'create' | 'exec';
  readonly id: string;
  readonly name: string;
  /** The runtime and its arguments before the container's id. */
  readonly program: string;
  readonly args: readonly string[];
  /** The runtime is the embedded one, whose work is done by the monitor: it has no program to start. */
  readonly inside?: RuntimeInside | undefined;
  /** The bundle, or the directory of an exec session: here are the sockets. */
  readonly directory: string;
  /** Of an exec session: the OCI process document. */
  readonly processFile?: string;
  /** Written by the runtime. */
  readonly pidFile: string;
  readonly monitorPidFile: string;
  readonly exitFile: string;
  readonly log: MonitorCreate['log'];
  /** The container has the monitor's own streams. */
  readonly passesThrough: boolean;
  readonly preserveFds: readonly number[];
  readonly exitCommand: readonly string[];
  readonly timeoutSeconds?: number;
  readonly notifySocket?: string;
}
