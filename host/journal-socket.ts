/** Messages into systemd's journal. What is too large for a datagram goes as a sealed memory file, as the native protocol has it. */
import { closeSync } from 'node:fs';
import { datagramSocket, MSG_NOSIGNAL, sendto, unixAddress } from './datagram.ts';
import { JOURNAL_SOCKET } from './journal.ts';
import { bind, check, errno } from './libc.ts';
import { limitSends, sendMessage } from './message.ts';
import { MemoryFile } from './pipe.ts';

const EMSGSIZE = 90;
const ENOBUFS = 105;
const F_ADD_SEALS = 1033;
const ALL_SEALS = 0xf;

/** The queue of journald's socket is short, and a busy machine fills it: then we wait, as libsystemd does, but not for one that stands still. */
const SEND_TIMEOUT_SECONDS = 5;

const addSeals = bind('int fcntl(int fd, int command, int seals)');

/** Throws SYSCALL: no journal is there, or it does not take the message. */
export function sendToJournal(message: Buffer): void {
  const address = unixAddress(JOURNAL_SOCKET);
  const fd = datagramSocket();
  try {
    limitSends(fd, SEND_TIMEOUT_SECONDS, JOURNAL_SOCKET);
    const sent = sendto(fd, message, message.length, MSG_NOSIGNAL, address, address.length);
    if (sent === -1 && [EMSGSIZE, ENOBUFS].includes(errno())) sendAsFile(fd, message, address);
    else check(sent, 'sendto', JOURNAL_SOCKET);
  } finally {
    closeSync(fd);
  }
}

function sendAsFile(fd: number, message: Buffer, address: Buffer): void {
  using file = new MemoryFile(message, { sealable: true });
  check(addSeals(file.fd, F_ADD_SEALS, ALL_SEALS), 'fcntl', 'memory file');
  check(sendMessage(fd, address, { data: Buffer.alloc(0), fds: [file.fd] }), 'sendmsg', JOURNAL_SOCKET);
}
