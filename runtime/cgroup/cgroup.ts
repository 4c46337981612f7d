/** The control group of a container (cgroups(7), version 2): a directory below /sys/fs/cgroup. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import { CGROUP_ROOT, controllersIn } from '../../host/cgroup.ts';
import type { Resources } from '../config.ts';
import { limitWrites, type LimitWrite } from './limits.ts';

export function cgroupDirectory(path: string): string {
  return join(CGROUP_ROOT, path);
}

/** Make it, with the controllers that are there at each step of the way, and move the process in. Throws CGROUP_UNAVAILABLE. */
export function enterCgroup(path: string, pid: number): void {
  try {
    let directory = CGROUP_ROOT;
    for (const part of path.split('/').filter((each) => each !== '')) {
      if (part === '..') throw new EngineError('INVALID_ARGUMENT', `cgroupsPath ${path}: not a path below ${CGROUP_ROOT}`);
      passControllers(directory);
      directory = join(directory, part);
      if (!existsSync(directory)) mkdirSync(directory);
    }
    writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('CGROUP_UNAVAILABLE', `cgroup ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** To what lies below `directory`: each by itself, for one that may not be passed on must not keep the others. */
export function passControllers(directory: string): void {
  const passed = new Set(readIfThere(join(directory, 'cgroup.subtree_control')).split(/\s+/));
  for (const name of controllersIn(directory)) {
    if (passed.has(name)) continue;
    try {
      writeFileSync(join(directory, 'cgroup.subtree_control'), `+${name}`);
    } catch {
      // Whoever asks for a limit of it is told then.
    }
  }
}

/** Throws CGROUP_UNAVAILABLE for a limit that cannot hold. */
export function setLimits(path: string, resources: Resources): void {
  for (const write of limitWrites(resources)) writeLimit(path, write);
}

function writeLimit(path: string, { file, value, elsewise }: LimitWrite): void {
  if (file.includes('/')) throw new EngineError('INVALID_ARGUMENT', `${file}: not a file of a cgroup`);
  const target = join(cgroupDirectory(path), file);
  if (!existsSync(target)) {
    if (elsewise !== undefined) return writeLimit(path, elsewise);
    const controller = file.split('.')[0];
    throw new EngineError(
      'CGROUP_UNAVAILABLE',
      `${file}: controller \`${controller}\` is not available under ${cgroupDirectory(path)}/cgroup.controllers`,
    );
  }
  try {
    writeFileSync(target, value);
  } catch (cause) {
    throw new EngineError('CGROUP_UNAVAILABLE', `write \`${value}\` to ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Of it and the cgroups below it. */
export function processesIn(path: string): readonly number[] {
  const directory = cgroupDirectory(path);
  if (!existsSync(directory)) return [];
  const own = readIfThere(join(directory, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return [...own, ...below(directory).flatMap((name) => processesIn(join(path, name)))];
}

/** Every process in it at once. False where the kernel is older than 5.14. */
export function killAll(path: string): boolean {
  const file = join(cgroupDirectory(path), 'cgroup.kill');
  if (!existsSync(file)) return false;
  writeFileSync(file, '1');
  return true;
}

/** Resolves when every process in it stands still, or runs again. Throws CGROUP_UNAVAILABLE. */
export async function freeze(path: string, frozen: boolean): Promise<void> {
  const directory = cgroupDirectory(path);
  try {
    writeFileSync(join(directory, 'cgroup.freeze'), frozen ? '1' : '0');
  } catch (cause) {
    throw new EngineError('CGROUP_UNAVAILABLE', `write cgroup.freeze: ${(cause as Error).message}`, { cause });
  }
  for (let waitMs = 1; isFrozen(path) !== frozen; waitMs = Math.min(2 * waitMs, 50)) await sleep(waitMs);
}

export function isFrozen(path: string): boolean {
  return /^frozen 1$/m.test(readIfThere(join(cgroupDirectory(path), 'cgroup.events')));
}

/** With what was made below it. Its processes may take a moment to be gone. Throws EBUSY after a second. */
export async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      removeDirectory(cgroupDirectory(path));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      if (attempt > 100) throw error;
      await sleep(10);
    }
  }
}

function removeDirectory(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of below(directory)) removeDirectory(join(directory, name));
  rmdirSync(directory);
}

function below(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
