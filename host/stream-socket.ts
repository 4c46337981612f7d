/** A connection to an AF_UNIX SOCK_STREAM socket as a plain descriptor. */
import { closeSync } from 'node:fs';
import { socketAddress } from './datagram.ts';
import { bind, check } from './libc.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;

const socket = bind('int socket(int domain, int type, int protocol)');
const connect = bind('int connect(int fd, const uint8_t *address, uint32_t length)');

/** The caller closes it. Throws SYSCALL, and what open(2) says of the directory. */
export function connectStream(path: string): number {
  using address = socketAddress(path);
  const fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket', 'AF_UNIX SOCK_STREAM');
  try {
    check(connect(fd, address.bytes, address.bytes.length), 'connect', path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
