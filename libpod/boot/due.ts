/**
 * After a boot, containers with a restart policy are to be started again: by lichen-restart.service where the user's systemd has it, else by
 * a command of ours in the background. The first command after the boot notes that in `meta`, and the note stays until it is done: a killed
 * start is begun again by the next command. No command waits for it or fails with it.
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { log } from '../../core/log.ts';
import { tryLockFile, type FileLock } from '../../host/flock.ts';
import { launch } from '../../host/process.ts';
import { findProgram } from '../../host/search.ts';
import { managerScope, systemctl } from '../../host/service-manager.ts';
import { startsOnBoot } from '../container/filter.ts';
import { lockAndRead } from '../container/lock.ts';
import { startUnderLock } from '../container/start.ts';
import { type Engine, helperEnvironment } from '../engine.ts';
import { noteStarted, readBootNote } from './note.ts';
import { readUnit, UNIT, unitPlaces } from './unit.ts';

/** Of `start --all`: the command in the background. */
const FLAG = '--after-boot';

/** See that somebody does what is due. */
export async function startDue(engine: Engine): Promise<void> {
  // It comes here as every command does.
  if (engine.options.args.includes(FLAG)) return;
  try {
    if (await isLeftToUnit(engine)) noteStarted(engine.db);
    else await launchStart(engine);
  } catch (error) {
    log.debug(() => `containers cannot be started after the boot: ${(error as Error).message}`);
  }
}

/** One that is there but disabled says that nothing is wanted. */
async function isLeftToUnit(engine: Engine): Promise<boolean> {
  const scope = managerScope(engine.identity, engine.options.env);
  const places = unitPlaces(engine);
  if (scope === undefined || places === undefined || readUnit(places) === undefined) return false;
  if (lstatSync(places.link, { throwIfNoEntry: false }) === undefined) return true;
  try {
    // Usually it runs already.
    await systemctl(scope, ['start', '--no-block', UNIT]);
    return true;
  } catch (error) {
    log.debug(() => (error as Error).message);
    return false;
  }
}

/** With a systemd in a scope of its own: it must not end with the service that happens to have called us first. */
async function launchStart(engine: Engine): Promise<void> {
  const { identity, options } = engine;
  const lock = tryLock(engine);
  if (lock === undefined) return;
  lock[Symbol.dispose]();
  const scope = managerScope(identity, options.env);
  const apart = scope !== undefined && findProgram('systemd-run') !== undefined;
  const [program, ...words] = [
    ...(apart ? ['systemd-run', ...scope, '--scope', '--quiet', '--collect', '--'] : []),
    ...options.self,
    'start',
    '--all',
    FLAG,
  ];
  const child = await launch(program, words, {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: helperEnvironment(options.env),
    cwd: '/',
    detached: true,
  });
  child.unref();
}

/** The work of the command in the background. What cannot be started says so in its row, and keeps no other from being started. */
export async function startAfterBoot(engine: Engine): Promise<void> {
  using lock = tryLock(engine);
  if (lock === undefined || !readBootNote(engine.db).isStartDue) return;
  for (const record of engine.containers.list().filter(startsOnBoot)) {
    try {
      await startAtRest(engine, record.id);
    } catch (error) {
      if (engine.containers.has(record.id)) engine.containers.change(record.id, { error: (error as Error).message });
    }
  }
  noteStarted(engine.db);
}

async function startAtRest(engine: Engine, id: Parameters<typeof lockAndRead>[1]): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.status === 'configured' || record.status === 'exited') await startUnderLock(engine, record, {});
}

function tryLock(engine: Engine): FileLock | undefined {
  return tryLockFile(join(engine.paths.run, 'after-boot'));
}
