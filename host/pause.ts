/**
 * The pause process (design D4): it holds the user, mount and, where needed, cgroup namespaces of one user's session.
 *
 * Making it: `unshare` starts a shell in new namespaces and waits; newuidmap(1) and newgidmap(1) write its maps from outside (they are
 * setuid, we are not); then the shell prepares the mount namespace and becomes `sleep infinity`. Its pid, start time and boot id are
 * written to `<run>/pause`; the launcher checks all three, and that it is the user's and apart from us, before it enters: a recycled pid is never joined. Nothing depends on
 * the process being ours: whoever finds it gone makes a new one.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { EngineError, isEngineError } from '../core/errors.ts';
import type { Lack } from '../core/lack.ts';
import { log } from '../core/log.ts';
import { bootId } from './boot.ts';
import { isCgroup2, kernelHasCgroup2 } from './cgroup.ts';
import { installHint } from './distribution.ts';
import { processesMarked } from './find-process.ts';
import { lockFile } from './flock.ts';
import { availableIds, existingRanges, fullMap, readIdMap, subordinateIds, type IdMapEntry } from './idmap.ts';
import { hasCapability, type Identity } from './identity.ts';
import { identify, isAlive } from './pid.ts';
import { launch, runHelper, type Launched } from './process.ts';
import { findProgram } from './search.ts';
import { lookUpUser } from './user.ts';

export interface PauseRecord {
  readonly pid: number;
  readonly startTime: number;
  readonly bootId: string;
  /** nsenter(1) flags that join its namespaces, as one word: `Um`, `UmC`, `mC`. */
  readonly namespaces: string;
}

export function pauseFile(runDirectory: string): string {
  return join(runDirectory, 'pause');
}

/** Do we need namespaces of our own? Real root needs them only where cgroup2 is not in its place. */
export function needsPause(identity: Identity): boolean {
  return identity.rootless || needsCgroupView();
}

/** The running pause process of this run directory, made if there is none. Safe against two lichens at once. */
export async function ensurePause(
  identity: Identity,
  runDirectory: string,
  survivors: (runDirectory: string) => readonly number[],
): Promise<PauseRecord> {
  const known = readPause(runDirectory);
  if (known) return known;
  using _lock = await lockFile(join(runDirectory, 'pause.lock'));
  const found = readPause(runDirectory);
  if (found) return found;
  const survivor = lostPause(identity, runDirectory) ?? standIn(identity, survivors(runDirectory));
  if (survivor) {
    writePause(runDirectory, survivor);
    return survivor;
  }
  const maps = identity.rootless ? await usableMaps(identity) : undefined;
  const { record, keep } = await makePause(identity, { [MARK]: runDirectory }, maps);
  writePause(runDirectory, record);
  await keep();
  return record;
}

function writePause(runDirectory: string, record: PauseRecord): void {
  const file = pauseFile(runDirectory);
  writeFileSync(`${file}.new`, `${record.pid} ${record.startTime} ${record.bootId} ${record.namespaces}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The recorded pause process if it is alive, the very same, and one that can be entered from here; else undefined. */
export function readPause(runDirectory: string): PauseRecord | undefined {
  const record = recordedPause(runDirectory);
  return record && isApart(record.pid) ? record : undefined;
}

/** The recorded pause process if it is alive and the very same, else undefined. To end it from inside; from outside see readPause. */
export function recordedPause(runDirectory: string): PauseRecord | undefined {
  let text: string;
  try {
    text = readFileSync(pauseFile(runDirectory), 'latin1');
  } catch {
    return undefined;
  }
  const match = /^(\d+) (\d+) ([0-9a-f-]+) ([UmC]+)\n$/.exec(text);
  if (!match) return undefined;
  const record = { pid: Number(match[1]), startTime: Number(match[2]), bootId: match[3]!, namespaces: match[4]! };
  return record.bootId === bootId() && isAlive(record) ? record : undefined;
}

/** Of this user, and in another mount namespace than ours: pid and start time alone might be somebody else's. The launcher looks at the same. */
function isApart(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.geteuid!() && statSync(`/proc/${pid}/ns/mnt`).ino !== statSync('/proc/self/ns/mnt').ino;
  } catch {
    return false;
  }
}

/** argv that runs `command` inside. Credentials are kept: inside, the user is root by the id map alone. */
export function enterArgv(record: PauseRecord, command: readonly string[]): string[] {
  const flags = [...record.namespaces].map((letter) => `-${letter}`);
  return [nsenter(), '-t', String(record.pid), ...flags, '--preserve-credentials', '--', ...command];
}

/** In the environment of a pause process: whose it is. */
const MARK = 'LICHEN_PAUSE';

/** The pause process of this run directory, by the mark it carries: its record was removed under it (a cleaner of /tmp, an end of the session). */
function lostPause(identity: Identity, runDirectory: string): PauseRecord | undefined {
  const [found] = processesMarked(`${MARK}=${runDirectory}`).filter(({ pid }) => isApart(pid));
  return found && { ...found, bootId: bootId(), namespaces: namespaceFlags(identity) };
}

/** Containers outlive a pause process that was killed; theirs are the namespaces to go on in, or their mounts would be out of sight. */
function standIn(identity: Identity, pids: readonly number[]): PauseRecord | undefined {
  for (const pid of pids) {
    const process = identify(pid);
    if (process && (!identity.rootless || ownsUserNamespace(pid, identity))) {
      return { ...process, bootId: bootId(), namespaces: namespaceFlags(identity) };
    }
  }
  return undefined;
}

function ownsUserNamespace(pid: number, identity: Identity): boolean {
  try {
    return readIdMap('uid', pid).some((entry) => entry.inside === 0 && entry.outside === identity.uid && entry.size < 2 ** 32 - 1);
  } catch {
    return false;
  }
}

function namespaceFlags(identity: Identity): string {
  return `${identity.rootless ? 'U' : ''}m${needsCgroupView() ? 'C' : ''}`;
}

// Slave propagation: what the host mounts later is seen inside, nothing goes back.
const PREPARE = `
  echo unshared
  read -r go
  [ "$go" = go ] || exit 1
  [ "$1" = plain ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup || mount -t tmpfs tmpfs /sys/fs/cgroup || exit 1
  echo ready
  read -r stay
  [ "$stay" = stay ] || exit 1
  exec <&- >&- 2>&-
  cd /
  exec sleep infinity
`;

interface MadePause {
  readonly record: PauseRecord;
  /** To be called when the process is on record: until then it ends with us, so that nobody loses sight of it. */
  readonly keep: () => Promise<void>;
  readonly end: () => void;
}

/**
 * Namespaces as a pause process holds them, for a look around in them; they end with the object. Nothing is put on record, no notice is given.
 * Throws USER_NAMESPACE, HELPER_*.
 */
export async function temporaryNamespaces(identity: Identity): Promise<Disposable & { readonly record: PauseRecord }> {
  const { record, end } = await makePause(identity, {}, (await planMaps(identity)).maps);
  return { record, [Symbol.dispose]: end };
}

/** The maps that can be had, with one notice where that is a single id. */
async function usableMaps(identity: Identity): Promise<IdMaps | undefined> {
  const { maps, lack } = await planMaps(identity);
  if (lack !== undefined) {
    const [{ lackSentence }, { thisDistribution }] = await Promise.all([import('../core/lack.ts'), import('./distribution.ts')]);
    log.warn(lackSentence(lack, thisDistribution()));
  }
  return maps;
}

async function makePause(identity: Identity, mark: Readonly<Record<string, string>>, maps: IdMaps | undefined): Promise<MadePause> {
  const cgroupView = needsCgroupView();
  const namespaces = namespaceFlags(identity);
  const args = [
    ...(identity.rootless ? ['--user'] : []),
    ...(identity.rootless && maps === undefined ? ['--map-root-user'] : []),
    ...(cgroupView ? ['--cgroup'] : []),
    '--mount',
    '--propagation',
    'slave',
    '--',
    '/bin/sh',
    '-c',
    PREPARE,
    'lichen-pause',
    cgroupView ? 'view' : 'plain',
  ];
  const child = await launch(findProgram('unshare') ?? 'unshare', args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    package: 'util-linux',
    cwd: '/',
    // It lives long: of the caller's environment it keeps what finds the programs.
    env: { PATH: process.env['PATH'], ...mark },
  });
  let said = '';
  child.pipe(2).on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const lines = readLines(child);
    if ((await lines()) !== 'unshared') throw new Error('unshare');
    if (maps) await writeMaps(child.pid, maps);
    child.pipe(0).write('go\n');
    if ((await lines()) !== 'ready') throw new Error('prepare');
  } catch (error) {
    child.kill('SIGKILL');
    // With all that it had to say.
    await child.exited.catch(() => undefined);
    if (isEngineError(error)) throw error;
    // A map that is refused is an error of ours, of which the shell there says nothing.
    const refusal = (error as NodeJS.ErrnoException).syscall === undefined ? '' : (error as Error).message;
    throw await namespaceError(said.trim() || refusal, error);
  }
  const made = identify(child.pid);
  if (!made) throw await namespaceError(said.trim(), undefined);
  return { record: { ...made, bootId: bootId(), namespaces }, keep: () => letStay(child), end: () => endNow(child) };
}

async function letStay(child: Launched): Promise<void> {
  await new Promise<void>((resolve) => void child.pipe(0).end('stay\n', () => resolve()));
  child.unref();
  for (const descriptor of [0, 1, 2]) child.pipe(descriptor).destroy();
}

function endNow(child: Launched): void {
  child.kill('SIGKILL');
  child.unref();
  for (const descriptor of [0, 1, 2]) child.pipe(descriptor).destroy();
}

/** The maps that newuidmap would write; without them, what is missing for more than a single id. */
export async function planMaps(identity: Identity): Promise<{ readonly maps?: IdMaps; readonly lack?: Lack }> {
  if (!identity.rootless) return {};
  if (identity.uid === 0 && hasCapability(CAP_SETUID)) return { maps: { uids: wholeMap('uid'), gids: wholeMap('gid') } };
  const user = { name: lookUpUser(identity.uid)?.name ?? process.env['USER'], uid: identity.uid };
  const uids = existingRanges(await subordinateIds('uid', user), readIdMap('uid'));
  const gids = existingRanges(await subordinateIds('gid', user), readIdMap('gid'));
  if (findProgram('newuidmap') === undefined || findProgram('newgidmap') === undefined)
    return { lack: (await import('../core/lack.ts')).NO_ID_HELPERS };
  if (uids.length === 0 || gids.length === 0)
    return { lack: (await import('../core/lack.ts')).noSubordinateIds(user.name ?? String(user.uid)) };
  return { maps: { uids: fullMap(identity.uid, uids), gids: fullMap(identity.gid, gids) } };
}

interface IdMaps {
  readonly uids: readonly IdMapEntry[];
  readonly gids: readonly IdMapEntry[];
}

const CAP_SETUID = 7n;
const ALL_IDS = 2 ** 32 - 1;

/**
 * Every id that exists here, as itself. All of them are mapped in two halves: runtimes take one line for "no user namespace". In a container's
 * user namespace each line lies in one of its lines, or the kernel refuses it.
 */
function wholeMap(kind: 'uid' | 'gid'): IdMapEntry[] {
  const own = readIdMap(kind);
  if (availableIds(own) < ALL_IDS) return own.map(({ inside, size }) => ({ inside, outside: inside, size }));
  return [
    { inside: 0, outside: 0, size: 2 ** 31 },
    { inside: 2 ** 31, outside: 2 ** 31, size: ALL_IDS - 2 ** 31 },
  ];
}

/** Root with CAP_SETUID writes them himself; anybody else through the setuid helpers. */
async function writeMaps(pid: number, maps: IdMaps): Promise<void> {
  if (process.geteuid!() === 0 && hasCapability(CAP_SETUID)) {
    const text = (entries: readonly IdMapEntry[]) => entries.map((entry) => `${entry.inside} ${entry.outside} ${entry.size}\n`).join('');
    writeFileSync(`/proc/${pid}/uid_map`, text(maps.uids));
    writeFileSync(`/proc/${pid}/gid_map`, text(maps.gids));
    return;
  }
  const words = (entries: readonly IdMapEntry[]) => entries.flatMap((entry) => [entry.inside, entry.outside, entry.size].map(String));
  await Promise.all([
    runHelper('newuidmap', [String(pid), ...words(maps.uids)], { package: 'uidmap', timeoutMs: 10_000 }),
    runHelper('newgidmap', [String(pid), ...words(maps.gids)], { package: 'uidmap', timeoutMs: 10_000 }),
  ]);
}

function needsCgroupView(): boolean {
  return !isCgroup2() && kernelHasCgroup2();
}

function readLines(child: Launched): () => Promise<string | undefined> {
  const stream = child.pipe(1);
  let buffer = '';
  return async () => {
    for (;;) {
      const end = buffer.indexOf('\n');
      if (end >= 0) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 1);
        return line;
      }
      const [event] = await Promise.race([
        once(stream, 'data').then(([chunk]) => [chunk as Buffer]),
        once(stream, 'end').then(() => [undefined]),
      ]);
      if (event === undefined) return undefined;
      buffer += event.toString();
    }
  };
}

async function namespaceError(said: string, cause: unknown): Promise<EngineError> {
  const [{ mendHint }, { thisDistribution }, { namespaceLack }] = await Promise.all([
    import('../core/lack.ts'),
    import('./distribution.ts'),
    import('./user-namespace.ts'),
  ]);
  const lack = namespaceLack(said);
  const words = said === '' ? '' : ` (${said})`;
  return new EngineError('USER_NAMESPACE', `${lack.loss}: ${lack.what}${words}`, { hint: mendHint(lack, thisDistribution()), cause });
}

function nsenter(): string {
  const path = findProgram('nsenter');
  if (path === undefined) throw new EngineError('HELPER_MISSING', 'nsenter: not found', { hint: installHint('util-linux') });
  return path;
}
