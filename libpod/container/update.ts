import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { freshHealth, type HealthRecord } from '../health/check.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { defined } from '../spec/defined.ts';
import { changeHealth, type HealthWords } from '../spec/parse/health.ts';
import { resources } from '../spec/resources.ts';
import type { Resources, RestartPolicy, Ulimit } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { checkLimitedDevices } from './devices.ts';
import { containerEvent } from './event.ts';
import { limitFacts } from './facts.ts';
import { lockAndRead } from './lock.ts';
import { placesOf } from './places.ts';

export interface UpdateRequest {
  /** Those that change; the others stay. */
  readonly resources: Resources;
  readonly restart?: RestartPolicy | undefined;
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly unsetEnv: readonly string[];
  readonly ulimits: readonly Ulimit[];
  /** Those of the health checks that change. */
  readonly health: HealthWords;
}

/**
 * Change the configuration of a container. Limits hold for a running one at once; its health checks follow;
 * environment and ulimits hold from its next start.
 * Throws NO_SUCH_CONTAINER, CGROUP_UNAVAILABLE, INVALID_ARGUMENT, and what the runtime says; nothing is changed then.
 */
export async function updateContainer(engine: Engine, id: ContainerId, request: UpdateRequest): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  const { healthcheck: _check, health: _health, healthFromImage, ...config } = record.config;
  if (request.restart !== undefined && request.restart.name !== 'no' && config.autoRemove)
    throw new EngineError('INVALID_ARGUMENT', 'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"');
  checkLimitedDevices(request.resources);
  const { isNewCheck, isNewStartup, ...kept } = changeHealth(record.config, request.health);
  const updated: ContainerConfig = {
    ...config,
    ...defined({ ...kept, healthFromImage: isNewCheck ? undefined : healthFromImage }),
    resources: mergedLimits(config.resources, request.resources),
    restart: request.restart ?? config.restart,
    env: changedEnv(config.env, request),
    // As one list: what is not named any more is the runtime's default again.
    ulimits: request.ulimits.length > 0 ? request.ulimits : config.ulimits,
    hostUlimits: config.hostUlimits && request.ulimits.length === 0,
  };
  const isUp = record.status === 'running' || record.status === 'paused';
  if (Object.keys(request.resources).length > 0 && isUp) {
    const document = resources(updated, limitFacts(engine), engine.settings.defaults.pidsLimit);
    const file = join(placesOf(engine, id).run, 'resources.json');
    writeFileSync(file, JSON.stringify(document), { mode: 0o600 });
    await (await engine.runtime(config)).update(id, file);
  }
  const isScheduled = (isNewCheck || isNewStartup) && isUp;
  engine.db.transaction(() => {
    engine.containers.reconfigure(id, updated);
    if (isScheduled) engine.containers.change(id, { health: changedRecord(record, updated, isNewStartup) });
    engine.events.add(containerEvent(record, 'update'));
  });
  if (!isScheduled) return;
  const { beginChecks } = await import('../health/schedule.ts');
  await beginChecks(engine, { ...record, config: updated }, placesOf(engine, id), record.runCount);
}

/** What is known of a container's health stays, where it still has a check. */
function changedRecord({ health }: ContainerRecord, config: ContainerConfig, isNewStartup: boolean): HealthRecord | undefined {
  const fresh = freshHealth(config);
  if (fresh === undefined || health === undefined) return fresh;
  return isNewStartup && fresh.startup ? { ...health, startup: fresh.startup } : health;
}

/** `--cpus` and the quota it stands for exclude each other: the later one counts. Swap follows memory, twice of it where nothing is said. */
export function mergedLimits(before: Resources, change: Resources): Resources {
  const { cpus, cpuQuotaMicros, cpuPeriodMicros, memorySwapBytes, ...rest } = before;
  const keepsCpus = change.cpuQuotaMicros === undefined && change.cpuPeriodMicros === undefined;
  const keepsQuota = change.cpus === undefined;
  const keepsSwap = change.memoryBytes === undefined;
  return {
    ...rest,
    ...(cpus !== undefined && keepsCpus ? { cpus } : {}),
    ...(cpuQuotaMicros !== undefined && keepsQuota ? { cpuQuotaMicros } : {}),
    ...(cpuPeriodMicros !== undefined && keepsQuota ? { cpuPeriodMicros } : {}),
    ...(memorySwapBytes !== undefined && keepsSwap ? { memorySwapBytes } : {}),
    ...(change.memoryBytes === undefined ? {} : { memorySwapBytes: change.memoryBytes * 2 }),
    ...change,
  };
}

function changedEnv(env: readonly string[], { env: set, unsetEnv }: Pick<UpdateRequest, 'env' | 'unsetEnv'>): readonly string[] {
  const gone = new Set([...unsetEnv, ...set.map(([name]) => name)]);
  const kept = env.filter((variable) => !gone.has(variable.slice(0, variable.indexOf('='))));
  return [...kept, ...set.map(([name, value]) => `${name}=${value}`)];
}
