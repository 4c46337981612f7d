/**
 * Containers on bridges: joining networks and leaving them, through netavark, in the namespace that all bridges share. Knows no container, only a
 * namespace that is to be attached. Callers hold one lock around each of these, and have the attachment on record before they ask for it.
 */
import { existsSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { lackSentence, NO_NAMES } from '../../core/lack.ts';
import { log } from '../../core/log.ts';
import { thisDistribution } from '../../host/distribution.ts';
import { endProcessesNaming } from '../../host/find-process.ts';
import { createNetworkNamespace, isNamespace, removeNetworkNamespace } from '../../host/namespaces.ts';
import type { NetworkAttachment, NetworkInterface } from '../backend.ts';
import { plannedInterfaces, type BridgeAttachment, type BridgeLink } from './attachment.ts';
import { findPrograms, setUp, tearDown, type NetavarkPlaces, type NetworkStatus } from './netavark.ts';
import { forgetRules, haveRules, noteRules } from './rules.ts';
import { closeShared, dnsServer, openShared, readShared, refreshDns, reviveDns, sharedNamespace, type SharedMachine } from './shared.ts';
import { isRecent } from './version.ts';

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

/** The namespace `attachment.netns` is made where it is not there yet. Throws HELPER_MISSING, NETWORK_SETUP; then leaveBridges takes back what was done. */
export async function joinBridges(machine: BridgeMachine, attachment: BridgeAttachment): Promise<JoinedBridges> {
  const programs = findPrograms(machine.helperDirectories);
  const outside = await openBoth(machine, attachment);
  const places = placesOf(machine, programs, outside);
  dnsServer(machine.directory);
  const networks = attachment.links.length === 0 ? new Map<string, NetworkStatus>() : await setUpWithRules(places, attachment);
  await refreshDns(places);
  const { links } = attachment;
  if (programs.aardvark === undefined && links.some(({ definition }) => definition.dns_enabled))
    log.warn(lackSentence(NO_NAMES, thisDistribution()));
  return {
    interfaces: links.map((link) => joined(link, networks.get(link.definition.name))),
    nameservers: [...new Set([...networks.values()].flatMap(({ dns_server_ips: servers }) => servers))],
    searchDomains: [...new Set([...networks.values()].flatMap(({ dns_search_domains: domains }) => domains))],
    outside,
  };
}

/** Side by side; a failure of one is told when the other is done, too. */
async function openBoth(machine: BridgeMachine, { netns }: BridgeAttachment): Promise<NetworkAttachment> {
  const isThere = isNamespace(netns);
  const [outside, own] = await Promise.allSettled([openShared(machine), isThere ? undefined : createNetworkNamespace(netns)]);
  if (outside.status === 'rejected') throw outside.reason;
  if (own.status === 'rejected') throw own.reason;
  return outside.value;
}

/** netavark before 1.10 fails with a word about itself, or takes no notice and makes another network than was asked for. Throws NETWORK_SETUP. */
async function refuseUnknownOptions({ programs, cacheDirectory }: NetavarkPlaces, { links }: BridgeAttachment): Promise<void> {
  for (const { definition } of links) {
    const { isolate, mode } = definition.options ?? {};
    const asked = mode === 'unmanaged' ? `mode=${mode}` : isolate === 'strict' ? `isolate=${isolate}` : undefined;
    if (asked === undefined || (await isRecent(programs.netavark, cacheDirectory))) continue;
    throw new EngineError('NETWORK_SETUP', `network ${definition.name}: this version of netavark does not know the option ${asked}`, {
      hint: 'Upgrade netavark: 1.10 knows it.',
    });
  }
}

async function setUpWithRules(places: NetavarkPlaces, attachment: BridgeAttachment): Promise<ReadonlyMap<string, NetworkStatus>> {
  await refuseUnknownOptions(places, attachment);
  if (await needsNoRules(places, attachment)) return setUp(withoutFirewall(places), attachment);
  const networks = await setUp(places, attachment);
  noteRules(places.directory, attachment.links);
  return networks;
}

/** Its networks have theirs, and it has none of its own. */
async function needsNoRules({ directory, cacheDirectory, programs }: NetavarkPlaces, { ports, links }: BridgeAttachment): Promise<boolean> {
  return ports.length === 0 && haveRules(directory, links) && (await isRecent(programs.netavark, cacheDirectory));
}

function withoutFirewall(places: NetavarkPlaces): NetavarkPlaces {
  return { ...places, firewall: 'none' };
}

function joined(link: BridgeLink, status: NetworkStatus | undefined): NetworkInterface {
  const [planned] = plannedInterfaces([link]);
  const found = status?.interfaces[link.interfaceName];
  return found === undefined ? planned! : { ...planned!, mac: found.mac_address };
}

/**
 * Idempotent. The namespace may be gone already; so may netavark, then the kernel takes interfaces down with the namespace.
 * `inUse`: networks that other containers are in, by name. The rules of these stay.
 */
export async function leaveBridges(machine: BridgeMachine, attachment: BridgeAttachment, inUse: ReadonlySet<string>): Promise<void> {
  const outside = readShared(machine.directory);
  if (outside === undefined || attachment.links.length === 0) return;
  // netavark opens it before it looks at rules and names.
  if (!isNamespace(attachment.netns) && !existsSync(attachment.netns)) await createNetworkNamespace(attachment.netns);
  try {
    dnsServer(machine.directory);
    const places = placesOf(machine, findPrograms(machine.helperDirectories), outside);
    const last = attachment.links.filter(({ definition }) => !inUse.has(definition.name));
    const stay = last.length === 0 && (await needsNoRules(places, attachment));
    forgetRules(machine.directory, last);
    const said = await tearDown(stay ? withoutFirewall(places) : places, attachment);
    if (said !== undefined) log.debug(said);
    // A bridge that is somebody else's has no rules of ours, and need not be there any more.
    const ruled = last.filter(({ definition }) => definition.options?.['mode'] !== 'unmanaged');
    if (said !== undefined && ruled.length > 0) await sweep(places, { ...attachment, ports: [], links: ruled });
    await refreshDns(places);
  } catch (error) {
    log.warn(`rules of ${attachment.name} may be left in the bridges' namespace: ${(error as Error).message}`);
  }
}

/**
 * Where netavark finds only half of what it is to take away (it was killed, or its caller), it leaves rules of networks that nobody is in any more: made
 * whole once more, in a namespace of its own, they can be taken away.
 */
async function sweep(places: NetavarkPlaces, attachment: BridgeAttachment): Promise<void> {
  const netns = `${attachment.netns}.sweep`;
  removeNetworkNamespace(netns);
  await createNetworkNamespace(netns);
  try {
    await setUp(places, { ...attachment, netns });
    await tearDown(places, { ...attachment, netns });
  } finally {
    removeNetworkNamespace(netns);
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
  const { directory, cacheDirectory, firewall, dnsPort, systemd } = machine;
  const netns = sharedNamespace(directory);
  return { programs, directory, cacheDirectory, netns, firewall, dnsPort, systemd, upstream: outside.nameservers };
}
