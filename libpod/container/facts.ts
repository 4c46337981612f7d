/** What a start needs to know of this moment: StartFacts, gathered from the machine, the mounted root and the database. */
import { accessSync, closeSync, constants, existsSync, fstatSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { availableIds, readIdMap } from '../../host/idmap.ts';
import { errnoOf } from '../../host/libc.ts';
import { hasCapability } from '../../host/identity.ts';
import { hostRlimits } from '../../host/rlimit.ts';
import { Root } from '../../host/root.ts';
import { controllersIn, ownCgroup, CGROUP_ROOT } from '../../host/cgroup.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig, SeccompChoice, StartFacts } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { deviceNumber, hostDevices } from './devices.ts';
import { generatedFiles } from './files.ts';
import { hostnameOf } from './hostname.ts';
import { userIn } from './in-root.ts';
import { placesOf, type ContainerPlaces } from './places.ts';
import { writeShown } from './shown-file.ts';
import { resolveMounts } from './volumes.ts';

const CAP_SYS_RESOURCE = 24n;

export async function gatherFacts(
  engine: Engine,
  record: ContainerRecord,
  places: ContainerPlaces,
  rootfs: string,
  netns: string | undefined,
): Promise<StartFacts> {
  const { config } = record;
  using root = new Root(rootfs);
  const hostname = hostnameOf(engine, config);
  const accounts = needsAccounts(config) ? await accountFiles(engine, config, places, root) : undefined;
  const process = userIn(root, config, accounts?.contents);
  const cdi = config.cdiDevices === undefined ? undefined : await cdiDevices(engine, config.cdiDevices);
  const secrets = config.secrets === undefined ? undefined : await secretFacts(engine, config, places);
  prepareWorkdir(root, config, process);
  if (!config.rootfs) linkMountTable(root);
  return {
    rootless: engine.identity.rootless,
    rootfs,
    rootfsReadOnly: false,
    bundle: places.run,
    ...(netns === undefined ? joinedNetwork(engine, config) : { netns }),
    joined: joinedNamespaces(engine, config),
    hostname,
    files: { ...generatedFiles(engine, config, places, hostname), ...accounts?.files, ...secrets?.files },
    ...shm(engine, config, places),
    mounts: [...(await resolveMounts(engine, record, root)), ...(cdi?.mounts ?? [])],
    ...(cdi && { cdi: cdi.edits }),
    process,
    hostRlimits: hostRlimits(),
    ...ownIds(),
    controllers: controllers(engine),
    ...cgroupParent(),
    cgroupManager: engine.cgroupManager,
    sysfsByBind: cannotMountSysfs(engine, config),
    hostEnv: hostEnvironment(engine.options.env),
    ...(secrets && { secretEnv: secrets.env }),
    deviceRules: engine.identity.rootless || hasCapability(CAP_SYS_RESOURCE),
    devices: [...hostDevices(config), ...(cdi?.devices ?? [])],
    deviceNumber,
    seccomp: await seccompChoice(engine, config),
    existing: existsSync,
  };
}

/** The network must belong to the user namespace that the container is in; where lichen has made it, it belongs to lichen's. */
function cannotMountSysfs({ identity }: Engine, { network: { mode }, idMap }: ContainerConfig): boolean {
  return mode.kind === 'host' ? identity.rootless : idMap !== undefined && mode.kind !== 'none';
}

/** Without a user of its own, the caller's or the host's a container has nobody to add. */
function needsAccounts({ user, accounts, namespaces }: ContainerConfig): boolean {
  if (accounts?.none === true) return false;
  return /^\d|:/.test(user) || namespaces.user.kind === 'keep-id' || accounts?.hostUsers !== undefined;
}

async function accountFiles(engine: Engine, config: ContainerConfig, places: ContainerPlaces, root: Root) {
  const { addAccounts } = await import('./accounts.ts');
  const contents = addAccounts(root, config, engine.identity);
  const files = Object.entries(contents).map(([target, content]) => {
    const path = join(places.run, basename(target));
    writeShown(path, content, config);
    return [target, path] as const;
  });
  return { contents, files: Object.fromEntries(files) };
}

async function cdiDevices(engine: Engine, names: readonly string[]) {
  const { resolveCdiDevices } = await import('./cdi.ts');
  const { cdiDirectories = [] } = engine.options;
  return resolveCdiDevices(names, cdiDirectories.length > 0 ? cdiDirectories : engine.settings.cdiDirectories);
}

async function secretFacts(engine: Engine, config: ContainerConfig, places: ContainerPlaces) {
  const { secretFiles, secretVariables } = await import('../secret/container.ts');
  return { files: secretFiles(engine, config, places), env: await secretVariables(engine, config) };
}

/** Programs that ask /etc/mtab for the mounts get the kernel's list, as under Podman. An image without /etc does not want it. */
function linkMountTable(root: Root): void {
  try {
    root.symlink('/proc/mounts', '/etc', 'mtab');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** A working directory of the image is made when missing; one the caller asked for must be there, or on a mount. */
function prepareWorkdir(root: Root, config: ContainerConfig, owner: { readonly uid: number; readonly gid: number }): void {
  if (config.workdir === '/' || config.mounts.some((mount) => isWithin(config.workdir, mount.target))) return;
  try {
    const fd = root.open(config.workdir, constants.O_RDONLY | constants.O_NONBLOCK);
    const isDirectory = fstatSync(fd).isDirectory();
    closeSync(fd);
    if (!isDirectory)
      throw new EngineError('NO_SUCH_WORKDIR', `workdir ${JSON.stringify(config.workdir)} is not a directory on container ${config.id}`, {
        exitCode: 126,
      });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    if (config.workdirAsked || config.rootfs) {
      throw new EngineError('NO_SUCH_WORKDIR', `workdir ${JSON.stringify(config.workdir)} does not exist on container ${config.id}`, {
        exitCode: 126,
      });
    }
    root.makeDirectories(config.workdir, owner);
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

const NAMESPACE_FILES = { pid: 'pid', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup', user: 'user' } as const;

function joinedNamespaces(engine: Engine, config: ContainerConfig): StartFacts['joined'] {
  const joined: Partial<Record<keyof typeof NAMESPACE_FILES, string>> = {};
  for (const kind of Object.keys(NAMESPACE_FILES) as (keyof typeof NAMESPACE_FILES)[]) {
    const mode = config.namespaces[kind];
    if (mode.kind === 'container') {
      if (kind !== 'user' || config.idMap !== undefined) joined[kind] = namespaceOf(engine, mode.container, NAMESPACE_FILES[kind]);
    } else if (mode.kind === 'path') joined[kind] = mode.path;
  }
  return joined;
}

function joinedNetwork(engine: Engine, config: ContainerConfig): { netns?: string } {
  const { mode } = config.network;
  if (mode.kind === 'container') return { netns: namespaceOf(engine, mode.container, 'net') };
  if (mode.kind === 'path') return { netns: mode.path };
  return {};
}

function namespaceOf(engine: Engine, container: string, file: string): string {
  const other = engine.containers.find(container);
  if (!other.process || (other.status !== 'running' && other.status !== 'paused' && other.status !== 'initialized')) {
    throw new EngineError('WRONG_STATE', `cannot join namespace of container ${other.id} which is not running: container state improper`);
  }
  return `/proc/${other.process.pid}/ns/${file}`;
}

function shm(engine: Engine, config: ContainerConfig, places: ContainerPlaces): { shmPath?: string } {
  const { ipc } = config.namespaces;
  if (ipc.kind === 'none') return {};
  if (ipc.kind === 'host') return { shmPath: '/dev/shm' };
  if (ipc.kind === 'container') return { shmPath: placesOf(engine, engine.containers.find(ipc.container).id).shm };
  return { shmPath: places.shm };
}

function ownIds(): Pick<StartFacts, 'availableIds' | 'idBoundaries'> {
  const [uids, gids] = [readIdMap('uid'), readIdMap('gid')];
  const starts = (map: typeof uids): number[] => map.map(({ inside }) => inside);
  return {
    availableIds: { uids: availableIds(uids), gids: availableIds(gids) },
    idBoundaries: { uids: starts(uids), gids: starts(gids) },
  };
}

/**
 * Beside our own cgroup, as crun itself chooses: a cgroup that holds processes cannot hand controllers down (cgroups(7), no internal
 * processes), and crun would try for a second. Below our own only where there is no controller to hand down.
 */
export function cgroupParent(): { cgroupParent?: string } {
  const own = ownCgroup();
  const beside = dirname(own);
  if (beside !== own && mayMakeCgroups(beside)) return { cgroupParent: beside };
  return controllersIn(`${CGROUP_ROOT}${own}`).length === 0 && mayMakeCgroups(own) ? { cgroupParent: own } : {};
}

function mayMakeCgroups(cgroup: string): boolean {
  try {
    accessSync(`${CGROUP_ROOT}${cgroup}`, constants.W_OK);
    accessSync(`${CGROUP_ROOT}${cgroup}/cgroup.procs`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** systemd delegates to each scope it makes; else only what the parent of the container's cgroup has can be used. */
function controllers(engine: Engine): readonly string[] {
  if (engine.cgroupManager !== 'systemd') {
    const { cgroupParent: parent } = cgroupParent();
    return parent === undefined ? [] : controllersIn(`${CGROUP_ROOT}${parent}`);
  }
  const uid = engine.identity.uid;
  return controllersIn(engine.identity.rootless ? `${CGROUP_ROOT}/user.slice/user-${uid}.slice/user@${uid}.service` : CGROUP_ROOT);
}

/** What decides which limits can be applied. */
export function limitFacts(
  engine: Engine,
): Pick<StartFacts, 'controllers' | 'cgroupManager' | 'cgroupParent' | 'rootless' | 'deviceNumber'> {
  const { cgroupManager, identity } = engine;
  return { controllers: controllers(engine), ...cgroupParent(), cgroupManager, rootless: identity.rootless, deviceNumber };
}

function hostEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function seccompChoice(engine: Engine, config: ContainerConfig): Promise<SeccompChoice> {
  if (config.imageSeccomp !== undefined && !config.privileged)
    return parsedProfile(() => config.imageSeccomp!, 'the seccomp profile of the image');
  const wanted = config.security.seccomp ?? engine.settings.seccompProfile;
  if (wanted === 'unconfined' || config.privileged) return { kind: 'unconfined' };
  if (wanted !== undefined) return parsedProfile(() => readFileSync(wanted, 'utf8'), wanted);
  const { defaultSeccompProfile } = await import('../spec/seccomp.ts');
  return { kind: 'profile', document: await defaultSeccompProfile(), path: 'the built-in seccomp profile' };
}

/** Throws INVALID_ARGUMENT: a container that is to be confined never starts without its filter. */
function parsedProfile(read: () => string, path: string): SeccompChoice {
  const failed = (what: string, cause: unknown): EngineError => new EngineError('INVALID_ARGUMENT', what, { cause, exitCode: 125 });
  let text: string;
  try {
    text = read();
  } catch (cause) {
    throw failed(`opening seccomp profile failed: open ${path}: ${systemWords(cause)}`, cause);
  }
  try {
    return { kind: 'profile', document: JSON.parse(text), path };
  } catch (cause) {
    throw failed(`loading seccomp profile (${path}) failed: decoding seccomp profile failed: ${(cause as Error).message}`, cause);
  }
}
