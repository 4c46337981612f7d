/** Messages into systemd's journal. What is too large for a datagram goes as a sealed memory file, as the native protocol has it. */
import { closeSync, writeSync } from 'node:fs';
import { JOURNAL_SOCKET } from './journal.ts';
import { bind, check, errno } from './libc.ts';
import { koffi } from './native.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const EMSGSIZE = 90;
const ENOBUFS = 105;
const MFD_CLOEXEC_ALLOW_SEALING = 3;
const F_ADD_SEALS = 1033;
const ALL_SEALS = 0xf;

/** The queue of journald's socket is short, and a busy machine fills it: then we wait, as libsystemd does, but not for one that stands still. */
const SEND_TIMEOUT_SECONDS = 5n;

const socket = bind('int socket(int domain, int type, int protocol)');
const setsockopt = bind('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
const sendto = bind('long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)');
const memfdCreate = bind('int memfd_create(const char *name, uint flags)');
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
  const address = Buffer.alloc(2 + JOURNAL_SOCKET.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(JOURNAL_SOCKET, 2);
  const fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'AF_UNIX SOCK_DGRAM');
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
  const file = check(memfdCreate('lichen-journal', MFD_CLOEXEC_ALLOW_SEALING), 'memfd_create', 'memory file');
  try {
    for (let at = 0; at < message.length;) at += writeSync(file, message, at);
    check(addSeals(file, F_ADD_SEALS, ALL_SEALS), 'fcntl', 'memory file');
    const control = Buffer.alloc(24);
    control.writeBigUInt64LE(20n);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    control.writeInt32LE(file, 16);
    const header = { name: address, nameLength: address.length, data: null, dataCount: 0, control, controlLength: 24, flags: 0 };
    check(sendmsg(fd, header, MSG_NOSIGNAL), 'sendmsg', JOURNAL_SOCKET);
  } finally {
    closeSync(file);
  }
}
