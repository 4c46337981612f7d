/** `info`: the machine, the store and the programs lichen works with, under Podman's keys and in their order. */
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, hostname, release } from 'node:os';
import { join } from 'node:path';
import type { JsonObject, Json } from '../../core/json.ts';
import { CGROUP_ROOT, controllersIn, isCgroup2, ownCgroup } from '../../host/cgroup.ts';
import { osRelease } from '../../host/distribution.ts';
import { readIdMap, type IdMapEntry } from '../../host/idmap.ts';
import { findProgram, HELPER_DIRECTORIES } from '../../host/search.ts';
import { chooseDefault } from '../../network/choose.ts';
import { hostPlatform } from '../../storage/platform.ts';
import type { Engine } from '../engine.ts';
import { EMBEDDED } from '../monitor/choose.ts';
import { networkMachine } from '../container/network.ts';
import { registriesConf } from '../image/find.ts';
import { chosenMakes, type Makes } from './makes.ts';
import { describeHelper, type HelperFacts } from './programs.ts';
import { fileSystemName, formatUptime, parseCpuUtilization, parseDistribution, parseMemory, readText } from './machine.ts';

/** `version` is what the door knows of itself. Starts each helper once, to ask for its version. */
export async function engineInfo(engine: Engine, version: JsonObject): Promise<JsonObject> {
  const makes = await chosenMakes(engine);
  const [host, store, registries] = await Promise.all([hostInfo(engine, version, makes), storeInfo(engine), registriesInfo(engine)]);
  const plugins = { volume: ['local'], network: [], log: ['k8s-file', 'none', 'passthrough', 'journald'], authorization: null };
  return { host, store, registries, plugins, version, makes: { ...makes } };
}

async function hostInfo(engine: Engine, version: JsonObject, makes: Makes): Promise<JsonObject> {
  const { identity, settings, paths } = engine;
  const helpers = (name: string): string | undefined => findProgram(name, [...settings.helperDirectories, ...HELPER_DIRECTORIES]);
  const [conmon, runtime, pasta, slirp, netavark, aardvark] = await Promise.all([
    describeMonitor(makes.monitor, version['Version'] as string),
    describeHelper(makes.runtime.path || undefined),
    describeHelper(helpers('pasta')),
    describeHelper(helpers('slirp4netns')),
    describeHelper(helpers('netavark')),
    describeHelper(helpers('aardvark-dns')),
  ]);
  const { memFree, memTotal, swapFree, swapTotal } = parseMemory(readText('/proc/meminfo'));
  const socket = join(paths.run, 'lichen.sock');
  return {
    arch: hostPlatform().architecture,
    buildahVersion: '',
    cgroupManager: engine.cgroupManager,
    cgroupVersion: isCgroup2() ? 'v2' : 'v1',
    cgroupControllers: isCgroup2() ? controllersIn(join(CGROUP_ROOT, ownCgroup())) : [],
    conmon: { package: conmon.package, path: conmon.path, version: conmon.version },
    cpus: availableParallelism(),
    cpuUtilization: { ...parseCpuUtilization(readText('/proc/stat')) },
    databaseBackend: 'sqlite',
    distribution: parseDistribution(osRelease()),
    eventLogger: engine.eventsBackend,
    // There is no fixed number of locks that could run out.
    freeLocks: null,
    hostname: hostname(),
    idMappings: identity.rootless
      ? { gidmap: shownMap(readIdMap('gid')), uidmap: shownMap(readIdMap('uid')) }
      : { gidmap: null, uidmap: null },
    kernel: release(),
    logDriver: settings.defaults.logDriver,
    memFree,
    memTotal,
    networkBackend: 'netavark',
    networkBackendInfo: {
      backend: 'netavark',
      version: netavark.version,
      package: netavark.package,
      path: netavark.path,
      dns: { version: aardvark.version, package: aardvark.package, path: aardvark.path },
      defaultNetwork: 'podman',
    },
    ociRuntime: { name: makes.runtime.name, package: runtime.package, path: runtime.path, version: runtime.version },
    os: 'linux',
    remoteSocket: { path: socket, exists: existsSync(socket) },
    rootlessNetworkCmd: chooseDefault(networkMachine(engine), settings.defaults.rootlessNetwork).name,
    serviceIsRemote: false,
    security: securityInfo(engine),
    slirp4netns: executable(slirp),
    pasta: executable(pasta),
    swapFree,
    swapTotal,
    uptime: formatUptime(Number(readText('/proc/uptime').split(' ')[0])),
    variant: hostPlatform().variant ?? '',
    linkmode: 'dynamic',
  };
}

/** Of our own there is a file of this package, and no version but lichen's. */
async function describeMonitor({ name, path }: Makes['monitor'], version: string): Promise<HelperFacts> {
  if (name === EMBEDDED) return { package: '', path, version: `lichen ${version}` };
  return await describeHelper(path || undefined);
}

function securityInfo({ settings, identity }: Engine): JsonObject {
  return {
    apparmorEnabled: readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    capabilities: settings.defaults.capabilities.map((name) => (name.startsWith('CAP_') ? name : `CAP_${name}`)).join(','),
    rootless: identity.rootless,
    seccompEnabled: /^Seccomp:/m.test(readText('/proc/self/status')),
    seccompProfilePath: settings.seccompProfile ?? 'default',
    selinuxEnabled: existsSync('/sys/fs/selinux/enforce'),
  };
}

async function storeInfo(engine: Engine): Promise<JsonObject> {
  const { containers, images, paths, options } = engine;
  const driver = await engine.driver();
  const { bsize, blocks, bfree, type } = statfsSync(paths.store);
  const { mountProgram } = driver;
  const mount = mountProgram === undefined ? undefined : await describeHelper(mountProgram);
  const native = driver.name === 'overlay' && mount === undefined;
  const statuses = containers.statuses();
  const count = (...wanted: readonly string[]): number => statuses.filter((status) => wanted.includes(status)).length;
  return {
    containerStore: {
      number: statuses.length,
      paused: count('paused'),
      running: count('running'),
      stopped: statuses.length - count('paused', 'running'),
    },
    graphDriverName: driver.name,
    graphOptions:
      mount === undefined ? {} : { 'overlay.mount_program': { Executable: mount.path, Package: mount.package, Version: mount.version } },
    graphRoot: paths.store,
    graphRootAllocated: bsize * blocks,
    graphRootUsed: bsize * (blocks - bfree),
    graphStatus:
      driver.name === 'overlay'
        ? {
            'Backing Filesystem': fileSystemName(type),
            'Native Overlay Diff': String(native),
            'Supports d_type': 'true',
            'Supports shifting': 'false',
            'Supports volatile': String(native),
            'Using metacopy': 'false',
          }
        : {},
    imageCopyTmpDir: join(paths.store, 'tmp'),
    imageStore: { number: images.count() },
    runRoot: paths.run,
    volumePath: options.volumePath ?? join(paths.store, 'volumes'),
    transientStore: false,
  };
}

async function registriesInfo(engine: Engine): Promise<JsonObject> {
  const { registries, unqualifiedSearch } = await registriesConf(engine);
  const entries = registries.map(({ prefix, location, insecure, blocked, mirrors }): [string, Json] => [
    prefix,
    {
      Prefix: prefix,
      Location: location,
      Insecure: insecure,
      Mirrors: mirrors.map((mirror) => ({
        Location: mirror.location,
        Insecure: mirror.insecure,
        PullFromMirror: mirror.pullFrom === 'all' ? '' : mirror.pullFrom,
      })),
      Blocked: blocked,
      MirrorByDigestOnly: mirrors.length > 0 && mirrors.every(({ pullFrom }) => pullFrom === 'digest-only'),
      PullFromMirror: '',
    },
  ]);
  const search = unqualifiedSearch ?? [];
  return { ...(search.length > 0 ? { search } : {}), ...Object.fromEntries(entries) };
}

function executable(facts: HelperFacts): JsonObject {
  return { executable: facts.path, package: facts.package, version: facts.version };
}

function shownMap(map: readonly IdMapEntry[]): JsonObject[] {
  return map.map(({ inside, outside, size }) => ({ container_id: inside, host_id: outside, size }));
}
