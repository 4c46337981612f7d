/** Datagrams that carry descriptors: sendmsg(2), recvmsg(2), SCM_RIGHTS of unix(7). */
import { chmodSync, closeSync } from 'node:fs';
import { datagramSocket, MSG_NOSIGNAL, socketAddress } from './datagram.ts';
import { bind, check, errno, ERRNO } from './libc.ts';
import { koffi } from './native.ts';
import { poll, POLLIN } from './poll.ts';

const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** Of struct cmsghdr before its data. */
const CONTROL_HEADER_BYTES = 16;
/** SCM_MAX_FD of the kernel. */
const MOST_FDS = 253;

export interface Datagram {
  readonly data: Buffer;
  readonly fds: readonly number[];
}

/** iovec(3type), msghdr(3type) */
koffi.struct('MessagePart', { base: 'uint8_t *', length: 'size_t' });
koffi.struct('MessageHeader', {
  name: 'const uint8_t *',
  nameLength: 'uint32_t',
  parts: 'MessagePart *',
  partCount: 'size_t',
  control: 'uint8_t *',
  controlLength: 'size_t',
  flags: 'int',
});
const sendmsg = bind('long sendmsg(int fd, const MessageHeader *message, int flags)');
const recvmsg = bind('long recvmsg(int fd, _Inout_ MessageHeader *message, int flags)');
const bindSocket = bind('int bind(int fd, const uint8_t *address, uint32_t length)');
const setsockopt = bind('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');

/** A socket at `path` that anybody who comes to it may send to. The caller closes it. Throws SYSCALL, and what open(2) says of the directory. */
export function openMailbox(path: string): number {
  using address = socketAddress(path);
  const fd = datagramSocket();
  try {
    check(bindSocket(fd, address.bytes, address.bytes.length), 'bind', path);
    chmodSync(path, 0o777);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Blocks the thread until a datagram waits at `fd` or the process of `pidFd` has ended: what is there. A signal may end it without either. */
export function awaitMessage(fd: number, pidFd: number): { readonly isHere: boolean; readonly isOver: boolean } {
  const [isHere = 0, isOver = 0] =
    poll(
      [fd, pidFd].map((each) => ({ fd: each, events: POLLIN })),
      -1,
    ) ?? [];
  return { isHere: isHere !== 0, isOver: isOver !== 0 };
}

/** How long a send waits for a reader whose queue is full. Throws SYSCALL. */
export function limitSends(fd: number, seconds: number, subject: string): void {
  const limit = Buffer.alloc(16);
  limit.writeBigUInt64LE(BigInt(seconds));
  check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, limit, limit.length), 'setsockopt', subject);
}

/** Bytes sent, or -1 with its errno. The descriptors stay open here. */
export function sendMessage(fd: number, address: Buffer, { data, fds }: Datagram): number {
  const control = rights(fds);
  const header = {
    name: address,
    nameLength: address.length,
    parts: [{ base: data, length: data.length }],
    partCount: data.length === 0 ? 0 : 1,
    control,
    controlLength: control?.length ?? 0,
    flags: 0,
  };
  return sendmsg(fd, header, MSG_NOSIGNAL);
}

/**
 * The next datagram that waits, with descriptors that the caller closes. Undefined where none waits; empty for one that is larger than
 * `limitBytes` or came without all of its descriptors. Throws SYSCALL.
 */
export function receiveMessage(fd: number, limitBytes: number): Datagram | undefined {
  const data = Buffer.alloc(limitBytes);
  const control = Buffer.alloc(CONTROL_HEADER_BYTES + 4 * MOST_FDS);
  const header = {
    name: null,
    nameLength: 0,
    parts: [{ base: data, length: data.length }],
    partCount: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
  const length = recvmsg(fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length === -1 && errno() === ERRNO.EAGAIN) return undefined;
  check(length, 'recvmsg', `fd ${fd}`);
  const fds = descriptorsIn(control.subarray(0, header.controlLength));
  if ((header.flags & (MSG_TRUNC | MSG_CTRUNC)) === 0) return { data: data.subarray(0, length), fds };
  for (const each of fds) closeSync(each);
  return { data: Buffer.alloc(0), fds: [] };
}

function rights(fds: readonly number[]): Buffer | null {
  if (fds.length === 0) return null;
  const length = CONTROL_HEADER_BYTES + 4 * fds.length;
  const control = Buffer.alloc(Math.ceil(length / 8) * 8);
  control.writeBigUInt64LE(BigInt(length));
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, CONTROL_HEADER_BYTES + 4 * index);
  return control;
}

/** Of the one control message that can come to a socket without options of its own. */
function descriptorsIn(control: Buffer): number[] {
  if (control.length < CONTROL_HEADER_BYTES || control.readInt32LE(12) !== SCM_RIGHTS) return [];
  const count = Math.floor((Number(control.readBigUInt64LE()) - CONTROL_HEADER_BYTES) / 4);
  return Array.from({ length: count }, (_, index) => control.readInt32LE(CONTROL_HEADER_BYTES + 4 * index));
}
