/**
 * Containers on bridges: joining networks and leaving them, through netavark, in the namespace that all bridges share. Knows no container, only a
 * namespace that is to be attached. Callers hold one lock around each of these, and have the attachment on record before they ask for it.
 */
import { existsSync } from 'node:fs';
import { log } from '../../core/log.ts';
import { endProcessesNaming } from '../../host/find-process.ts';
import { createNetworkNamespace, isNamespace } from '../../host/namespaces.ts';
import type { NetworkAttachment, NetworkInterface } from '../backend.ts';
import { plannedInterfaces, type BridgeAttachment, type BridgeLink } from './attachment.ts';
import { findPrograms, setUp, tearDown, type NetavarkPlaces, type NetworkStatus } from './netavark.ts';
import { closeShared, dnsServer, openShared, readShared, refreshDns, reviveDns, sharedNamespace, type SharedMachine } from './shared.ts';

export interface BridgeMachine extends SharedMachine {
  readonly firewall?: string | undefined;
  readonly dnsPort?: number | undefined;
  readonly systemd: boolean;
}

/** What joining came to: to be put in the place of what was planned. */
export interface JoinedBridges {
  readonly interfaces: readonly NetworkInterface[];
  /** They know the names of containers. Empty where no network has such a server. */
  readonly nameservers: readonly string[];
  readonly searchDomains: readonly string[];
  /** The way out of all bridges. */
  readonly outside: Pick<NetworkAttachment, 'nameservers' | 'hostAddress' | 'interfaces'>;
}

/** The namespace `attachment.netns` is there. Throws HELPER_MISSING, NETWORK_SETUP; then leaveBridges takes back what was done. */
export async function joinBridges(machine: BridgeMachine, attachment: BridgeAttachment): Promise<JoinedBridges> {
  const programs = findPrograms(machine.helperDirectories);
  const outside = await openShared(machine);
  const places = placesOf(machine, programs, outside);
  dnsServer(machine.directory);
  const networks = attachment.links.length === 0 ? new Map<string, NetworkStatus>() : await setUp(places, attachment);
  await refreshDns(places);
  const { links } = attachment;
  if (programs.aardvark === undefined && links.some(({ definition }) => definition.dns_enabled))
    log.warn('containers do not find each other by name: aardvark-dns is not installed (Debian: apt-get install aardvark-dns)');
  return {
    interfaces: links.map((link) => joined(link, networks.get(link.definition.name))),
    nameservers: [...new Set([...networks.values()].flatMap(({ dns_server_ips: servers }) => servers))],
    searchDomains: [...new Set([...networks.values()].flatMap(({ dns_search_domains: domains }) => domains))],
    outside,
  };
}

function joined(link: BridgeLink, status: NetworkStatus | undefined): NetworkInterface {
  const [planned] = plannedInterfaces([link]);
  const found = status?.interfaces[link.interfaceName];
  return found === undefined ? planned! : { ...planned!, mac: found.mac_address };
}

/** Idempotent. The namespace may be gone already; so may netavark, then the kernel takes interfaces down with the namespace. */
export async function leaveBridges(machine: BridgeMachine, attachment: BridgeAttachment): Promise<void> {
  const outside = readShared(machine.directory);
  if (outside === undefined || attachment.links.length === 0) return;
  // netavark opens it before it looks at rules and names.
  if (!isNamespace(attachment.netns) && !existsSync(attachment.netns)) await createNetworkNamespace(attachment.netns);
  try {
    dnsServer(machine.directory);
    const places = placesOf(machine, findPrograms(machine.helperDirectories), outside);
    const said = await tearDown(places, attachment);
    await refreshDns(places);
    if (said !== undefined) log.debug(said);
  } catch (error) {
    log.warn(`rules of ${attachment.name} may be left in the bridges' namespace: ${(error as Error).message}`);
  }
}

/** A netavark that works on the namespace for a caller that was killed would go on after whoever comes next. */
export async function endStrayBridges({ netns }: Pick<BridgeAttachment, 'netns'>): Promise<void> {
  await endProcessesNaming([`setup\0${netns}`, `teardown\0${netns}`]);
}

/** When nobody is on a bridge any more. Idempotent. */
export async function closeBridges(directory: string): Promise<void> {
  await closeShared(directory);
}

/** Helpers that were killed are started again. Cheap when they run. Throws HELPER_MISSING, NETWORK_SETUP. */
export async function mendBridges(machine: BridgeMachine): Promise<void> {
  if (readShared(machine.directory) === undefined) return;
  const outside = await openShared(machine);
  await reviveDns(placesOf(machine, findPrograms(machine.helperDirectories), outside));
}

function placesOf(machine: BridgeMachine, programs: NetavarkPlaces['programs'], outside: NetworkAttachment): NetavarkPlaces {
  const { directory, firewall, dnsPort, systemd } = machine;
  return { programs, directory, netns: sharedNamespace(directory), firewall, dnsPort, systemd, upstream: outside.nameservers };
}
