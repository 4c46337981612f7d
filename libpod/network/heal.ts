/** Networks after a killed command or a killed helper. Asked by every command while there are bridges: a few small files when all is well. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { tryLockFile, type FileLock } from '../../host/flock.ts';
import { isAlive } from '../../host/pid.ts';
import { dnsServer, readShared } from '../../network/bridge/shared.ts';
import { tryLockContainer } from '../container/lock.ts';
import type { Engine } from '../engine.ts';
import { isForwarderLost, reviveForwarder } from './forwarder.ts';
import { forgetPending, pendingChanges, type PendingChange } from './pending.ts';

const HEIR_TRIES = 50;
const HEIR_PAUSE_MS = 20;

export async function healNetworks(engine: Engine): Promise<void> {
  for (const change of pendingChanges(engine)) await undo(engine, change);
  const directory = join(engine.paths.run, 'networks');
  const used = engine.containers.attachments().filter(({ bridge }) => bridge !== undefined);
  for (const { bridge } of used.filter(isForwarderLost)) await reviveForwarder(engine, bridge!.id as ContainerId);
  const shared = readShared(directory);
  const wantsDns = used.some(({ bridge }) => bridge!.links.some(({ definition }) => definition.dns_enabled));
  const isWell =
    shared !== undefined && (shared.helper === undefined || isAlive(shared.helper)) && (!wantsDns || dnsServer(directory) !== undefined);
  if (used.length > 0 && isWell) return;
  // Whoever holds it is at work on just that.
  using lock = tryLockFile(join(directory, 'lock'));
  if (!lock) return;
  try {
    if (engine.containers.attachments().every(({ bridge }) => bridge === undefined)) {
      await (await import('./close.ts')).closeUnlessVisited(directory);
    } else {
      const [{ mendBridges }, { bridgeMachine }] = await Promise.all([import('../../network/bridge/bridge.ts'), import('./attach.ts')]);
      await mendBridges(bridgeMachine(engine));
    }
  } catch (error) {
    log.warn(`the networks of running containers cannot be put in order: ${(error as Error).message}`);
  }
}

/** Of one who was killed the lock may have an heir for a moment: a process that has not become netavark yet. Undefined where others are at work. */
async function lockOf(engine: Engine, { container, isUnderWay }: PendingChange): Promise<FileLock | undefined> {
  for (let tries = isUnderWay ? 1 : HEIR_TRIES; ; tries--) {
    const lock = tryLockContainer(engine, container);
    if (lock !== undefined || tries === 1) return lock;
    await sleep(HEIR_PAUSE_MS);
  }
}

/** A container that a killed command was connecting, or taking away, is in that network no more. */
async function undo(engine: Engine, change: PendingChange): Promise<void> {
  using lock = await lockOf(engine, change);
  if (!lock || !pendingChanges(engine).some(({ container }) => container === change.container)) return;
  const record = engine.containers.get(change.container);
  if (record?.config.network.mode.kind === 'bridge') {
    log.debug(() => `a killed command left ${record.name} half in network ${change.network}; taking it out`);
    const [{ leaveNetwork }, { endStrayBridges }] = await Promise.all([import('./connect.ts'), import('../../network/bridge/bridge.ts')]);
    if (record.network?.bridge) await endStrayBridges(record.network.bridge);
    await leaveNetwork(engine, record, change.network);
  }
  forgetPending(engine, change);
}
