/**
 * A command of the user in the namespace of all bridges (`unshare --rootless-netns`). The namespace is made for it where no container is on a bridge, and
 * stays as long as containers or visitors do: each of these holds a shared lock on `<run>/networks/visit`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../host/flock.ts';
import { findPrograms } from '../../network/bridge/netavark.ts';
import { openShared, sharedNamespace } from '../../network/bridge/shared.ts';
import { readHostResolvConf } from '../../network/host-facts.ts';
import { resolvConf } from '../../network/resolv.ts';
import type { Engine } from '../engine.ts';
import { bridgeMachine } from './attach.ts';
import { closeUnlessVisited, visitors } from './close.ts';
import { lockNetworks } from './store.ts';

export interface Visit extends AsyncDisposable {
  /** argv that becomes `argv` in there, with name servers that can be reached from there. */
  enter(argv: readonly string[]): readonly [string, ...string[]];
}

/** Throws HELPER_MISSING, NETWORK_SETUP. */
export async function visitBridges(engine: Engine): Promise<Visit> {
  const machine = bridgeMachine(engine);
  const { directory } = machine;
  findPrograms(machine.helperDirectories);
  using _lock = await lockNetworks(engine);
  const { nameservers, interfaces } = await openShared(machine);
  const names = join(directory, 'resolv.conf');
  const text = resolvConf({
    host: readHostResolvConf(),
    hostNetwork: false,
    ipv6: interfaces.some(({ addresses }) => addresses.some((address) => address.includes(':'))),
    nameservers,
    dnsServers: engine.settings.dnsServers,
    dnsSearch: engine.settings.dnsSearches,
    dnsOptions: engine.settings.dnsOptions,
  });
  writeFileSync(names, text ?? '', { mode: 0o644 });
  const visit = await lockFile(visitors(directory), { mode: 'shared' });
  return {
    enter: (argv) => ['nsenter', `--net=${sharedNamespace(directory)}`, '--', ...(text === undefined ? [] : withNames(names)), ...argv],
    [Symbol.asyncDispose]: async () => {
      using _networks = await lockNetworks(engine);
      visit[Symbol.dispose]();
      if (engine.containers.attachments().every(({ bridge }) => bridge === undefined)) await closeUnlessVisited(directory);
    },
  };
}

/** argv of a program that shows what it becomes another /etc/resolv.conf. */
function withNames(path: string): string[] {
  const script = '[ ! -e /etc/resolv.conf ] || mount --bind "$1" /etc/resolv.conf; shift; exec "$@"';
  return ['unshare', '--mount', '--propagation', 'slave', '--', '/bin/sh', '-c', script, 'sh', path];
}
