/**
 * The network namespace in which all bridges of a user are: an ordinary namespace at `<run>/networks/netns`, connected to the outside by the same
 * backend as a container's. Begun with the first container on a bridge, ended with the last. `shared.json` beside it says who connects it.
 *
 * Everything here is done under the caller's lock.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../../core/log.ts';
import { endProcessesNaming } from '../../host/find-process.ts';
import { isNamespace } from '../../host/namespaces.ts';
import { identify, isAlive, signalProcess, waitForEnd, type ProcessIdentity } from '../../host/pid.ts';
import { runHelper } from '../../host/process.ts';
import { replaceFile } from '../../host/replace-file.ts';
import type { NetworkAttachment } from '../backend.ts';
import { chooseDefault, openBackend, type NetworkMachine } from '../choose.ts';
import { clearNamespace, teardownAttachment } from '../teardown.ts';
import { environment, strayDone, type NetavarkPlaces } from './netavark.ts';
import { isRecent } from './version.ts';

export interface SharedMachine extends NetworkMachine {
  /** `<run>/networks` */
  readonly directory: string;
  readonly preferred: 'pasta' | 'slirp4netns';
  readonly options: Readonly<Record<'pasta' | 'slirp4netns', readonly string[]>>;
}

const SIGKILL = 9;
const SIGTERM = 15;
const END_TIMEOUT_MS = 5000;

export function sharedNamespace(directory: string): string {
  return join(directory, 'netns');
}

/** Who connects it; undefined where no container is on a bridge, or the machine has lost it. */
export function readShared(directory: string): NetworkAttachment | undefined {
  try {
    const attachment = JSON.parse(readFileSync(join(directory, 'shared.json'), 'utf8')) as NetworkAttachment;
    return isNamespace(sharedNamespace(directory)) ? attachment : undefined;
  } catch {
    return undefined;
  }
}

/** As it is, mended where its helper has died, or new. Throws HELPER_MISSING, NETWORK_SETUP. */
export async function openShared(machine: SharedMachine): Promise<NetworkAttachment> {
  const { directory } = machine;
  const known = readShared(directory);
  if (known && (known.helper === undefined || isAlive(known.helper))) return known;
  // What is left of another one must not answer for this one.
  if (known === undefined) await closeShared(directory);
  else log.info(() => `${known.backend} of the bridges has died; starting another`);
  return connect(machine, known?.backend);
}

async function connect(machine: SharedMachine, backendName: string | undefined): Promise<NetworkAttachment> {
  const { directory, preferred } = machine;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const chosen = chooseDefault(machine, preferred);
  if (chosen.lack !== undefined) log.warn(`bridges do not lead outside: ${chosen.lack.what} (${chosen.lack.remedy})`);
  const name = backendName === 'pasta' || backendName === 'slirp4netns' ? backendName : chosen.name;
  const backend = await openBackend(name, machine);
  const attachment = await backend.setup({
    netns: sharedNamespace(directory),
    id: 'networks',
    runDir: directory,
    ports: [],
    options: name === 'none' ? [] : machine.options[name],
  });
  replaceFile(join(directory, 'shared.json'), JSON.stringify(attachment), 0o600);
  return attachment;
}

/** Idempotent: whatever is there of it goes. */
export async function closeShared(directory: string): Promise<void> {
  const netns = sharedNamespace(directory);
  await strayDone(directory);
  await endDns(directory);
  if (existsSync(join(directory, 'shared.json')))
    await teardownAttachment(JSON.parse(readFileSync(join(directory, 'shared.json'), 'utf8')) as NetworkAttachment);
  // Whoever was starting a helper was killed before that was on record.
  else if (existsSync(netns)) await endProcessesNaming([netns]);
  clearNamespace(netns);
  for (const name of ['shared.json', 'aardvark-dns', 'firewall', 'rules.json', 'working'])
    rmSync(join(directory, name), { recursive: true, force: true });
}

/**
 * The server that a pid file names, if it is one: netavark signals whoever has that pid. A file that names somebody else goes.
 */
export function dnsServer(directory: string): ProcessIdentity | undefined {
  const file = join(directory, 'aardvark-dns', 'aardvark.pid');
  try {
    const pid = Number(readFileSync(file, 'latin1'));
    const found = readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'aardvark-dns' ? identify(pid) : undefined;
    if (found) return found;
  } catch {
    // No file, or no such process.
  }
  rmSync(file, { force: true });
  return undefined;
}

async function endDns(directory: string): Promise<void> {
  const server = dnsServer(directory);
  if (server === undefined || !signalProcess(server, SIGTERM)) return;
  if (!(await waitForEnd(server, END_TIMEOUT_MS))) signalProcess(server, SIGKILL);
}

/**
 * The server of Debian 12 (1.4) reads anew only what it says in the network that has changed: a container in two networks would not be told in the one
 * of a newcomer in the other. There it starts again, which takes it some milliseconds. Newer ones read everything.
 */
export async function refreshDns(places: NetavarkPlaces): Promise<void> {
  const { aardvark } = places.programs;
  if (aardvark === undefined || !joinsNetworks(join(places.directory, 'aardvark-dns'))) return;
  if (await isRecent(aardvark, places.cacheDirectory)) return;
  await endDns(places.directory);
  await reviveDns(places);
}

/** Is there a container in two of the networks? */
function joinsNetworks(directory: string): boolean {
  const ids = networkFiles(directory).flatMap((name) => [
    ...new Set([...readFileSync(join(directory, name), 'utf8').matchAll(/^([0-9a-f]{64}) /gm)].map(([, id]) => id)),
  ]);
  return new Set(ids).size < ids.length;
}

function networkFiles(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => name !== 'aardvark.pid') : [];
}

/** A server that was killed has left what it knew in files: another reads them. */
export async function reviveDns(places: NetavarkPlaces): Promise<void> {
  const { directory, programs, netns } = places;
  const files = join(directory, 'aardvark-dns');
  if (dnsServer(directory) !== undefined || networkFiles(files).length === 0 || programs.aardvark === undefined) return;
  log.debug('aardvark-dns does not run; starting it');
  const args = ['--config', files, '-p', String(places.dnsPort ?? 53), 'run'];
  await runHelper('nsenter', [`--net=${netns}`, '--', programs.aardvark, ...args], { env: environment(places), package: 'util-linux' });
}
