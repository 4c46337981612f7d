/** Limits (config-linux.md#control-groups) and the cgroup they hold for. */
import { EngineError } from '../../core/errors.ts';
import { mendHint, noControllers } from '../../core/lack.ts';
import type { ContainerConfig, StartFacts } from './container.ts';
import { cpuTime } from './cpu-time.ts';
import type { Resources } from './wish.ts';
import type { OciResources } from './oci-types.ts';

type Facts = Pick<StartFacts, 'controllers' | 'cgroupManager' | 'cgroupParent' | 'podCgroup' | 'splitCgroup' | 'rootless' | 'deviceNumber'>;

/** The controller behind each limit, and the flag a user knows it by. */
const CONTROLLERS: readonly (readonly [field: keyof Resources, controller: string, flag: string])[] = [
  ['memoryBytes', 'memory', '--memory'],
  ['memoryReservationBytes', 'memory', '--memory-reservation'],
  ['memorySwapBytes', 'memory', '--memory-swap'],
  ['memorySwappiness', 'memory', '--memory-swappiness'],
  ['oomKillDisable', 'memory', '--oom-kill-disable'],
  ['cpuShares', 'cpu', '--cpu-shares'],
  ['cpuPeriodMicros', 'cpu', '--cpu-period'],
  ['cpuQuotaMicros', 'cpu', '--cpu-quota'],
  ['cpus', 'cpu', '--cpus'],
  ['cpusetCpus', 'cpuset', '--cpuset-cpus'],
  ['cpusetMems', 'cpuset', '--cpuset-mems'],
  ['pidsLimit', 'pids', '--pids-limit'],
  ['blkioWeight', 'io', '--blkio-weight'],
  ['blkioWeightDevices', 'io', '--blkio-weight-device'],
  ['readBps', 'io', '--device-read-bps'],
  ['writeBps', 'io', '--device-write-bps'],
  ['readIops', 'io', '--device-read-iops'],
  ['writeIops', 'io', '--device-write-iops'],
];

/**
 * The limits asked for, or the default number of processes where its controller is there.
 * Throws CGROUP_UNAVAILABLE for a limit asked for whose controller is not delegated: a limit must not be dropped in silence.
 */
export function resources(config: ContainerConfig, facts: Facts, defaultPidsLimit: number): OciResources {
  const asked = config.resources;
  for (const [field, controller, flag] of CONTROLLERS) {
    if (isAsked(field, asked) && !isUsable(controller, config, facts)) throw unavailable(controller, flag, facts);
  }
  for (const file of Object.keys(asked.cgroupFiles ?? {})) {
    const controller = controllerOf(file);
    if (!isUsable(controller, config, facts)) throw unavailable(controller, `--cgroup-conf ${file}`, facts);
  }
  const pids = asked.pidsLimit ?? (isUsable('pids', config, facts) ? defaultPidsLimit : undefined);
  const memory = present({
    limit: asked.memoryBytes,
    reservation: asked.memoryReservationBytes,
    swap: asked.memorySwapBytes,
    swappiness: asked.memorySwappiness,
    disableOOMKiller: asked.oomKillDisable === true ? true : undefined,
  });
  const cpu = present({ shares: asked.cpuShares, ...cpuTime(asked), cpus: asked.cpusetCpus, mems: asked.cpusetMems });
  const blockIO = blockLimits(asked, facts);
  return {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pids !== undefined && pids > 0 && { pids: { limit: pids } }),
    ...(blockIO && { blockIO }),
    ...(asked.cgroupFiles && { unified: asked.cgroupFiles }),
  };
}

function blockLimits(asked: Resources, { deviceNumber }: Facts): OciResources['blockIO'] {
  const throttle = (limits: Resources['readBps']) => limits?.map(({ path, value }) => ({ ...deviceNumber(path), rate: value }));
  return present({
    weight: asked.blkioWeight,
    weightDevice: asked.blkioWeightDevices?.map(({ path, value }) => ({ ...deviceNumber(path), weight: value })),
    throttleReadBpsDevice: throttle(asked.readBps),
    throttleWriteBpsDevice: throttle(asked.writeBps),
    throttleReadIOPSDevice: throttle(asked.readIops),
    throttleWriteIOPSDevice: throttle(asked.writeIops),
  });
}

/** Files are named after their controller: `memory.high`. Throws INVALID_ARGUMENT. */
function controllerOf(file: string): string {
  const [controller = '', rest] = file.split('.', 2);
  if (controller !== '' && rest !== undefined && !file.includes('/')) return controller;
  throw new EngineError('INVALID_ARGUMENT', `the specified key has not the form CONTROLLER.VALUE ${JSON.stringify(file)}`);
}

/**
 * With systemd `slice:prefix:name`; with cgroupfs a path, or nothing where the caller may make no cgroup.
 * An older crun makes none by itself, and without one nothing can be paused or killed as a whole.
 */
export function cgroupsPath(config: ContainerConfig, facts: Facts): string | undefined {
  if (config.cgroups === 'disabled' || facts.cgroupManager === 'disabled') return undefined;
  if (config.cgroups === 'split') return facts.splitCgroup === undefined ? undefined : `${facts.splitCgroup}/libpod-payload-${config.id}`;
  if (facts.cgroupManager === 'systemd')
    return `${config.cgroupParent ?? facts.podCgroup ?? (facts.rootless ? 'user.slice' : 'machine.slice')}:libpod:${config.id}`;
  const parent = config.cgroupParent ?? facts.podCgroup ?? (facts.rootless ? facts.cgroupParent : '/libpod_parent');
  return parent === undefined ? undefined : `${parent.replace(/\/+$/, '')}/libpod-${config.id}`;
}

/** `--pids-limit 0` and `-1` ask for no limit, which needs no controller. */
function isAsked(field: keyof Resources, asked: Resources): boolean {
  const value = asked[field];
  if (field === 'pidsLimit') return typeof value === 'number' && value > 0;
  return value !== undefined && value !== false;
}

function isUsable(controller: string, config: ContainerConfig, facts: Facts): boolean {
  return config.cgroups !== 'disabled' && facts.cgroupManager !== 'disabled' && facts.controllers.includes(controller);
}

function unavailable(controller: string, flag: string, facts: Facts): EngineError {
  const lack = noControllers([controller], facts.rootless);
  return new EngineError('CGROUP_UNAVAILABLE', `${flag} cannot be applied: ${lack.what}`, { hint: mendHint(lack, { family: 'other' }) });
}

function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> });
}
