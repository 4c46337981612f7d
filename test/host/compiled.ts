/**
 * What V8 compiled of the program (host/bundle.ts) on earlier hosts is handed to the next ones, so that a host's first `run` starts as a user's second does.
 * The files are never changed in place, so links do; where they cannot be made a host begins without.
 */
import { chownSync, linkSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { FIXTURES } from './places.ts';
import type { HostUser } from './plan.ts';

const COMPILED = '.cache/lichen/compiled';

/** Below the machine's path of the user's home. */
export function giveCompiled(home: string, { uid }: HostUser): void {
  const kept = keptDirectory(uid);
  for (const build of namesIn(kept)) {
    let made = home;
    for (const name of [...COMPILED.split('/'), build]) {
      made = join(made, name);
      mkdirSync(made, { recursive: true, mode: 0o700 });
      chownSync(made, uid, uid);
    }
    linkAll(join(kept, build), made);
  }
}

/** For one build only: what was kept of another is removed. */
export function keepCompiled(home: string, { uid }: HostUser): void {
  const kept = keptDirectory(uid);
  const [build, ...more] = namesIn(join(home, COMPILED));
  if (build === undefined || more.length > 0) return;
  for (const other of namesIn(kept)) if (other !== build) rmSync(join(kept, other), { recursive: true, force: true });
  mkdirSync(join(kept, build), { recursive: true });
  linkAll(join(home, COMPILED, build), join(kept, build));
}

/** Compiled code is taken only from who owns it. */
function keptDirectory(uid: number): string {
  return join(FIXTURES, `compiled-${uid}`);
}

function linkAll(from: string, to: string): void {
  // `run-base`; what is still being written has a number behind it.
  for (const name of namesIn(from).filter((file) => /^[a-z]+-[a-z]+$/.test(file) && lstatSync(join(from, file)).isFile())) {
    try {
      linkSync(join(from, name), join(to, name));
    } catch {}
  }
}
