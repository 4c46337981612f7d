/**
 * What the runtime keeps of a container: `<root>/<id>/state.json`, with the configuration it was created with beside it, and `exec.fifo`, at which its
 * process waits for the start. A container exists exactly while its state file does.
 */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import { makeSpecialFile } from '../host/mknod.ts';
import { isAlive } from '../host/pid.ts';
import type { Config } from './config.ts';

export const OCI_VERSION = '1.2.0';

export interface Kept {
  readonly id: string;
  readonly pid: number;
  /** proc(5) stat, field 22. */
  readonly startTime: number;
  readonly bundle: string;
  readonly rootfs: string;
  /** Relative to /sys/fs/cgroup; absent: none of its own. */
  readonly cgroup?: string;
  /** The scope of systemd that is its cgroup. */
  readonly scope?: { readonly name: string; readonly user: boolean };
  readonly created: string;
  readonly owner: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** The state of a container as runtime.md#state has it, with what crun adds to it. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: Status;
  readonly pid: number;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Throws INVALID_NAME. */
export function containerDirectory(root: string, id: string): string {
  if (!/^[\w+.-]+$/.test(id) || id === '.' || id === '..' || id.length > 255)
    throw new EngineError('INVALID_NAME', `invalid container id ${JSON.stringify(id)}`);
  return join(root, id);
}

/** Throws NAME_IN_USE, INVALID_NAME. Removed again by `forget`. */
export function reserve(root: string, id: string): string {
  const directory = containerDirectory(root, id);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new EngineError('NAME_IN_USE', `container \`${id}\` already exists`);
  }
  makeSpecialFile(Buffer.from(gatePath(directory)), { type: 'fifo' }, 0o600);
  return directory;
}

export function keep(directory: string, kept: Kept, config: Config): void {
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const aside = join(directory, '.state.json');
  writeFileSync(aside, JSON.stringify(kept), { mode: 0o600 });
  renameSync(aside, join(directory, 'state.json'));
}

/** Throws NO_SUCH_CONTAINER, INVALID_NAME. */
export function lookUp(root: string, id: string): Kept {
  const found = find(root, id);
  if (found === undefined) throw new EngineError('NO_SUCH_CONTAINER', `container \`${id}\` does not exist`);
  return found;
}

/** Throws INVALID_NAME. */
export function find(root: string, id: string): Kept | undefined {
  const path = join(containerDirectory(root, id), 'state.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kept) : undefined;
}

export function keptConfig(root: string, id: string): Config {
  return JSON.parse(readFileSync(join(containerDirectory(root, id), 'config.json'), 'utf8')) as Config;
}

export function listContainers(root: string): readonly Kept[] {
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((id) => (/^[\w+.-]+$/.test(id) ? (find(root, id) ?? []) : []));
}

export function forget(root: string, id: string): void {
  rmSync(containerDirectory(root, id), { recursive: true, force: true });
}

/** Where a container's process waits for one byte. */
export function gatePath(directory: string): string {
  return join(directory, 'exec.fifo');
}

/** True for the one who let the process go. Unlinked first, so that nobody else does. */
export function openGate(directory: string): boolean {
  let fd: number;
  try {
    fd = openSync(gatePath(directory), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    unlinkSync(gatePath(directory));
    writeSync(fd, Buffer.of(0));
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

/** `isPaused` is asked of a container that runs. */
export function statusOf(root: string, kept: Kept, isPaused: (kept: Kept) => boolean): Status {
  if (!isAlive(kept)) return 'stopped';
  if (existsSync(gatePath(containerDirectory(root, kept.id)))) return 'created';
  return isPaused(kept) ? 'paused' : 'running';
}

export function stateOf(kept: Kept, status: Status): State {
  const { id, pid, bundle, rootfs, created, owner, annotations } = kept;
  return { ociVersion: OCI_VERSION, id, status, pid: status === 'stopped' ? 0 : pid, bundle, rootfs, created, owner, annotations };
}
