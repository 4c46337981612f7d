/**
 * What a container tells its service manager, all of it: keep-alives of a watchdog, reloads, states in words, descriptors to keep.
 *
 * conmon passes on `READY=1` and nothing else. So the container speaks to a socket of ours, and a small process (notify-main.ts) passes `READY=1`
 * to the monitor, for a service with NotifyAccess=main hears that one alone, and the rest to the service manager, for which it is a process of the
 * service, as the container's own need not be.
 */
import { closeSync } from 'node:fs';
import { openMailbox } from '../../host/message.ts';
import type { ProcessIdentity } from '../../host/pid.ts';
import { launchBeside } from './beside.ts';

export interface Notifications {
  /** Where the container is to speak. */
  readonly mailbox: string;
  /** Of the service manager. */
  readonly manager: string;
  /** Where the monitor takes `READY=1`. */
  readonly ready: string;
  readonly monitor: ProcessIdentity;
}

/** From now on what is said is heard, until the monitor ends. Before the container's process is let go. Throws SYSCALL. */
export async function passOn({ mailbox, manager, ready, monitor }: Notifications): Promise<void> {
  const socket = openMailbox(mailbox);
  try {
    const args = [manager, ready, String(monitor.pid), String(monitor.startTime)];
    await launchBeside('notify-main', args, { stdio: [socket, 'ignore', 'ignore'], cwd: '/' });
  } finally {
    closeSync(socket);
  }
}
