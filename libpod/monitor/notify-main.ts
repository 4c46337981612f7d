/**
 * The process that passes on what a container tells its service manager: it comes to the socket that is stdin. The arguments are the service
 * manager's socket, the monitor's, and the monitor's pid and start time. It ends with the monitor, once all is passed on that was said. What
 * nobody takes is dropped: the container goes on.
 */
import { closeSync } from 'node:fs';
import { datagramSocket, socketAddress } from '../../host/datagram.ts';
import { awaitMessage, limitSends, receiveMessage, sendMessage } from '../../host/message.ts';
import { openPidFd } from '../../host/pid.ts';
import { sort } from './notify-words.ts';

/** systemd takes no longer ones. */
const MESSAGE_BYTES = 4096;
const SEND_TIMEOUT_SECONDS = 5;
const MAILBOX = 0;

const [manager = '', ready = '', pid = '', startTime = ''] = process.argv.slice(2);

// A service's processes are told to end before the monitor has: what the container says meanwhile counts. Nothing is to be done for a signal.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);

const monitor = openPidFd({ pid: Number(pid), startTime: Number(startTime) });
const socket = datagramSocket();
limitSends(socket, SEND_TIMEOUT_SECONDS, manager);

for (let isOver = monitor === undefined; !isOver;) {
  isOver = awaitMessage(MAILBOX, monitor!).isOver;
  for (let message = receiveMessage(MAILBOX, MESSAGE_BYTES); message !== undefined; message = receiveMessage(MAILBOX, MESSAGE_BYTES)) {
    const { passedOn, isReady } = sort(message.data.toString('latin1'));
    if (passedOn !== '') send(manager, passedOn, message.fds);
    if (isReady) send(ready, 'READY=1', []);
    for (const fd of message.fds) closeSync(fd);
  }
}

function send(path: string, text: string, fds: readonly number[]): void {
  try {
    using address = socketAddress(path);
    sendMessage(socket, address.bytes, { data: Buffer.from(text, 'latin1'), fds });
  } catch {
    // Its directory is gone.
  }
}
