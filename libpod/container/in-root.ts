/** Files of a container's root, read from outside as data of a stranger. */
import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { errnoOf } from '../../host/libc.ts';
import type { Root } from '../../host/root.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { lookUpUser, MAX_FILE_BYTES } from '../spec/user.ts';

/** The user of the container, or of an exec session, from the passwd and group files below `root`, or those that are shown `instead` of them. Throws NO_SUCH_USER. */
export function userIn(
  root: Root,
  config: Pick<ContainerConfig, 'groupAdd'> & { readonly user: string },
  instead: Readonly<Record<string, Buffer>> = {},
): ReturnType<typeof lookUpUser> {
  const passwd = instead['/etc/passwd'] ?? readInRoot(root, '/etc/passwd');
  const group = instead['/etc/group'] ?? readInRoot(root, '/etc/group');
  return lookUpUser(config.user, { ...(passwd && { passwd }), ...(group && { group }) }, config.groupAdd);
}

/** A regular file below the root, or undefined. A device, pipe or directory in its place counts as not there. */
export function readInRoot(root: Root, path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = root.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(stat.size, MAX_FILE_BYTES + 1));
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(fd);
  }
}
