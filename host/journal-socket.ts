/** Messages into systemd's journal. What is too large for a datagram goes as a sealed memory file, as the native protocol has it. */
import { closeSync } from 'node:fs';
import { datagramSocket, MSG_NOSIGNAL, sendto, unixAddress } from './datagram.ts';
import { JOURNAL_SOCKET } from './journal.ts';
import { bind, check, errno } from './libc.ts';
import { koffi } from './native.ts';
import { MemoryFile } from './pipe.ts';

const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const EMSGSIZE = 90;
const ENOBUFS = 105;
const F_ADD_SEALS = 1033;
const ALL_SEALS = 0xf;

/** The queue of journald's socket is short, and a busy machine fills it: then we wait, as libsystemd does, but not for one that stands still. */
const SEND_TIMEOUT_SECONDS = 5n;

const setsockopt = bind('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
const addSeals = bind('int fcntl(int fd, int command, int seals)');

/** msghdr(3type) without data */
koffi.struct('JournalMessage', {
  name: 'const uint8_t *',
  nameLength: 'uint32_t',
  data: 'void *',
  dataCount: 'size_t',
  control: 'const uint8_t *',
  controlLength: 'size_t',
  flags: 'int',
});
const sendmsg = bind('long sendmsg(int fd, const JournalMessage *message, int flags)');

/** Throws SYSCALL: no journal is there, or it does not take the message. */
export function sendToJournal(message: Buffer): void {
  const address = unixAddress(JOURNAL_SOCKET);
  const fd = datagramSocket();
  try {
    const limit = Buffer.alloc(16);
    limit.writeBigUInt64LE(SEND_TIMEOUT_SECONDS);
    check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, limit, limit.length), 'setsockopt', JOURNAL_SOCKET);
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
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(file.fd, 16);
  const header = { name: address, nameLength: address.length, data: null, dataCount: 0, control, controlLength: 24, flags: 0 };
  check(sendmsg(fd, header, MSG_NOSIGNAL), 'sendmsg', JOURNAL_SOCKET);
}
