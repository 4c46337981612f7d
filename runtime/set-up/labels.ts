/** Profiles of Linux security modules, which hold from the next exec on (apparmor(7), selinux(8)); nothing where the machine has no such module. */
import { constants, existsSync, readFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import type { Process } from '../config.ts';
import { AT_FDCWD, fileSystemOf, O_CLOEXEC, PROC_SUPER_MAGIC } from './inner-root.ts';

/** Throws SYSCALL, INVALID_ARGUMENT. */
export function setLabels(deputy: Deputy, { apparmorProfile, selinuxLabel }: Process): void {
  if (apparmorProfile && hasAppArmor()) {
    const own = '/proc/self/attr/apparmor/exec';
    writeAttribute(deputy, existsSync(own) ? own : '/proc/self/attr/exec', `exec ${apparmorProfile}`);
  }
  if (selinuxLabel && existsSync('/sys/fs/selinux/enforce')) writeAttribute(deputy, '/proc/self/attr/exec', selinuxLabel);
}

function hasAppArmor(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y');
  } catch {
    return false;
  }
}

function writeAttribute(deputy: Deputy, path: string, value: string): void {
  const fd = deputy.call('openat', [AT_FDCWD, path, constants.O_WRONLY | O_CLOEXEC, 0]);
  // What a root file system has put there would swallow it, and the process run unconfined (CVE-2019-16884).
  if (fileSystemOf(deputy, fd) !== PROC_SUPER_MAGIC) throw new EngineError('INVALID_ARGUMENT', `${path} is not in proc`);
  deputy.call('write', [fd, Buffer.from(value), Buffer.byteLength(value)], `${path}: ${value}`);
  deputy.call('close', [fd]);
}
