/** Where lichen keeps things (design D6). Directories are the user's alone: 0700, owner checked, no symbolic link at the last step. */
import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { EngineError, type ErrorCode } from '../core/errors.ts';
import type { Identity } from './identity.ts';

export interface Paths {
  /** Images, layers, containers, volumes, database. */
  readonly store: string;
  /** Sockets, locks, pid files, mounts: gone after a reboot. */
  readonly run: string;
  /** Per-user configuration of the containers tools: `~/.config/containers`, or /etc/containers for root. */
  readonly config: string;
}

/** An empty word chooses nothing. */
export interface PathChoice {
  readonly root?: string | undefined;
  readonly runroot?: string | undefined;
}

/** Which directories, not whether they exist. */
export function choosePaths(identity: Identity, env: NodeJS.ProcessEnv, choice: PathChoice = {}): Paths {
  const home = env['HOME'] || homedir();
  const isRoot = identity.uid === 0;
  const data = absolute(env['XDG_DATA_HOME']) ?? join(home, '.local/share');
  const store = (choice.root || absolute(env['LICHEN_ROOT'])) ?? (isRoot ? '/var/lib/lichen' : join(data, 'lichen'));
  return {
    store: resolve(store),
    run: resolve(choice.runroot || runDirectory(identity, env)),
    config: isRoot ? '/etc/containers' : join(absolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'containers'),
  };
}

/** The launcher computes the same in shell: keep the two alike (bin/lichen). */
export function runDirectory(identity: Identity, env: NodeJS.ProcessEnv): string {
  if (identity.uid === 0) return '/run/lichen';
  const runtime = absolute(env['XDG_RUNTIME_DIR']);
  return runtime === undefined || isForeign(runtime) ? `/tmp/lichen-run-${identity.uid}` : join(runtime, 'lichen');
}

/** `su` leaves the caller's behind, which the new user may not enter. */
function isForeign(directory: string): boolean {
  const stat = statSync(directory, { throwIfNoEntry: false });
  return stat !== undefined && stat.uid !== process.geteuid!();
}

/** Make the directory if need be. Throws STORE_OWNER when somebody else could have prepared it, STORE_FULL, SYSCALL (a read-only file system). */
export function ensurePrivateDirectory(path: string): void {
  makeDirectory(path);
  const stat = lstatSync(path);
  const uid = process.geteuid!();
  if (!stat.isDirectory() || stat.uid !== uid) {
    throw new EngineError(
      'STORE_OWNER',
      `${path} ${stat.isDirectory() ? `belongs to uid ${stat.uid}, not to you` : 'is not a directory'}`,
      {
        hint: 'Remove it, or choose other directories with --root and --runroot.',
      },
    );
  }
  if ((stat.mode & 0o022) !== 0) chmodSync(path, stat.mode & 0o755);
}

/** With its parents. Node's own `recursive` says ENOENT where a parent cannot be made, whatever the reason. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || lstatSync(dirname(path), { throwIfNoEntry: false })) {
      const words = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
      throw new EngineError(MAKE_FAILURES[code] ?? 'SYSCALL', `mkdir ${path}: ${words}`, {
        cause: error,
        hint: 'Choose other directories with --root and --runroot, or LICHEN_ROOT.',
      });
    }
    makeDirectory(dirname(path));
    makeDirectory(path);
  }
}

const MAKE_FAILURES: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'STORE_OWNER',
  EPERM: 'STORE_OWNER',
  ENOTDIR: 'STORE_OWNER',
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
};

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
