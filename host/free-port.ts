/** A port nobody listens on at this moment. Synchronous, so that a plan can be made in one go. */
import { bind, check } from './libc.ts';
import { closeSync } from 'node:fs';

const AF_INET = 2;
const AF_INET6 = 10;
const TYPE = { tcp: 1, udp: 2, sctp: 1 } as const;
const IPPROTO_SCTP = 132;

const socket = bind('int socket(int domain, int type, int protocol)');
const bindSocket = bind('int bind(int fd, const uint8_t *address, uint32_t length)');
const getsockname = bind('int getsockname(int fd, _Inout_ uint8_t *address, _Inout_ uint32_t *length)');

/** Of the kernel's ephemeral range, on `hostIp` (empty: all addresses). Throws SYSCALL when the address is not this machine's. */
export function freePort(protocol: keyof typeof TYPE, hostIp: string): number {
  const six = hostIp.includes(':');
  const fd = check(socket(six ? AF_INET6 : AF_INET, TYPE[protocol], protocol === 'sctp' ? IPPROTO_SCTP : 0), 'socket', protocol);
  try {
    const address = Buffer.alloc(six ? 28 : 16);
    address.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
    if (six) ipv6Bytes(hostIp).copy(address, 8);
    else if (hostIp !== '') Buffer.from(hostIp.split('.').map(Number)).copy(address, 4);
    check(bindSocket(fd, address, address.length), 'bind', `${hostIp}:0/${protocol}`);
    check(getsockname(fd, address, [address.length]), 'getsockname', protocol);
    return address.readUInt16BE(2);
  } finally {
    closeSync(fd);
  }
}

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  const bytes = Buffer.alloc(16);
  all.forEach((word, index) => bytes.writeUInt16BE(word, index * 2));
  return bytes;
}
