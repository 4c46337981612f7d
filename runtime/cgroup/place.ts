/** Which cgroup a container comes into, by the manager that was asked for. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { CGROUP_ROOT, isCgroup2, ownCgroup } from '../../host/cgroup.ts';
import { hasOwnIds } from '../../host/own-ids.ts';
import { systemdRun } from '../../host/service-manager.ts';
import type { Config, Resources } from '../config.ts';
import { cgroupDirectory, enterCgroup, passControllers } from './cgroup.ts';

export type CgroupManager = 'cgroupfs' | 'systemd' | 'disabled';

export interface PlacedCgroup {
  readonly path: string;
  readonly scope?: { readonly name: string; readonly user: boolean };
}

export interface PlaceRequest {
  readonly id: string;
  readonly config: Config;
  readonly manager: CgroupManager;
}

/** Below the scope that systemd makes: what is set there is not systemd's to change. */
const INSIDE = 'container';

/** Undefined: it stays where it is. Throws CGROUP_UNAVAILABLE. */
export async function placeProcess(pid: number, request: PlaceRequest): Promise<PlacedCgroup | undefined> {
  const { id, config, manager } = request;
  const wanted = config.linux?.cgroupsPath;
  if (manager === 'disabled') return undefined;
  if (!isCgroup2()) return refuseUnless(request, `${CGROUP_ROOT} is not cgroup v2`);
  if (manager === 'systemd') return placeInScope(pid, request);
  const path =
    wanted === undefined || wanted === '' ? `${ownCgroup()}/${id}` : wanted.startsWith('/') ? wanted : `${ownCgroup()}/${wanted}`;
  try {
    enterCgroup(path, pid);
    return { path };
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '';
    // Nobody has delegated one to this user, and nothing was asked of it.
    if (!['EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(code) || !hasOwnIds()) throw error;
    return refuseUnless(request, (error as Error).message);
  }
}

/** What asks for something that only a cgroup can give. */
export function asksForLimits(resources: Resources | undefined): boolean {
  if (resources === undefined) return false;
  const { devices: _devices, ...limits } = resources;
  return Object.values(limits).some((each) => Object.keys(each ?? {}).length > 0);
}

function refuseUnless({ config }: PlaceRequest, why: string): undefined {
  if (asksForLimits(config.linux?.resources)) throw new EngineError('CGROUP_UNAVAILABLE', `limits cannot be set: ${why}`);
  return undefined;
}

/** `slice:prefix:name`, as runc reads cgroupsPath under systemd. */
async function placeInScope(pid: number, { id, config }: PlaceRequest): Promise<PlacedCgroup> {
  const [slice = '', prefix = '', name = id] = (config.linux?.cgroupsPath ?? '').split(':');
  const unit = `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  const user = hasOwnIds() || process.geteuid!() !== 0;
  const properties = Object.entries(config.annotations ?? {}).flatMap(([key, value]) => propertyWords(key, value));
  // systemd-run is the scope's first process; it becomes a shell that takes the container's along.
  await makeScope(unit, user ? ['--user'] : [], [
    '--scope',
    '--collect',
    `--unit=${unit}`,
    `--description=Container ${id}`,
    ...(slice === '' ? [] : [`--slice=${slice}`]),
    '--property=Delegate=yes',
    ...properties,
    '--',
    '/bin/sh',
    '-c',
    'while IFS=: read -r number _ path; do [ "$number" != 0 ] || own=$path; done </proc/self/cgroup; echo "$1" >"$2$own/cgroup.procs"',
    'sh',
    String(pid),
    CGROUP_ROOT,
  ]);
  const scope = await scopeOf(pid, unit);
  enterCgroup(`${scope}/${INSIDE}`, pid);
  passControllers(cgroupDirectory(scope));
  return { path: `${scope}/${INSIDE}`, scope: { name: unit, user } };
}

/** Throws CGROUP_UNAVAILABLE. */
async function makeScope(unit: string, user: readonly string[], words: readonly string[]): Promise<void> {
  try {
    await systemdRun(user, words);
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    const said = cause.message.replace(/^systemd-run \S+: /, '');
    throw new EngineError('CGROUP_UNAVAILABLE', `systemd does not make ${unit}: ${said}`, { cause });
  }
}

/** `org.systemd.property.NAME: VALUE` with the types of GVariant that systemd-run does not want. */
function propertyWords(key: string, value: string): string[] {
  const name = /^org\.systemd\.property\.(\w+)$/.exec(key)?.[1];
  if (name === undefined) return [];
  const plain = value.replace(/^(?:u?int\d+|byte|boolean|double) /, '').replace(/^'(.*)'$/, '$1');
  const isMicroseconds = name.endsWith('USec');
  return [`--property=${isMicroseconds ? name.replace(/USec$/, 'Sec') : name}=${isMicroseconds ? `${plain}us` : plain}`];
}

async function scopeOf(pid: number, unit: string): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
    if (path.endsWith(`/${unit}`)) return path;
    await sleep(10);
  }
  throw new EngineError('CGROUP_UNAVAILABLE', `systemd did not move process ${pid} to ${unit}`);
}
