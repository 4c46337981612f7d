/**
 * From a container at rest to a running one.
 *
 * The walk: row says `starting` → network namespace and monitor set going → root file system, volumes, files → config.json →
 * the monitor calls `runtime create` → network ready, its facts written to hosts and resolv.conf → caller attaches → `runtime start`
 * → row says `running`. The helper's 15–30 ms overlap with everything up to `create`. A failure unrolls what was made, and the row
 * goes back to rest with the error.
 */
import { trace } from '../../host/trace.ts';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { isNamespace, setNetworkSysctls } from '../../host/namespaces.ts';
import { mount, MS, unmountAll } from '../../host/mount.ts';
import { identify } from '../../host/pid.ts';
import type { TerminalSize } from '../../host/terminal.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import { endBegun, forgetCommands, isUndecided, type BegunNetwork } from '../../network/early.ts';
import { clearNamespace, teardownAttachment } from '../../network/teardown.ts';
import type { Engine } from '../engine.ts';
import { freshHealth, hasHealthcheck } from '../health/check.ts';
import type { MonitoredProcess, PreparedMonitor } from '../monitor/monitor.ts';
import type { ContainerConfig, StartFacts } from '../spec/container.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ociConfig } from '../spec/oci.ts';
import { foreignSysctls } from '../spec/sysctls.ts';
import { outsideRoot } from '../spec/userns.ts';
import type { OciConfig } from '../spec/oci-types.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { awaitExitScript } from './cleanup.ts';
import { containerEvent } from './event.ts';
import { prepareExit } from './exit-script.ts';
import { gatherFacts } from './facts.ts';
import { writeNetworkFiles } from './files.ts';
import { lockAndRead } from './lock.ts';
import { needsNamespace, setUpNetwork } from './network.ts';
import { placesOf, type ContainerPlaces } from './places.ts';
import { mountRoot } from './rootfs.ts';
import type { Readiness } from './readiness.ts';
import type { Activation } from './socket-activation.ts';
import { deleteFromRuntime } from './runtime-state.ts';
import { letThrough } from './traversal.ts';
import { undoStart } from './undo.ts';

export interface StartOptions {
  /** Called when attach clients can connect and the container's process has not started: whoever connects now misses nothing. */
  readonly onAttachable?: (process: MonitoredProcess) => Promise<void>;
  /** Of the terminal that it gets, from its first instruction on: the monitor may hear of sizes later than that. */
  readonly terminalSize?: TerminalSize | undefined;
  /** Stop at the state "initialized": everything is there, the process waits (`lichen init`). */
  readonly initOnly?: boolean;
  /** Descriptors of the caller that the container's process gets under the same numbers; only of this start. */
  readonly preserveFds?: readonly number[];
  /** The launcher's, for this container's id; ended where it is of no use. */
  readonly begun?: BegunNetwork | undefined;
  /** Told to the user when a first container with a restart policy is to be started again after a boot; without it nothing is set up for that. */
  readonly tell?: (line: string) => void;
}

export interface StartedContainer {
  readonly record: ContainerRecord;
  readonly runCount: number;
  readonly pid: number;
}

/** Throws WRONG_STATE (it runs already), and whatever its parts throw; then nothing is left running or mounted. */
export async function startContainer(engine: Engine, id: ContainerRecord['id'], options: StartOptions = {}): Promise<StartedContainer> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  return await startUnderLock(engine, record, options);
}

/** startContainer for a caller that holds the lock. */
export async function startUnderLock(engine: Engine, record: ContainerRecord, options: StartOptions): Promise<StartedContainer> {
  if (record.status === 'initialized') return startInitialized(engine, record, options);
  if (record.status === 'running' || record.status === 'paused') {
    throw new EngineError('WRONG_STATE', `container ${record.id} is already running: container state improper`);
  }
  // What is not installed is said before anything is touched.
  await engine.monitor(record.config);
  const places = placesOf(engine, record.id);
  const runCount = record.runCount + 1;
  await startDependencies(engine, record);
  await awaitExitScript(engine, record);
  // A monitor that was killed has left the runtime's part of the run before.
  await deleteFromRuntime(engine, record);
  if (record.status !== 'starting')
    engine.db.transaction(() =>
      engine.containers.move(record.id, ['configured', 'exited'], 'starting', { runCount, error: undefined, stoppedByUser: false }),
    );
  else engine.containers.change(record.id, { runCount });
  try {
    return await start(engine, record, places, runCount, options);
  } catch (error) {
    if (options.begun) await endBegun(options.begun);
    await undoStart(engine, record, error);
    throw error;
  }
}

async function start(
  engine: Engine,
  record: ContainerRecord,
  places: ContainerPlaces,
  runCount: number,
  options: StartOptions,
): Promise<StartedContainer> {
  const { config } = record;
  prepareRunDirectory(places);
  letThrough(engine, config, places);
  const netns = needsNamespace(config) ? places.netns : undefined;
  const begun = await usefulBegun(config, options.begun);
  const split = config.cgroups === 'split' ? (await import('./split-cgroup.ts')).splitCgroup() : undefined;
  const network = netns === undefined ? Promise.resolve(undefined) : connect(engine, config, places, begun);
  // Whoever fails first is reported; the network is awaited in any case, so that what it started is known and can be ended.
  network.catch(() => undefined);
  let attachment: NetworkAttachment | undefined;
  try {
    using lock = await healthLock(config, places, runCount);
    const readiness = await serviceReadiness(engine, config, places);
    const asked = options.preserveFds ?? [];
    const activation = await passedSockets(engine, asked);
    using monitor = await prepareMonitor(engine, record, places, runCount, { lock, readiness, preserveFds: activation?.fds ?? asked });
    const rootfs = await mountRoot(engine, record, places);
    mountShm(config, places);
    const gathered = { ...(await gatherFacts(engine, record, places, rootfs, netns)), ...split };
    const facts = config.pod === undefined ? gathered : { ...gathered, ...(await belowPod(engine, config, gathered)) };
    const ready = readiness?.config ?? config;
    const plain = ociConfig(
      activation === undefined ? ready : { ...ready, env: [...ready.env, ...activation.env] },
      readiness === undefined ? facts : { ...facts, files: { ...facts.files, ...readiness.files } },
      engine.settings.defaults,
    );
    const oci = await hooked(engine, config, sized(plain, options.terminalSize));
    writeFileSync(join(places.run, 'config.json'), JSON.stringify(oci), { mode: 0o600 });
    if (oci.hooks?.['poststop'] !== undefined) writeFileSync(places.poststop, '', { mode: 0o600 });
    trace('prepared');
    if (netns !== undefined) await namespaceMade(netns, network);
    if (facts.netns !== undefined) await setNetworkSysctls(facts.netns, foreignSysctls(config, facts.netns));
    const monitored = await monitor.create();
    trace('created');
    writePidFiles(config, monitored);
    attachment = await network;
    trace('network');
    writeNetworkFiles(engine, record, places, attachment, facts.hostname);
    const identities = { process: identify(monitored.pid), monitor: identify(monitored.monitorPid) };
    await readiness?.created(identities.monitor);
    await options.onAttachable?.(monitored);
    if (options.initOnly) {
      engine.db.transaction(() => {
        engine.containers.move(record.id, 'starting', 'initialized', { ...identities, network: attachment });
        engine.events.add(containerEvent(record, 'init'));
      });
      return { record, runCount, pid: monitored.pid };
    }
    const starting = letGo(await engine.runtime(record.config), record.id, oci);
    engine.db.transaction(() => {
      engine.containers.move(record.id, 'starting', 'running', {
        ...identities,
        network: attachment,
        startedMs: Date.now(),
        finishedMs: undefined,
        exitCode: undefined,
        oomKilled: false,
        health: freshHealth(config),
      });
      engine.events.add(containerEvent(record, 'init'));
      engine.events.add(containerEvent(record, 'start'));
    });
    await starting;
    readiness?.started(monitored.monitorPid);
    await scheduleChecks(engine, record, runCount);
    if (options.tell !== undefined) await keepStarting(engine, config, options.tell);
    trace('started');
    return { record, runCount, pid: monitored.pid };
  } catch (error) {
    attachment ??= await network.catch(() => undefined);
    if (attachment) await teardownAttachment(attachment);
    throw error;
  }
}

async function belowPod(engine: Engine, config: ContainerConfig, facts: StartFacts): Promise<Pick<StartFacts, 'podCgroup'>> {
  return (await import('../pod/cgroup.ts')).podCgroup(engine, config, facts);
}

function sized(oci: OciConfig, size: TerminalSize | undefined): OciConfig {
  if (size === undefined || oci.process.terminal !== true) return oci;
  return { ...oci, process: { ...oci.process, consoleSize: { height: size.rows, width: size.columns } } };
}

/** With the hooks of the machine, where it has any. */
async function hooked(engine: Engine, { mounts }: ContainerConfig, oci: OciConfig): Promise<OciConfig> {
  const { hooksDirectories: asked = [] } = engine.options;
  const directories = (asked.length > 0 ? asked : engine.settings.hooksDirectories).filter((path) => existsSync(path));
  if (directories.length === 0) return oci;
  const { withMachineHooks } = await import('./hooks.ts');
  return withMachineHooks(
    oci,
    directories,
    mounts.some(({ type }) => type === 'bind'),
  );
}

interface MonitorExtras {
  readonly lock: HeldLock | undefined;
  readonly readiness: Readiness | undefined;
  readonly preserveFds: readonly number[];
}

async function prepareMonitor(
  engine: Engine,
  record: ContainerRecord,
  places: ContainerPlaces,
  runCount: number,
  { lock, readiness, preserveFds }: MonitorExtras,
): Promise<PreparedMonitor> {
  const { id, name, config } = record;
  const { driver, path, maxSizeBytes } = config.log;
  const tag = driver === 'journald' ? await (await import('./log-tag.ts')).journalTag(engine, record) : undefined;
  const monitor = await engine.monitor(config);
  const { path: program, globalArgs } = await engine.runtime(config);
  const runtimeDelete = monitor.isDeleting ? undefined : [program, ...globalArgs, 'delete', '--force', id];
  return await monitor.prepare({
    id,
    name,
    bundle: places.run,
    runDir: places.run,
    terminal: config.terminal,
    stdin: config.stdinOpen,
    keepStdinOpen: false,
    log: { driver, path, ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }), ...(tag === undefined ? {} : { tag }) },
    exitCommand: prepareExit(engine, runtimeDelete, id, runCount),
    ...(config.timeoutSeconds === undefined ? {} : { timeoutSeconds: config.timeoutSeconds }),
    ...(readiness?.passedOnTo === undefined ? {} : { notifySocket: readiness.passedOnTo }),
    heldFds: lock === undefined ? [] : [lock.fd],
    preserveFds,
    isSplit: config.cgroups === 'split',
  });
}

/** Throws INVALID_ARGUMENT. */
function writePidFiles({ pidFile, monitorPidFile }: ContainerConfig, { pid, monitorPid }: MonitoredProcess): void {
  for (const [path, number] of [
    [pidFile, pid],
    [monitorPidFile, monitorPid],
  ] as const) {
    if (path === undefined) continue;
    try {
      writeFileSync(path, String(number));
    } catch (cause) {
      throw new EngineError('INVALID_ARGUMENT', `open ${path} for writing: ${systemWords(cause)}`, { cause });
    }
  }
}

/** The socket of whoever waits for the container. That of the caller counts before the one it was made under. */
export function serviceManager(engine: Engine, { sdnotify }: ContainerConfig): string | undefined {
  if (sdnotify?.mode === 'ignore') return undefined;
  return engine.options.env['NOTIFY_SOCKET'] || sdnotify?.socket;
}

async function serviceReadiness(engine: Engine, config: ContainerConfig, places: ContainerPlaces): Promise<Readiness | undefined> {
  const socket = serviceManager(engine, config);
  if (socket === undefined) return undefined;
  const { prepareReadiness } = await import('./readiness.ts');
  return prepareReadiness(config, socket, places, engine.options.env);
}

async function passedSockets({ options: { env } }: Engine, asked: readonly number[]): Promise<Activation | undefined> {
  if (env['LISTEN_FDS'] === undefined) return undefined;
  const { socketActivation } = await import('./socket-activation.ts');
  return socketActivation(env, asked);
}

async function scheduleChecks(engine: Engine, record: ContainerRecord, runCount: number): Promise<void> {
  if (!hasHealthcheck(record.config)) return;
  const { beginChecks } = await import('../health/schedule.ts');
  await beginChecks(engine, record, placesOf(engine, record.id), runCount);
}

async function keepStarting(engine: Engine, { restart }: ContainerConfig, tell: (line: string) => void): Promise<void> {
  if (restart.name !== 'always' && restart.name !== 'unless-stopped') return;
  const { keepUnit } = await import('../boot/unit.ts');
  const line = await keepUnit(engine);
  if (line !== undefined) tell(line);
}

/** A lock that whoever inherits its descriptor holds too. */
type HeldLock = Disposable & { readonly fd: number };

async function healthLock(config: ContainerConfig, places: ContainerPlaces, runCount: number): Promise<HeldLock | undefined> {
  if (!hasHealthcheck(config)) return undefined;
  const { monitorLock } = await import('../health/schedule.ts');
  return monitorLock(places, runCount);
}

/** Where the container turns out to want another network, the launcher has to be told. */
async function usefulBegun({ network }: ContainerConfig, begun: BegunNetwork | undefined): Promise<BegunNetwork | undefined> {
  if (begun === undefined || network.mode.kind === 'pasta') return begun;
  forgetCommands(begun.netns);
  await endBegun(begun);
  return undefined;
}

async function connect(
  engine: Engine,
  config: ContainerConfig,
  places: ContainerPlaces,
  begun: BegunNetwork | undefined,
): Promise<NetworkAttachment> {
  if (begun === undefined) clearNamespace(places.netns);
  return setUpNetwork(engine, config, places, begun);
}

/** The runtime joins the namespace: it must be there, which is long before the network is ready. Throws what `network` throws. */
async function namespaceMade(path: string, network: Promise<unknown>): Promise<void> {
  while (!isNamespace(path) || isUndecided(path)) await Promise.race([sleep(1), network]);
}

async function startInitialized(engine: Engine, record: ContainerRecord, options: StartOptions): Promise<StartedContainer> {
  const places = placesOf(engine, record.id);
  const pid = record.process?.pid ?? 0;
  await options.onAttachable?.({
    pid,
    monitorPid: record.monitor?.pid ?? 0,
    attachSocket: places.attachSocket,
    controlFifo: places.control,
    exitFile: places.exitFile,
  });
  if (options.initOnly) return { record, runCount: record.runCount, pid };
  const oci = JSON.parse(readFileSync(join(places.run, 'config.json'), 'utf8')) as OciConfig;
  const starting = letGo(await engine.runtime(record.config), record.id, oci);
  engine.db.transaction(() => {
    engine.containers.move(record.id, 'initialized', 'running', {
      startedMs: Date.now(),
      finishedMs: undefined,
      exitCode: undefined,
      health: freshHealth(record.config),
    });
    engine.events.add(containerEvent(record, 'start'));
  });
  await starting;
  const socket = serviceManager(engine, record.config);
  if (socket !== undefined) (await import('./readiness.ts')).tellStarted(record.config, socket, record.monitor?.pid ?? 0);
  await scheduleChecks(engine, record, record.runCount);
  if (options.tell !== undefined) await keepStarting(engine, record.config, options.tell);
  return { record, runCount: record.runCount, pid };
}

/**
 * `runtime start`, to be called just before the row says running. The runtime's process is there when this returns, and finishes also when we
 * are killed: a row that says running never stands for a process that waits for ever to be let go. Whoever cleans up waits for our lock.
 */
function letGo(runtime: Runtime, id: ContainerRecord['id'], { hooks }: OciConfig): Promise<void> {
  const starting = runtime.start(id, { hooks: hooks?.['poststart'] !== undefined });
  starting.catch(() => undefined);
  return starting;
}

/** Containers whose namespaces are shared must run first. */
async function startDependencies(engine: Engine, record: ContainerRecord): Promise<void> {
  for (const id of engine.containers.dependencies(record.id)) {
    const needed = engine.containers.get(id);
    if (!needed || needed.status === 'running' || needed.status === 'paused' || needed.status === 'initialized') continue;
    await startNeeded(engine, id);
  }
}

/** Two that need it may be started at once. */
async function startNeeded(engine: Engine, id: ContainerRecord['id']): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.status !== 'running' && record.status !== 'paused' && record.status !== 'initialized')
    await startUnderLock(engine, record, {});
}

function prepareRunDirectory(places: ContainerPlaces): void {
  for (const directory of [places.directory, places.run, dirname(places.exitFile)]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Without us a monitor goes on, with the bundle that is there.
  for (const stale of ['oom', 'oci-log', 'config.json']
    .map((name) => join(places.run, name))
    .concat(places.exitFile, places.attachSocket, places.control))
    rmSync(stale, { force: true });
}

function mountShm({ shmSizeBytes, idMap }: ContainerConfig, places: ContainerPlaces): void {
  unmountAll(places.shm);
  mkdirSync(places.shm, { recursive: true, mode: 0o700 });
  const root = idMap && outsideRoot(idMap);
  const owner = root === undefined ? '' : `,uid=${root.uid},gid=${root.gid}`;
  mount('shm', places.shm, 'tmpfs', MS.NOSUID | MS.NODEV | MS.NOEXEC, `mode=1777,size=${shmSizeBytes}${owner}`);
}
