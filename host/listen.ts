/** Listening AF_UNIX sockets of the types that Node's own cannot be, as plain descriptors. */
import { chmodSync, closeSync, rmSync } from 'node:fs';
import { socketAddress } from './datagram.ts';
import { bind, check, errno, ERRNO } from './libc.ts';

const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const BACKLOG = 10;

const socket = bind('int socket(int domain, int type, int protocol)');
const bindSocket = bind('int bind(int fd, const uint8_t *address, uint32_t length)');
const listen = bind('int listen(int fd, int backlog)');
const accept4 = bind('int accept4(int fd, void *address, void *length, int flags)');

/** At `path`, in the place of what is there. Throws SYSCALL. */
export function listenAt(path: string, type: typeof SOCK_STREAM | typeof SOCK_SEQPACKET): number {
  rmSync(path, { force: true });
  const fd = check(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket', 'AF_UNIX');
  try {
    using address = socketAddress(path);
    check(bindSocket(fd, address.bytes, address.bytes.length), 'bind', path);
    chmodSync(path, 0o700);
    check(listen(fd, BACKLOG), 'listen', path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Who waits at the socket, as a descriptor that never blocks; undefined where nobody does. Throws SYSCALL. */
export function acceptOne(fd: number): number | undefined {
  const accepted = accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // Whoever came and went again is nobody either.
  if (accepted === -1 && [ERRNO.EAGAIN, ERRNO.EINTR, ERRNO.ECONNABORTED].includes(errno() as 11)) return undefined;
  return check(accepted, 'accept', `fd ${fd}`);
}
