/**
 * The files lichen makes for each start: hosts, resolv.conf, hostname, .containerenv. They are made empty before the runtime binds them,
 * and written when the network's facts are known, before the process starts.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readIfThere } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { Root } from '../../host/root.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import { findHostAddress, readHostResolvConf } from '../../network/host-facts.ts';
import { baseHostsFile, hostsFile, type HostEntry } from '../../network/hosts.ts';
import { resolvConf } from '../../network/resolv.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { readInRoot } from './in-root.ts';
import { placesOf, type ContainerPlaces } from './places.ts';
import { writeShown } from './shown-file.ts';
import { readTimezone } from './timezone.ts';

/** Target in the container → file here. Targets the user has mounted something else at are left out. */
export function generatedFiles(engine: Engine, config: ContainerConfig, places: ContainerPlaces, hostname: string): Record<string, string> {
  const files: Record<string, string> = {};
  const show = (target: string, path: string): void => {
    if (!config.mounts.some((mount) => mount.target === target)) files[target] = path;
  };
  const showShared = (target: string, path: string): void => {
    show(target, path);
    for (const directory of config.chrootDirs ?? []) show(posix.join('/', directory, target), path);
  };
  const add = (target: string, name: string, content: string | Buffer, showIt = show): void => {
    const path = join(places.run, name);
    writeShown(path, content, config);
    showIt(target, path);
  };
  const owner = networkOwner(engine, config);
  if (owner === undefined) {
    if (!config.network.noHosts) add('/etc/hosts', 'hosts', '', showShared);
    if (config.network.mode.kind !== 'none' && !config.network.dnsServers.includes('none'))
      add('/etc/resolv.conf', 'resolv.conf', '', showShared);
  } else {
    for (const name of ['hosts', 'resolv.conf']) if (existsSync(join(owner.run, name))) showShared(`/etc/${name}`, join(owner.run, name));
  }
  if (!config.network.noHostname) add('/etc/hostname', 'hostname', `${hostname}\n`);
  const zone = config.timezone === undefined ? undefined : readTimezone(config.timezone);
  if (zone) add('/etc/localtime', 'localtime', zone);
  add('/run/.containerenv', '.containerenv', config.privileged ? containerEnv(engine, config) : '');
  return files;
}

/** Where the container lies whose network this one has joined, in however many steps: its files hold for both. */
function networkOwner(engine: Engine, { network: { mode } }: ContainerConfig): ContainerPlaces | undefined {
  if (mode.kind !== 'container') return undefined;
  const other = engine.containers.find(mode.container);
  return networkOwner(engine, other.config) ?? placesOf(engine, other.id);
}

export function writeNetworkFiles(
  engine: Engine,
  record: ContainerRecord,
  places: ContainerPlaces,
  attachment: NetworkAttachment | undefined,
  hostname: string,
): void {
  const { network, name } = record.config;
  const owner = networkOwner(engine, record.config);
  if (owner !== undefined) return addOwnName(join(owner.run, 'hosts'), `127.0.0.1\t${hostname} ${name}\n`);
  const { settings } = engine;
  const isHost = network.mode.kind === 'host';
  const own = ownAddresses(attachment);
  rewrite(join(places.run, 'hosts'), () =>
    hostsFile({
      base: baseHosts(network.hostsFile ?? settings.baseHostsFile, places),
      extra: network.addHosts,
      hostAddress:
        settings.hostContainersInternal || attachment?.hostAddress || findHostAddress([...own, ...(attachment?.hiddenAddresses ?? [])]),
      own: ownEntries(own, isHost ? [] : [hostname, name]),
    }),
  );
  rewrite(join(places.run, 'resolv.conf'), () =>
    resolvConf({
      host: isHost ? (readIfThere('/etc/resolv.conf') ?? '') : readHostResolvConf(),
      hostNetwork: isHost,
      ipv6: own.some((address) => address.includes(':')),
      nameservers: attachment?.nameservers ?? [],
      searchDomains: attachment?.searchDomains ?? [],
      dnsServers: network.dnsServers.length > 0 ? network.dnsServers : settings.dnsServers,
      dnsSearch: network.dnsSearch.length > 0 ? network.dnsSearch : settings.dnsSearches,
      dnsOptions: network.dnsOptions.length > 0 ? network.dnsOptions : settings.dnsOptions,
    }),
  );
}

/** The same inode is written again: the container has it bound already. A file that was not made is not wanted. */
function rewrite(path: string, content: () => string | undefined): void {
  const text = content();
  if (text === undefined) return;
  try {
    writeFileSync(path, text, { flag: 'r+' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A container that shares a hosts file finds its own name in it, too. */
function addOwnName(path: string, line: string): void {
  if (existsSync(path) && !readFileSync(path, 'utf8').includes(line)) appendFileSync(path, line);
}

function ownAddresses(attachment: NetworkAttachment | undefined): string[] {
  return (attachment?.interfaces ?? []).flatMap((one) => one.addresses.map((address) => address.replace(/\/.*$/, '')));
}

/** As Podman, only the first address. Without one (`--network none`) a container still finds its own name. */
function ownEntries(addresses: readonly string[], names: readonly string[]): HostEntry[] {
  if (names.length === 0) return [];
  return [{ address: addresses[0] ?? '127.0.0.1', names }];
}

function baseHosts(choice: string, places: ContainerPlaces): string {
  const base = baseHostsFile(choice);
  if (base.from === 'nowhere') return '';
  if (base.from === 'host') return choice === '' ? (readIfThere(base.path) ?? '') : readChosen(base.path);
  using root = new Root(places.merged);
  return readInRoot(root, base.path)?.toString('utf8') ?? '';
}

/** A file that was asked for must be there. */
function readChosen(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `failed to create new hosts file: open ${path}: ${systemWords(cause)}`, {
      cause,
      exitCode: 127,
    });
  }
}

function containerEnv(engine: Engine, config: ContainerConfig): string {
  const lines = {
    engine: 'lichen',
    name: config.name,
    id: config.id,
    image: config.imageName ?? '',
    imageid: config.imageId ?? '',
    rootless: engine.identity.rootless ? '1' : '0',
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${key === 'rootless' ? value : JSON.stringify(value)}\n`)
    .join('');
}
