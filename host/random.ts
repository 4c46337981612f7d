import { closeSync, openSync, readSync } from 'node:fs';

/** `bytes` random bytes as lower-case hex. Read from /dev/urandom: loading node:crypto costs 5 ms, this nothing. */
export function randomHex(bytes: number): string {
  const buffer = Buffer.allocUnsafe(bytes);
  const fd = openSync('/dev/urandom', 'r');
  try {
    readSync(fd, buffer);
  } finally {
    closeSync(fd);
  }
  return buffer.toString('hex');
}

/** A whole number in [0, below). The bias is under 2⁻²⁴ for the sizes asked for here. */
export function randomInt(below: number): number {
  return Number.parseInt(randomHex(6), 16) % below;
}
