import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { installHint } from '../../host/distribution.ts';
import { findProgram } from '../../host/search.ts';
import { StagingDirectory } from '../layer/staging.ts';
import { isWhiteout } from '../layer/whiteout.ts';
import type { Driver } from './driver.ts';
import { FuseOverlayDriver } from './fuse.ts';
import { OverlayDriver } from './overlay.ts';
import { VfsDriver } from './vfs.ts';

export type DriverChoice =
  | { readonly kind: 'overlay' }
  | { readonly kind: 'fuse-overlayfs'; readonly program: string }
  | { readonly kind: 'vfs' };

/** Plain data, so that the caller can keep it: it holds as long as kernel, file system and fuse-overlayfs stay the same. */
export interface ProbedDriver {
  readonly choice: DriverChoice;
  /** In words. */
  readonly why: string;
  /** Nobody asked for it, and nothing better works. */
  readonly isLastResort: boolean;
}

export interface DriverWish {
  readonly driver?: 'overlay' | 'vfs' | undefined;
  readonly mountProgram?: string | undefined;
}

const ASKED_FOR = 'asked for';

export function openDriver(choice: DriverChoice): Driver {
  if (choice.kind === 'overlay') return new OverlayDriver();
  return choice.kind === 'vfs' ? new VfsDriver() : new FuseOverlayDriver(choice.program);
}

/**
 * The best driver that works for a store in `directory`: each is tried for real, with a write and a deletion. Leaves nothing behind.
 * What was asked for by name is taken or refused, never replaced. Throws NOT_SUPPORTED, HELPER_MISSING.
 */
export async function probeDriver(directory: string, wish: DriverWish = {}): Promise<ProbedDriver> {
  const chosen = (choice: DriverChoice, why: string): ProbedDriver => ({ choice, why, isLastResort: false });
  if (wish.driver === 'vfs') return chosen({ kind: 'vfs' }, ASKED_FOR);
  if (wish.mountProgram !== undefined) return chosen({ kind: 'fuse-overlayfs', program: existing(wish.mountProgram) }, ASKED_FOR);
  const native = await tryDriver(new OverlayDriver(), directory);
  if (native === undefined) return chosen({ kind: 'overlay' }, wish.driver === undefined ? `overlayfs works for ${directory}` : ASKED_FOR);
  const program = findProgram('fuse-overlayfs');
  const fuse =
    program === undefined
      ? 'fuse-overlayfs is not installed'
      : (fuseDevice() ?? (await tryDriver(new FuseOverlayDriver(program), directory)));
  const failure = `overlay does not work for ${directory}`;
  if (program !== undefined && fuse === undefined) return chosen({ kind: 'fuse-overlayfs', program }, `${failure} without it: ${native}`);
  if (wish.driver !== undefined) {
    throw new EngineError('NOT_SUPPORTED', `${failure}: ${native}; ${fuse}`, {
      hint: 'Put the store on another file system, or use --storage-driver vfs.',
    });
  }
  return { choice: { kind: 'vfs' }, why: `${failure} (${native}; ${fuse})`, isLastResort: true };
}

/** Why the driver does not work there; undefined when it does. */
export async function tryDriver(driver: Driver, directory: string): Promise<string | undefined> {
  using staging = StagingDirectory.make(join(directory, 'tmp'));
  const base = staging.path;
  const merged = join(base, 'merged');
  try {
    mkdirSync(join(base, 'lower'), { recursive: true, mode: 0o700 });
    writeFileSync(join(base, 'lower/old'), 'old');
    await driver.mount({ lowers: [join(base, 'lower')], upper: join(base, 'upper'), work: join(base, 'work'), merged });
    writeFileSync(join(merged, 'new'), 'new');
    const old = readFileSync(join(merged, 'old'), 'utf8');
    rmSync(join(merged, 'old'));
    if (old !== 'old' || lstatSync(join(merged, 'old'), { throwIfNoEntry: false }) !== undefined)
      return 'it shows something else than the layers hold';
    if (driver.name === 'overlay' && !leavesWhiteout(join(base, 'upper'))) return 'it does not leave whiteouts that a layer can be made of';
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await driver.unmount(merged);
  }
}

/** `changes` and commit read deletions as character devices 0:0. */
function leavesWhiteout(upper: string): boolean {
  const stat = lstatSync(join(upper, 'old'), { throwIfNoEntry: false });
  return stat !== undefined && isWhiteout(stat);
}

function fuseDevice(): string | undefined {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return undefined;
  } catch (error) {
    return `/dev/fuse cannot be opened: ${(error as NodeJS.ErrnoException).code}`;
  }
}

function existing(program: string): string {
  const found = findProgram(program);
  if (found !== undefined) return found;
  throw new EngineError('HELPER_MISSING', `${program}: not found`, { hint: installHint('fuse-overlayfs') });
}
