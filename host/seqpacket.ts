/** A client of an AF_UNIX SOCK_SEQPACKET socket. Node's net.Socket refuses the type; plain read and write on the descriptor work, one packet a call. */
import { closeSync, constants, openSync, read, write } from 'node:fs';
import { basename, dirname } from 'node:path';
import { bind, check } from './libc.ts';
import { O_PATH } from './root.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SHUT_WR = 1;
const SUN_PATH_BYTES = 108;

const socket = bind('int socket(int domain, int type, int protocol)');
const connect = bind('int connect(int fd, const uint8_t *address, uint32_t length)');
const shutdown = bind('int shutdown(int fd, int how)');

export class PacketSocket implements Disposable {
  readonly fd: number;
  #open = true;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Connect to the socket file. Its directory is opened first, so the length limit of sun_path (unix(7)) does not matter. Throws SYSCALL. */
  static connect(path: string): PacketSocket {
    const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
    try {
      const fd = check(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), 'socket', 'AF_UNIX SOCK_SEQPACKET');
      const address = Buffer.alloc(2 + SUN_PATH_BYTES);
      address.writeUInt16LE(AF_UNIX, 0);
      const length = address.write(`/proc/self/fd/${directory}/${basename(path)}`, 2);
      try {
        check(connect(fd, address, 2 + length + 1), 'connect', path);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      return new PacketSocket(fd);
    } finally {
      closeSync(directory);
    }
  }

  /** The next packet; empty at the end. */
  receive(buffer: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      read(this.fd, buffer, 0, buffer.length, null, (error, length) => {
        // Told once where the other side has gone without reading all of ours; what it had sent before still waits behind it.
        if (error?.code === 'ECONNRESET') resolve(this.receive(buffer));
        else if (error) reject(error);
        else resolve(buffer.subarray(0, length));
      });
    });
  }

  send(packet: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      write(this.fd, packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** No more from us; the other side reads an end. */
  finish(): void {
    if (this.#open) shutdown(this.fd, SHUT_WR);
  }

  /** A pending receive ends with an empty packet. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    shutdown(this.fd, 2);
    closeSync(this.fd);
  }
}
