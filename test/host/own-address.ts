import { networkInterfaces } from 'node:os';

/** The machine's first address of IPv4 besides loopback; undefined where it has none. */
export const own = Object.values(networkInterfaces())
  .flatMap((entries = []) => entries)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
