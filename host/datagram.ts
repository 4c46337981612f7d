/** One message to an AF_UNIX SOCK_DGRAM socket, which Node cannot open. */
import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { bind, check } from './libc.ts';
import { O_PATH } from './root.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_BYTES = 108;

const socket = bind('int socket(int domain, int type, int protocol)');
/** sendto(2): bytes sent, or -1. */
export const sendto = bind('long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)');

/** `path` may begin with `@`: a name of the abstract namespace (unix(7)). Never waits. Throws SYSCALL, and what open(2) says of the directory. */
export function sendDatagram(path: string, text: string): void {
  using address = socketAddress(path);
  const data = Buffer.from(text);
  const fd = datagramSocket();
  try {
    check(sendto(fd, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL, address.bytes, address.bytes.length), 'sendto', path);
  } finally {
    closeSync(fd);
  }
}

/** Of a path of any length or, with `@`, a name of the abstract namespace; good until it is disposed. Throws what open(2) says of the directory. */
export function socketAddress(path: string): Disposable & { readonly bytes: Buffer } {
  if (path.startsWith('@')) return { bytes: unixAddress(`\0${path.slice(1)}`), [Symbol.dispose]: () => undefined };
  // By way of the directory, so that the length limit of sun_path does not matter.
  const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  return { bytes: unixAddress(`/proc/self/fd/${directory}/${basename(path)}`), [Symbol.dispose]: () => closeSync(directory) };
}

/** The caller closes it. Throws SYSCALL. */
export function datagramSocket(): number {
  return check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'AF_UNIX SOCK_DGRAM');
}

/** sockaddr_un of unix(7), as long as its name. */
export function unixAddress(name: string): Buffer {
  const address = Buffer.alloc(2 + SUN_PATH_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  return address.subarray(0, 2 + address.write(name, 2));
}
