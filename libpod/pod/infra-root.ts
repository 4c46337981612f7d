/** The root file system of an infra container that is of lichen's own make: a program, and places for what is mounted over it. */
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerConfig } from '../spec/container.ts';
import { infraProgram } from '../program/infra.ts';

/** In the container. */
export const INFRA_PROGRAM = '/pause';

const DIRECTORIES = ['dev', 'etc', 'proc', 'run/secrets', 'sys', 'tmp', 'var/tmp'];
const FILES = ['etc/hosts', 'etc/hostname', 'etc/localtime', 'etc/resolv.conf', 'run/.containerenv'];

/**
 * Made at the first start, in the container's own directory, and gone with it. With the mount points in it, a runtime that is root of another
 * user namespace has nothing to make here. Idempotent. Throws NOT_SUPPORTED (no program for this machine).
 */
export function prepareInfraRoot(path: string, { mounts }: Pick<ContainerConfig, 'mounts'>): void {
  const program = join(path, INFRA_PROGRAM);
  // The last that is made.
  if (existsSync(program)) return;
  const content = infraProgram();
  for (const directory of DIRECTORIES) mkdirSync(join(path, directory), { recursive: true });
  for (const file of FILES) touch(join(path, file));
  for (const mount of mounts) {
    const target = join(path, join('/', mount.target));
    if (mount.type === 'bind' && statSync(mount.source, { throwIfNoEntry: false })?.isDirectory() === false) touch(target);
    else mkdirSync(target, { recursive: true });
  }
  const aside = `${program}.new`;
  writeFileSync(aside, content);
  chmodSync(aside, 0o755);
  renameSync(aside, program);
}

function touch(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '', { flag: 'a' });
}
