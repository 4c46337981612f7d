/** Around a run: give its hosts a common name, and remove what killed workers, and killed runs before it, could not. */
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_NAME, hostsDirectory } from './places.ts';

export default async function setup(): Promise<() => Promise<void>> {
  process.env['LICHEN_TEST_RUN'] = String(process.pid);
  await sweep((run) => !existsSync(`/proc/${run}`));
  return () => sweep((run) => run === process.pid);
}

/** Where workers are gone, so are, by the parent-death signal, the processes of their hosts. */
async function sweep(isOver: (run: number) => boolean): Promise<void> {
  const left = (name: string) => {
    const run = HOST_NAME.exec(name)?.[1];
    return run !== undefined && isOver(Number(run));
  };
  for (const mount of cgroup2Mounts()) for (const name of listDirectory(mount).filter(left)) removeCgroup(join(mount, name));
  for (const name of listDirectory(hostsDirectory()).filter(left)) await rm(join(hostsDirectory(), name), { recursive: true, force: true });
}

function cgroup2Mounts(): readonly string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.flatMap((line) => (line.split(' ')[2] === 'cgroup2' ? [line.split(' ')[1] ?? ''] : []));
}

/** A mount may be hidden by another, or closed to us. */
function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Best effort: one that still holds a dying process stays, empty of anything that matters. */
function removeCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
    for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(join(path, entry.name));
    rmdirSync(path);
  } catch {}
}
