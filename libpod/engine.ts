/**
 * One opened store: what every verb of libpod works with. Opening is cheap; runtime, monitor, driver and layers come when first asked for.
 */
import { trace } from '../host/trace.ts';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { enterNamespaces } from '../host/enter.ts';
import { readIdentity, type Identity } from '../host/identity.ts';
import { managerScope } from '../host/service-manager.ts';
import { choosePaths, ensurePrivateDirectory, type Paths } from '../host/paths.ts';
import type { Driver } from '../storage/driver/driver.ts';
import type { DriverWish } from '../storage/driver/probe.ts';
import type { LayerStore } from '../storage/layer/store.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { ContainerConfig } from './spec/container.ts';
import { loadSettings, type Settings } from './settings.ts';
import { ArtifactTable } from './state/artifacts.ts';
import { ContainerTable } from './state/containers.ts';
import { Database } from './state/database.ts';
import { EventTable, type ToldEvent } from './state/events.ts';
import { ImageTable } from './state/images.ts';
import { ListTable } from './state/lists.ts';
import { MountTable } from './state/mounts.ts';
import { keepReserve } from './state/reserve.ts';
import { SecretTable } from './state/secrets.ts';
import { VolumeTable } from './state/volumes.ts';
import { survivingMonitors } from './survivors.ts';

export interface EngineOptions {
  readonly root?: string | undefined;
  readonly runroot?: string | undefined;
  readonly runtime?: string | undefined;
  readonly runtimeFlags: readonly string[];
  readonly conmon?: string | undefined;
  readonly cgroupManager?: 'systemd' | 'cgroupfs' | undefined;
  /** In place of those of containers.conf, unless there are none. */
  readonly cdiDirectories?: readonly string[];
  readonly hooksDirectories?: readonly string[];
  readonly storageDriver?: string | undefined;
  readonly storageOptions: readonly string[];
  readonly networkCommand?: string | undefined;
  /** In place of that of containers.conf. */
  readonly networkDirectory?: string | undefined;
  readonly volumePath?: string | undefined;
  readonly eventsBackend?: EventsBackend | undefined;
  /** Names or paths of containers.conf(5) modules. */
  readonly modules: readonly string[];
  /** A Go template over what `inspect` shows of a container, for the names under which it logs. Throws INVALID_TEMPLATE. */
  readonly expandTag: (template: string, document: object) => Promise<string>;
  /** argv that starts lichen again: launcher and the global flags that choose this store. */
  readonly self: readonly string[];
  /** The words after the program's name, for the Node that starts again inside the namespaces. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export type CgroupManager = 'systemd' | 'cgroupfs';

export const EVENTS_BACKENDS = ['file', 'journald', 'none'] as const;
export type EventsBackend = (typeof EVENTS_BACKENDS)[number];

export interface Engine extends Disposable {
  readonly identity: Identity;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly options: EngineOptions;
  readonly driverWish: DriverWish;
  readonly cgroupManager: CgroupManager;
  readonly eventsBackend: EventsBackend;
  readonly db: Database;
  readonly containers: ContainerTable;
  readonly images: ImageTable;
  readonly lists: ListTable;
  readonly artifacts: ArtifactTable;
  readonly volumes: VolumeTable;
  readonly secrets: SecretTable;
  readonly events: EventTable;
  readonly mounts: MountTable;
  /** The one that a container was made for, as long as it is installed; without one that of new containers. Throws INVALID_ARGUMENT. */
  runtime(config?: Pick<ContainerConfig, 'runtime'>): Promise<Runtime>;
  /** It calls that runtime. Throws HELPER_MISSING. */
  monitor(config?: Pick<ContainerConfig, 'runtime'>): Promise<Monitor>;
  driver(): Promise<Driver>;
  layers(): Promise<LayerStore>;
}

/**
 * Open the store, inside the user's namespaces: where this process is outside of them, it is replaced by one inside and this never returns.
 * What a killed lichen or a reboot left is put in order first.
 * Throws INVALID_ARGUMENT and NOT_SUPPORTED (flags of the storage), STORE_*, USER_NAMESPACE, CONFIG.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const driverWish = await readDriverWish(options);
  const outside = readIdentity(options.env);
  const choice = { root: options.root, runroot: options.runroot };
  await enterNamespaces(outside, choosePaths(outside, options.env, choice).run, options.args, survivingMonitors);
  const identity = readIdentity(options.env);
  const paths = choosePaths(identity, options.env, choice);
  const settings = await loadSettings(options.env, paths.config, options.modules);
  ensurePrivateDirectory(paths.store);
  ensurePrivateDirectory(paths.run);
  const eventsBackend = options.eventsBackend ?? configuredBackend(settings);
  const db = Database.open(join(paths.store, 'db.sqlite'));
  keepReserve(paths.store);
  const events = new EventTable(db, await teller(eventsBackend, paths));
  const engine = new OpenEngine({ identity, paths, settings, options, driverWish, db, eventsBackend, events });
  const { heal } = await import('./heal.ts');
  await heal(engine);
  trace('engine');
  return engine;
}

/** Throws CONFIG. */
function configuredBackend({ eventsLogger }: Settings): EventsBackend {
  const backend = eventsLogger === undefined ? 'file' : EVENTS_BACKENDS.find((one) => one === eventsLogger);
  if (backend !== undefined) return backend;
  throw new EngineError('CONFIG', `unknown event logger type: ${eventsLogger}`, {
    hint: 'Set events_logger in [engine] of containers.conf to file, journald or none.',
  });
}

/** Where events go that are not kept in the database. */
async function teller(backend: EventsBackend, { store }: Paths): Promise<((event: ToldEvent) => void) | undefined> {
  if (backend === 'file') return undefined;
  if (backend === 'none') return () => undefined;
  const { journalTeller } = await import('./event/tell.ts');
  return journalTeller(store);
}

async function readDriverWish(options: EngineOptions): Promise<DriverWish> {
  if (options.storageDriver === undefined && options.storageOptions.length === 0) return {};
  const { readStorageFlags } = await import('./storage-flags.ts');
  return readStorageFlags(options);
}

type EngineParts = Pick<Engine, 'identity' | 'paths' | 'settings' | 'options' | 'driverWish' | 'db' | 'eventsBackend' | 'events'>;

class OpenEngine implements Engine {
  readonly identity: Identity;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly options: EngineOptions;
  readonly driverWish: DriverWish;
  readonly cgroupManager: CgroupManager;
  readonly eventsBackend: EventsBackend;
  readonly db: Database;
  readonly containers: ContainerTable;
  readonly images: ImageTable;
  readonly lists: ListTable;
  readonly artifacts: ArtifactTable;
  readonly volumes: VolumeTable;
  readonly secrets: SecretTable;
  readonly events: EventTable;
  readonly mounts: MountTable;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(parts: EngineParts) {
    const { db, identity, options, settings } = parts;
    this.identity = identity;
    this.paths = parts.paths;
    this.settings = settings;
    this.options = options;
    this.driverWish = parts.driverWish;
    this.db = db;
    this.cgroupManager = chosenCgroupManager(parts);
    this.containers = new ContainerTable(db);
    this.images = new ImageTable(db);
    this.lists = new ListTable(db);
    this.artifacts = new ArtifactTable(db);
    this.volumes = new VolumeTable(db);
    this.secrets = new SecretTable(db);
    this.eventsBackend = parts.eventsBackend;
    this.events = parts.events;
    this.mounts = new MountTable(db);
  }

  runtime({ runtime: recorded }: Pick<ContainerConfig, 'runtime'> = {}): Promise<Runtime> {
    return this.#once(`runtime ${recorded ?? ''}`, async () => {
      const { openOciRuntime } = await import('./runtime/oci.ts');
      return openOciRuntime({
        recorded,
        wanted: askedRuntime(this)?.name,
        flags: this.options.runtimeFlags,
        stateRoot: join(this.paths.run, 'oci'),
        cgroupManager: this.cgroupManager,
        embedded: join(dirname(this.options.self[0]!), 'lichen-runtime'),
      });
    });
  }

  monitor(config: Pick<ContainerConfig, 'runtime'> = {}): Promise<Monitor> {
    return this.#once(`monitor ${config.runtime ?? ''}`, async () => {
      const { openMonitor } = await import('./monitor/choose.ts');
      return await openMonitor({
        wanted: askedMonitor(this.options)?.name,
        directories: this.settings.conmonPaths,
        runtime: await this.runtime(config),
        exitDirectory: join(this.paths.run, 'exits'),
        systemdCgroup: this.cgroupManager === 'systemd',
        env: helperEnvironment(this.options.env),
      });
    });
  }

  driver(): Promise<Driver> {
    return this.#once('driver', async () => {
      const { openDriver } = await import('./image/driver.ts');
      return openDriver(this);
    });
  }

  layers(): Promise<LayerStore> {
    return this.#once('layers', async () => {
      const { LayerStore: Store } = await import('../storage/layer/store.ts');
      return new Store(this.paths.store);
    });
  }

  [Symbol.dispose](): void {
    this.db[Symbol.dispose]();
  }

  #once<T>(key: string, make: () => Promise<T>): Promise<T> {
    let made = this.#made.get(key) as Promise<T> | undefined;
    if (made === undefined) this.#made.set(key, (made = make()));
    return made;
  }
}

/** A name, a path, or `embedded`, and the flag, variable or file that asks for it. */
export interface Asked {
  readonly name: string;
  readonly by: string;
}

export function askedRuntime({ options, settings }: Pick<Engine, 'options' | 'settings'>): Asked | undefined {
  const { LICHEN_RUNTIME } = options.env;
  return firstAsked({ '--runtime': options.runtime, LICHEN_RUNTIME: LICHEN_RUNTIME || undefined, 'containers.conf': settings.runtime });
}

/** The paths in containers.conf ask for none: where nothing is at one, there is still another. */
export function askedMonitor({ conmon, env }: Pick<EngineOptions, 'conmon' | 'env'>): Asked | undefined {
  return firstAsked({ '--conmon': conmon, LICHEN_MONITOR: env['LICHEN_MONITOR'] || undefined });
}

function firstAsked(places: Readonly<Record<string, string | undefined>>): Asked | undefined {
  for (const [by, name] of Object.entries(places)) if (name !== undefined) return { name, by };
  return undefined;
}

/** What a monitor and the clean-up it starts need of our environment: nothing of the caller's secrets. */
export function helperEnvironment(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const kept = Object.keys(env).filter((name) =>
    /^(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LC_.*|XDG_.*|DBUS_SESSION_BUS_ADDRESS|CONTAINERS_.*|LICHEN_.*)$/.test(name),
  );
  return Object.fromEntries(kept.map((name) => [name, env[name]]));
}

/** Podman, too, makes cgroups without the systemd that it was told to use where there is none. */
function chosenCgroupManager({ identity, options, settings }: EngineParts): CgroupManager {
  const asked = options.cgroupManager ?? settings.cgroupManager;
  if (asked !== 'systemd') return asked ?? defaultCgroupManager(identity, options.env);
  if (managerScope(identity, options.env) !== undefined) return asked;
  log.warn(
    'cgroups are to be made by systemd (--cgroup-manager, cgroup_manager), and none answers here: they are made without it (cgroupfs)',
  );
  return 'cgroupfs';
}

/** systemd where its user manager runs and every controller is in cgroup v2; a hybrid host's cgroup2 view is ours alone. */
function defaultCgroupManager(identity: Identity, env: NodeJS.ProcessEnv): CgroupManager {
  const hybrid = readFileSync('/proc/self/cgroup', 'latin1')
    .split('\n')
    .some((line) => line !== '' && !line.startsWith('0::'));
  if (hybrid) return 'cgroupfs';
  return managerScope(identity, env) === undefined ? 'cgroupfs' : 'systemd';
}
