/** Descriptors over a connected socket: SCM_RIGHTS of unix(7), from here and as a deputy's call. */
import { bind, check } from '../libc.ts';
import { koffi } from '../native.ts';
import type { Linked, Place } from './layout.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const MSG_NOSIGNAL = 0x4000;
/** cmsghdr(3) with one descriptor. */
const CONTROL_BYTES = 24;
const MESSAGE_HEADER_BYTES = 56;

/** iovec(3type), msghdr(3type) */
koffi.struct('RightsPart', { base: 'uint8_t *', length: 'size_t' });
koffi.struct('RightsHeader', {
  name: 'const uint8_t *',
  nameLength: 'uint32_t',
  parts: 'RightsPart *',
  partCount: 'size_t',
  control: 'uint8_t *',
  controlLength: 'size_t',
  flags: 'int',
});
const sendmsg = bind('long sendmsg(int fd, const RightsHeader *message, int flags)');
const recvmsg = bind('long recvmsg(int fd, _Inout_ RightsHeader *message, int flags)');

/** Throws SYSCALL. */
export function sendRights(socket: number, fd: number): void {
  check(sendmsg(socket, header(control(fd)), MSG_NOSIGNAL), 'sendmsg', `descriptor ${fd}`);
}

/** The descriptor that comes; undefined for a message without one. */
export function receiveRights(socket: number): number | undefined {
  const place = Buffer.alloc(CONTROL_BYTES);
  check(recvmsg(socket, header(place), MSG_CMSG_CLOEXEC), 'recvmsg', `descriptor ${socket}`);
  return place.readInt32LE(12) === SCM_RIGHTS ? place.readInt32LE(16) : undefined;
}

/** struct msghdr for a deputy: with `fd` to be sent, or to receive one whose control message lands at `into`. */
export function rightsMessage(into: Place | undefined, fd = 0, text = 'x'): Linked {
  const data = Buffer.from(text);
  const part = Buffer.alloc(16);
  part.writeBigUInt64LE(BigInt(data.length), 8);
  const bytes = Buffer.alloc(MESSAGE_HEADER_BYTES);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
  return {
    bytes,
    links: [
      { at: 16, to: { bytes: part, links: [{ at: 0, to: data }] } },
      { at: 32, to: into ?? control(fd) },
    ],
  };
}

function control(fd: number): Buffer {
  const bytes = Buffer.alloc(CONTROL_BYTES);
  bytes.writeBigUInt64LE(20n);
  bytes.writeInt32LE(SOL_SOCKET, 8);
  bytes.writeInt32LE(SCM_RIGHTS, 12);
  bytes.writeInt32LE(fd, 16);
  return bytes;
}

function header(place: Buffer): object {
  return {
    name: null,
    nameLength: 0,
    parts: [{ base: Buffer.from('x'), length: 1 }],
    partCount: 1,
    control: place,
    controlLength: place.length,
    flags: 0,
  };
}
