/** From the flags of `create` and `run` to a ContainerWish. What flags mean together with image and configuration is libpod's business. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import { matchGlob } from '../../core/glob.ts';
import { parseSignal } from '../../core/signal.ts';
import { defined } from '../../libpod/spec/defined.ts';
import { isQualifiedDevice, parseDevice } from '../../libpod/spec/parse/device.ts';
import { parseAnnotation, parseEnv, parseEnvFile, parseLabel, parseLabelFile } from '../../libpod/spec/parse/env.ts';
import { invalid } from '../../libpod/spec/parse/go.ts';
import { parseIdMappings } from '../../libpod/spec/parse/idmap.ts';
import { parseDeviceRule } from '../../libpod/spec/parse/limited-device.ts';
import { parseShmSize, parseSystemdTmpfsSize, parseUlimit } from '../../libpod/spec/parse/limits.ts';
import { parseMount } from '../../libpod/spec/parse/mount.ts';
import { parseIpcNamespace, parseNamespace, parseUserNamespace } from '../../libpod/spec/parse/namespaces.ts';
import { parseSecret } from '../../libpod/spec/parse/secret.ts';
import { parseSeccompPolicy, parseSecurityOptions } from '../../libpod/spec/parse/security.ts';
import { parseTmpfs, parseVolume } from '../../libpod/spec/parse/volume.ts';
import {
  parseCgroupsMode,
  parseEntrypoint,
  parseImageVolumes,
  parseLog,
  parsePlatform,
  parsePullPolicy,
  parseRestartPolicy,
  parseRootfs,
  parseSdnotify,
  parseSysctl,
  parseSystemdMode,
  parseUmask,
  architectureName,
} from '../../libpod/spec/parse/words.ts';
import { SERVICE } from '../../libpod/spec/service-label.ts';
import type { ContainerWish, GlobWish, MountWish, NamespaceWishes } from '../../libpod/spec/wish.ts';
import { callerEnvironment } from '../caller-env.ts';
import type { FlagValues } from '../flag.ts';
import type { CONTAINER_FLAGS } from './flags.ts';
import { healthWish } from './health.ts';
import { networkWish } from './network.ts';
import { withoutPod } from './membership.ts';
import { resourceWish } from './resources.ts';

/** Some are flags of `run` or of `create` alone. */
export type WishFlags = FlagValues<typeof CONTAINER_FLAGS> & {
  readonly passwd?: boolean;
  readonly rmi?: boolean;
  readonly 'init-ctr'?: string | undefined;
};

export interface WishSource {
  readonly flags: WishFlags;
  /** Image or root file system, then the command. */
  readonly args: readonly string[];
  /** Long names of the flags that were typed. */
  readonly given: ReadonlySet<string>;
  /** The whole command line. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Throws INVALID_ARGUMENT, INVALID_NAME, NOT_SUPPORTED with Podman's words. Reads env and label files. */
export function assembleWish(typed: WishSource): ContainerWish {
  const { pod, source } = withoutPod(typed);
  const { flags, given, args } = source;
  const asked = (name: keyof typeof CONTAINER_FLAGS): boolean | undefined => (given.has(name) ? (flags[name] as boolean) : undefined);
  return {
    ...defined({
      image: flags.rootfs ? undefined : args[0],
      rootfs: flags.rootfs ? absoluteRootfs(args[0]!, source.cwd) : undefined,
      name: nonEmpty(flags.name),
      replace: asked('replace'),
      pull: ifGiven(flags.pull, parsePullPolicy),
      platform: wantedPlatform(flags),
      entrypoint: ifGiven(flags.entrypoint, parseEntrypoint),
      envMerge: nonEmptyList(flags['env-merge']),
      unsetEnv: nonEmptyList(flags.unsetenv),
      unsetEnvAll: asked('unsetenv-all'),
      httpProxy: asked('http-proxy'),
      workdir: nonEmpty(flags.workdir),
      user: nonEmpty(flags.user),
      groupAdd: nonEmptyList(flags['group-add']),
      accounts: accountsWish(flags),
      umask: ifGiven(nonEmpty(flags.umask), parseUmask),
      timezone: nonEmpty(flags.tz),
      hostname: nonEmpty(flags.hostname),
      init: asked('init'),
      initPath: nonEmpty(flags['init-path']),
      systemd: ifGiven(flags.systemd, parseSystemdMode),
      stopSignal: ifGiven(nonEmpty(flags['stop-signal']), parseSignal),
      stopTimeoutSeconds: flags['stop-timeout'],
      timeoutSeconds: flags.timeout,
      sdnotify: sdnotifyWish(source),
      restart: ifGiven(flags.restart, (text) => parseRestart(text, flags.rm || flags.rmi === true)),
      requires: nonEmptyList(flags.requires),
      pod,
      pidFile: absolute(flags.pidfile, source.cwd),
      monitorPidFile: absolute(flags['conmon-pidfile'], source.cwd),
      idFile: absolute(flags.cidfile, source.cwd),
      personality: nonEmpty(flags.personality),
      removeImage: flags.rmi || undefined,
      seccompPolicy: ifGiven(nonEmpty(flags['seccomp-policy']), parseSeccompPolicy),
      privileged: asked('privileged'),
      readOnly: asked('read-only'),
      readOnlyTmpfs: asked('read-only-tmpfs'),
      hostUlimits: flags.ulimit.includes('host') ? true : undefined,
      shmSizeBytes: ifGiven(nonEmpty(flags['shm-size']), parseShmSize),
      systemdTmpfsBytes: ifGiven(nonEmpty(flags['shm-size-systemd']), parseSystemdTmpfsSize),
      oomScoreAdj: flags['oom-score-adj'],
      cgroupParent: nonEmpty(flags['cgroup-parent']),
      rdtClass: nonEmpty(flags['rdt-class']),
      cgroups: ifGiven(flags.cgroups, parseCgroupsMode),
      idMap: idMapWish(flags),
      subordinates: subordinatesWish(flags),
      cdiDevices: nonEmptyList([...flags.device.filter(isQualifiedDevice), ...flags.gpus.map(gpuDevice)]),
      deviceRules: nonEmptyList(flags['device-cgroup-rule'].map(parseDeviceRule)),
      imageVolumes: ifGiven(flags['image-volume'], parseImageVolumes),
      volumesFrom: nonEmptyList(flags['volumes-from']),
      chrootDirs: nonEmptyList(flags.chrootdirs),
      secrets: secretWishes(flags),
      health: healthWish(flags),
    }),
    command: args.slice(1),
    createCommand: source.argv,
    env: environment(source),
    labels: Object.fromEntries([
      ...flags['label-file'].flatMap((path) => readLabelFile(path, source.env)),
      ...flags.label.map(parseLabel),
      ...serviceLabel(source.env),
    ]),
    annotations: Object.fromEntries(flags.annotation.map(parseAnnotation)),
    terminal: flags.tty,
    stdinOpen: flags.interactive,
    autoRemove: flags.rm || flags.rmi === true,
    capAdd: flags['cap-add'],
    capDrop: flags['cap-drop'],
    security: parseSecurityOptions(flags['security-opt']),
    devices: flags.device.filter((text) => !isQualifiedDevice(text)).map(parseDevice),
    sysctls: Object.fromEntries(flags.sysctl.map(parseSysctl)),
    ulimits: flags.ulimit.includes('host') ? [] : flags.ulimit.map(parseUlimit),
    resources: resourceWish(flags, given),
    namespaces: namespaceWishes(flags),
    mounts: mountWishes(flags, source.cwd),
    network: networkWish(flags),
    log: parseLog(flags['log-driver'], flags['log-opt']),
  };
}

function sdnotifyWish({ flags, env }: WishSource): ContainerWish['sdnotify'] {
  const mode = ifGiven(flags.sdnotify, parseSdnotify);
  const socket = env['NOTIFY_SOCKET'];
  return mode === undefined && !socket ? undefined : { mode: mode ?? 'container', ...(socket ? { socket } : {}) };
}

/** Podman complains about --rm before it looks at the policy's name. */
function parseRestart(text: string, remove: boolean): NonNullable<ContainerWish['restart']> {
  if (remove && !['', 'no', 'never'].includes(text)) {
    throw invalid('the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"');
  }
  return parseRestartPolicy(text);
}

function absoluteRootfs(text: string, cwd: string): NonNullable<ContainerWish['rootfs']> {
  const rootfs = parseRootfs(text);
  return { ...rootfs, path: resolve(cwd, rootfs.path) };
}

function wantedPlatform({ platform, os, arch, variant }: WishFlags): ContainerWish['platform'] {
  if (platform && (os || arch)) throw invalid('--platform option can not be specified with --arch or --os');
  const wanted = {
    ...(platform !== undefined && parsePlatform(platform)),
    ...defined({ os: nonEmpty(os), architecture: ifGiven(nonEmpty(arch), architectureName), variant: nonEmpty(variant) }),
  };
  return Object.keys(wanted).length > 0 ? wanted : undefined;
}

/** The caller's whole environment, then files, then single variables: later ones win. */
function environment({ flags, env: ownEnv }: WishSource): ContainerWish['env'] {
  const env = callerEnvironment(ownEnv);
  const host = flags['env-host'] ? parseEnv('*', env) : [];
  const files = flags['env-file'].flatMap((path) => parseEnvFile(readFor(`parsing file ${JSON.stringify(path)}`, path), path, env));
  return [...host, ...files, ...flags.env.flatMap((text) => parseEnv(text, env))];
}

/** Of a container that a service makes: by it, auto-update knows what to restart. */
function serviceLabel({ [SERVICE]: unit }: NodeJS.ProcessEnv): (readonly [string, string])[] {
  return unit === undefined ? [] : [[SERVICE, unit]];
}

function readLabelFile(path: string, env: NodeJS.ProcessEnv): (readonly [string, string])[] {
  return parseLabelFile(readFor('unable to process labels', path), callerEnvironment(env));
}

function readFor(purpose: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : message;
    throw new EngineError('INVALID_ARGUMENT', `${purpose}: open ${path}: ${problem}`, { cause });
  }
}

/** A map given for one kind of id stands for both. */
function idMapWish({ uidmap, gidmap }: WishFlags): ContainerWish['idMap'] {
  if (uidmap.length === 0 && gidmap.length === 0) return undefined;
  return {
    uids: parseIdMappings(uidmap.length > 0 ? uidmap : gidmap, 'u'),
    gids: parseIdMappings(gidmap.length > 0 ? gidmap : uidmap, 'g'),
  };
}

function subordinatesWish({ subuidname, subgidname }: WishFlags): ContainerWish['subordinates'] {
  const uids = nonEmpty(subuidname) ?? nonEmpty(subgidname);
  const gids = nonEmpty(subgidname) ?? nonEmpty(subuidname);
  return uids === undefined || gids === undefined ? undefined : { uids, gids };
}

function accountsWish(flags: WishFlags): ContainerWish['accounts'] {
  const accounts = defined({
    none: flags.passwd === false ? true : undefined,
    passwdEntry: nonEmpty(flags['passwd-entry']),
    groupEntry: nonEmpty(flags['group-entry']),
    hostUsers: nonEmptyList(flags.hostuser),
  });
  return Object.keys(accounts).length > 0 ? accounts : undefined;
}

/** As Podman, which knows the names of one maker only. Throws INVALID_ARGUMENT. */
function gpuDevice(text: string): string {
  const device = `nvidia.com/gpu=${text}`;
  if (!isQualifiedDevice(device)) throw invalid(`stat ${device}: no such file or directory`);
  return device;
}

function namespaceWishes({ pid, ipc, uts, cgroupns, userns }: WishFlags): NamespaceWishes {
  return defined({
    user: ifGiven(userns, parseUserNamespace),
    pid: ifGiven(pid, parseNamespace),
    ipc: ifGiven(ipc, parseIpcNamespace),
    uts: ifGiven(uts, parseNamespace),
    cgroup: ifGiven(cgroupns, parseNamespace),
  });
}

/** Host directories are made absolute here: the engine may run elsewhere. */
function mountWishes({ volume, mount, tmpfs }: WishFlags, cwd: string): MountWish[] {
  const mounts = mount.map(parseMount).flatMap((wish) => (wish.type === 'glob' ? globbed(wish, cwd) : [wish]));
  const wishes = [...mounts, ...volume.map(parseVolume), ...tmpfs.map(parseTmpfs)];
  return wishes.map((wish) => (wish.type === 'bind' ? { ...wish, source: resolve(cwd, wish.source) } : wish));
}

function globbed({ pattern, target, options }: GlobWish, cwd: string): MountWish[] {
  const paths = pattern === '' ? [] : findGlob(resolve(cwd, pattern));
  if (paths.length === 0) throw invalid(`no file paths matching glob ${JSON.stringify(pattern)}`);
  return paths.map((source) => ({ type: 'bind', source, target: target === undefined ? source : join(target, basename(source)), options }));
}

/** As Go's filepath.Glob: names are matched one by one, those that begin with a dot as well. Sorted. */
function findGlob(pattern: string): string[] {
  const directory = dirname(pattern);
  const directories = /[*?[\\]/.test(directory) ? findGlob(directory) : [directory];
  return directories.flatMap((parent) =>
    namesIn(parent)
      .toSorted()
      .filter((name) => matchGlob(basename(pattern), name))
      .map((name) => join(parent, name)),
  );
}

function secretWishes({ secret }: WishFlags): ContainerWish['secrets'] {
  return nonEmptyList(secret.filter((text) => text !== ''))?.map(parseSecret);
}

function ifGiven<T, R>(value: T | undefined, parse: (value: T) => R): R | undefined {
  return value === undefined ? undefined : parse(value);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path ? resolve(cwd, path) : undefined;
}

function nonEmptyList<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
