/**
 * netavark(1), the program that makes bridges, pairs of interfaces and rules of the firewall, and starts aardvark-dns. It works in the namespace that it
 * is started in, which is the one all bridges share, and reads and prints JSON.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json.ts';
import { packageWords } from '../../host/distribution.ts';
import { endProcessesNaming, processesNaming } from '../../host/find-process.ts';
import { runHelper } from '../../host/process.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import type { BridgeAttachment, BridgeLink } from './attachment.ts';

export interface BridgePrograms {
  readonly netavark: string;
  /** Absent: names of containers are not resolved. */
  readonly aardvark?: string;
}

const TIMEOUT_MS = 60_000;
const STRAY_TRIES = 250;
const STRAY_PAUSE_MS = 20;
const ANY_STATUS = Array.from({ length: 256 }, (_, code) => code);

/** `directories`: helper_binaries_dir of containers.conf. Throws HELPER_MISSING. */
export function findPrograms(directories: readonly string[]): BridgePrograms {
  const all = [...directories, ...HELPER_DIRECTORIES];
  const netavark = findProgram('netavark', all);
  if (netavark === undefined) {
    throw new EngineError('HELPER_MISSING', 'could not find "netavark" in one of the helper directories: bridge networks need it', {
      hint: `Install it (${packageWords('netavark aardvark-dns iptables')}), or use --network pasta.`,
    });
  }
  const aardvark = findProgram('aardvark-dns', all);
  return { netavark, ...(aardvark === undefined ? {} : { aardvark }) };
}

export interface NetavarkPlaces {
  readonly programs: BridgePrograms;
  /** Of netavark's and aardvark's own files. */
  readonly directory: string;
  /** Where probes keep what they found out about programs. */
  readonly cacheDirectory: string;
  /** The namespace that all bridges share. */
  readonly netns: string;
  readonly firewall?: string | undefined;
  readonly dnsPort?: number | undefined;
  /** The user's systemd can be asked to start things. */
  readonly systemd: boolean;
  /** Name servers of networks that name none. */
  readonly upstream: readonly string[];
}

/** What one network came to. */
export interface NetworkStatus {
  readonly interfaces: Readonly<Record<string, { readonly mac_address: string; readonly subnets: readonly AddressStatus[] }>>;
  readonly dns_server_ips: readonly string[];
  readonly dns_search_domains: readonly string[];
}

interface AddressStatus {
  readonly ipnet: string;
  readonly gateway?: string;
}

/** By the network's name. Throws NETWORK_SETUP with its words, HELPER_MISSING. */
export async function setUp(places: NetavarkPlaces, attachment: BridgeAttachment): Promise<ReadonlyMap<string, NetworkStatus>> {
  const { code, stdout, stderr } = await run(places, 'setup', attachment);
  if (code !== 0) throw failure(stdout, stderr);
  const value = parseJson(stdout, 'the answer of netavark', 'NETWORK_SETUP');
  if (!isRecord(value)) throw new EngineError('NETWORK_SETUP', `netavark: unexpected answer: ${stdout}`);
  return new Map(
    Object.entries(value).map(([name, status]) => [
      name,
      { interfaces: {}, dns_server_ips: [], dns_search_domains: [], ...(status as Partial<NetworkStatus>) },
    ]),
  );
}

/** Undo it. What was not there, or is gone already, is no failure: the words are for those who want to know. */
export async function tearDown(places: NetavarkPlaces, attachment: BridgeAttachment): Promise<string | undefined> {
  const { code, stdout, stderr } = await run(places, 'teardown', attachment);
  return code === 0 ? undefined : failure(stdout, stderr).message;
}

async function run(places: NetavarkPlaces, verb: 'setup' | 'teardown', attachment: BridgeAttachment) {
  const { programs, directory, netns } = places;
  const note = noteIn(directory);
  await strayDone(directory);
  writeFileSync(note, '', { mode: 0o600 });
  const aardvark = programs.aardvark === undefined ? [] : [`--aardvark-binary=${programs.aardvark}`];
  const args = ['--config', directory, '--rootless=true', ...aardvark, verb, attachment.netns];
  const result = await runHelper('nsenter', [`--net=${netns}`, '--', programs.netavark, ...args], {
    input: JSON.stringify(request(attachment, places)),
    env: environment(places),
    okCodes: ANY_STATUS,
    timeoutMs: TIMEOUT_MS,
    package: 'util-linux',
  });
  rmSync(note, { force: true });
  return result;
}

function noteIn(directory: string): string {
  return join(directory, 'working');
}

/** Whoever left the note was killed, and its netavark may be at work still. Two at once get in each other's way; one that is let be leaves all in order. */
export async function strayDone(directory: string): Promise<void> {
  if (!existsSync(noteIn(directory))) return;
  const words = [`--config\0${directory}\0--rootless`];
  for (let tries = 0; processesNaming(words).length > 0; tries++) {
    if (tries === STRAY_TRIES) return endProcessesNaming(words);
    await sleep(STRAY_PAUSE_MS);
  }
}

/** The protocol's words (containers/common, libnetwork/types). */
function request({ id, name, hostname, ports, dnsServers, links }: BridgeAttachment, { programs, upstream }: NetavarkPlaces): object {
  const option = ({ addresses, aliases, interfaceName, mac, options }: BridgeLink) => ({
    static_ips: addresses.map((address) => address.replace(/\/.*$/, '')),
    aliases,
    interface_name: interfaceName,
    ...(mac === undefined ? {} : { static_mac: mac }),
    ...(options === undefined ? {} : { options }),
  });
  const info = ({ definition }: BridgeLink): object => {
    // Without aardvark-dns a network that wants it could not be set up at all.
    if (programs.aardvark === undefined || !definition.dns_enabled) return { ...definition, dns_enabled: false };
    // The servers in the machine's resolv.conf may be out of reach from where aardvark-dns runs.
    return { network_dns_servers: upstream, ...definition };
  };
  return {
    container_id: id,
    container_name: name,
    container_hostname: hostname,
    port_mappings: ports.map((port) => ({
      host_ip: port.hostIp,
      container_port: port.containerPort,
      host_port: port.hostPort,
      range: port.range,
      protocol: port.protocol,
    })),
    dns_servers: dnsServers,
    networks: Object.fromEntries(links.map((link) => [link.definition.name, option(link)])),
    network_info: Object.fromEntries(links.map((link) => [link.definition.name, info(link)])),
  };
}

/** nft and iptables lie where an ordinary user's PATH does not lead; firewalld and the lock of iptables belong to the machine. */
export function environment({
  directory,
  firewall,
  dnsPort,
  systemd,
}: Pick<NetavarkPlaces, 'directory' | 'firewall' | 'dnsPort' | 'systemd'>): NodeJS.ProcessEnv {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  // aardvark-dns keeps it for as long as it lives: nothing else of the caller's goes along.
  const kept = ['HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'].map((name) => [name, process.env[name]]);
  return {
    ...Object.fromEntries(kept),
    PATH: systemd ? path : `${standIn(directory)}:${path}`,
    RUST_LOG: 'netavark=warn',
    DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent',
    XTABLES_LOCKFILE: join(directory, 'xtables.lock'),
    ...(firewall === undefined ? {} : { NETAVARK_FW: firewall }),
    ...(dnsPort === undefined ? {} : { NETAVARK_DNS_PORT: String(dnsPort) }),
  };
}

/** Where the machine runs systemd netavark starts aardvark-dns by `systemd-run --user --scope`, and fails where the user has none: then this is it. */
function standIn(directory: string): string {
  const bin = join(directory, 'bin');
  const file = join(bin, 'systemd-run');
  const script = '#!/bin/sh\nwhile :; do case $1 in -*) shift ;; *) break ;; esac; done\nexec "$@"\n';
  if (!existsSync(file) || readFileSync(file, 'utf8') !== script) {
    rmSync(file, { force: true });
    mkdirSync(bin, { recursive: true, mode: 0o700 });
    writeFileSync(file, script, { mode: 0o700 });
  }
  return bin;
}

function failure(stdout: string, stderr: string): EngineError {
  const said = errorIn(stdout) ?? ([stdout, stderr].map((text) => text.trim()).find((text) => text !== '') || 'it failed without a word');
  return new EngineError('NETWORK_SETUP', `netavark: ${said}`, hintFor(said));
}

function errorIn(stdout: string): string | undefined {
  try {
    const value = JSON.parse(stdout) as { error?: unknown };
    return typeof value.error === 'string' ? value.error : undefined;
  } catch {
    return undefined;
  }
}

function hintFor(said: string): { hint?: string } {
  if (/\b(iptables|nft)\b.*(No such file|not found)|(No such file|not found).*\b(iptables|nft)\b/i.test(said))
    return { hint: `netavark needs nft or iptables (${packageWords('nftables iptables')}).` };
  return {};
}
