/**
 * `--rootfs PATH:O`: a copy-on-write view of a directory tree of this machine, thrown away with the container.
 *
 * One overlay over the whole tree is tried first. Over `/` the kernel refuses it in a user namespace (mounts below are locked:
 * "failed to clone lowerpath"), so then the view is a tmpfs with one overlay for each top-level directory: symbolic links are copied,
 * what cannot be overlaid is bound read-only, and proc, sys, dev, run and tmp start empty.
 */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { bindMount, mount, mountTable, MS, unmountAll, unmountBelow } from '../../host/mount.ts';
import type { Engine } from '../engine.ts';
import type { ContainerPlaces } from './places.ts';

const FRESH = new Set(['proc', 'sys', 'dev', 'run', 'tmp']);

export async function mountView(engine: Engine, path: string, places: ContainerPlaces): Promise<void> {
  if (mountTable().some((entry) => entry.mountPoint === places.merged)) return;
  mkdirSync(places.merged, { recursive: true });
  const hasMountsBelow = mountTable().some((entry) => isBelow(entry.mountPoint, path));
  if (!hasMountsBelow) {
    for (const directory of [places.upper, places.work]) mkdirSync(directory, { recursive: true });
    mount('overlay', places.merged, 'overlay', 0, overlayOptions([path], places.upper, places.work));
    return;
  }
  mount('tmpfs', places.merged, 'tmpfs', MS.NODEV | MS.NOSUID, 'mode=755');
  // Uppers live on a tmpfs of their own, outside of what the container sees.
  mkdirSync(places.upper, { recursive: true });
  mount('tmpfs', places.upper, 'tmpfs', MS.NODEV | MS.NOSUID, 'mode=700');
  for (const name of readdirSync(path)) viewEntry(engine, path, name, places);
  for (const name of FRESH) mkdirSync(join(places.merged, name), { recursive: true, mode: name === 'tmp' ? 0o1777 : 0o755 });
}

export function unmountView(places: ContainerPlaces): void {
  unmountBelow(places.merged);
  unmountAll(places.upper);
}

function viewEntry(engine: Engine, path: string, name: string, places: ContainerPlaces): void {
  const source = join(path, name);
  const target = join(places.merged, name);
  const stat = lstatSync(source);
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), target);
  } else if (stat.isDirectory()) {
    mkdirSync(target, { mode: stat.mode & 0o7777 });
    if (!FRESH.has(name)) viewDirectory(engine, source, target, name, places);
  } else if (stat.isFile()) {
    writeFileSync(target, '');
    bindReadOnly(source, target);
  }
}

function viewDirectory(engine: Engine, source: string, target: string, name: string, places: ContainerPlaces): void {
  // The store must not be seen inside itself: an overlay whose lower holds its own upper is refused or loops.
  const holdsStore = isBelow(engine.paths.store, source) || isBelow(engine.paths.run, source);
  const upper = join(places.upper, `${name}.upper`);
  const work = join(places.upper, `${name}.work`);
  mkdirSync(upper);
  mkdirSync(work);
  try {
    mount('overlay', target, 'overlay', 0, overlayOptions([source], upper, work));
  } catch (error) {
    if (!isEngineError(error, 'SYSCALL')) throw error;
    log.debug(() => `${source} cannot be overlaid, it is ${holdsStore ? 'left empty' : 'shown read-only'}: ${error.message}`);
    if (!holdsStore) bindReadOnly(source, target);
  }
}

function bindReadOnly(source: string, target: string): void {
  try {
    // A mount of a more privileged namespace is locked together with those below it: only the recursive bind is allowed.
    bindMount(source, target, { recursive: true });
    mount('none', target, null, MS.BIND | MS.REMOUNT | MS.RDONLY | MS.NOSUID | MS.NODEV);
  } catch (error) {
    if (!isEngineError(error, 'SYSCALL')) throw error;
    log.debug(() => `${source} is left out of the view: ${error.message}`);
    unmountAll(target);
  }
}

function overlayOptions(lowers: readonly string[], upper: string, work: string): string {
  const escaped = (text: string) => text.replace(/[\\:,]/g, (character) => `\\${character}`);
  return `lowerdir=${lowers.map(escaped).join(':')},upperdir=${escaped(upper)},workdir=${escaped(work)},userxattr`;
}

function isBelow(path: string, parent: string): boolean {
  return path !== parent && path.startsWith(parent.endsWith('/') ? parent : `${parent}/`);
}
