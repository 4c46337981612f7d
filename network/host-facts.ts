/** What the network generators need to know of the host: its own address and its resolver configuration. */
import { networkInterfaces } from 'node:os';
import { readIfThere } from '../host/if-there.ts';

/**
 * The address under which this machine is reached, for host.containers.internal: the first IPv4 address that is neither loopback nor link-local,
 * else the first such IPv6 one. `exclude`: addresses the container has itself (pasta copies the host's), as those lead back into it.
 */
export function findHostAddress(exclude: readonly string[] = []): string | undefined {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries = []) => entries)
    .filter(({ internal, address }) => !internal && !exclude.includes(address) && !/^(169\.254\.|fe80:)/i.test(address));
  return (addresses.find(({ family }) => family === 'IPv4') ?? addresses[0])?.address;
}

/**
 * Text of the host's resolv.conf. Where its only nameserver is systemd-resolved's stub, which answers on the host's loopback alone,
 * the file with resolved's own upstreams is read instead. Empty if there is none.
 */
export function readHostResolvConf(etc = '/etc/resolv.conf', resolved = '/run/systemd/resolve/resolv.conf'): string {
  const text = readIfThere(etc) ?? '';
  const nameservers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]);
  return nameservers.length === 1 && nameservers[0] === '127.0.0.53' ? readIfThere(resolved) || text : text;
}
