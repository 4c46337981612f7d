/** `--storage-driver` and `--storage-opt`, read before anything is done with the store. */
import { existsSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import type { DriverWish } from '../storage/driver/probe.ts';

export interface StorageFlags {
  readonly storageDriver?: string | undefined;
  readonly storageOptions: readonly string[];
}

const DRIVERS: Readonly<Record<string, DriverWish>> = {
  '': {},
  overlay: { driver: 'overlay' },
  overlay2: { driver: 'overlay' },
  vfs: { driver: 'vfs' },
};
/** Of the options in storage.conf(5): these ask for nothing that could be done or left undone here. */
const WITHOUT_EFFECT = new Set(['override_kernel_check', 'skip_mount_home']);
const NOT_THERE = new Set([
  'additionalimagestore',
  'force_mask',
  'ignore_chown_errors',
  'imagestore',
  'inodes',
  'mountopt',
  'size',
  'use_composefs',
]);
/** Values of those that ask for what is the case anyway. */
const USUAL = new Set(['', 'false']);

/** An empty word chooses nothing. Throws INVALID_ARGUMENT in Podman's words, NOT_SUPPORTED. */
export function readStorageFlags({ storageDriver = '', storageOptions }: StorageFlags): DriverWish {
  if (!Object.hasOwn(DRIVERS, storageDriver)) {
    throw new EngineError('INVALID_ARGUMENT', `configure storage: failed to GetDriver graph ${storageDriver}: driver not supported`, {
      hint: 'Use overlay or vfs.',
    });
  }
  let mountProgram = '';
  for (const option of storageOptions) {
    const equals = option.indexOf('=');
    if (equals === -1) throw new EngineError('INVALID_ARGUMENT', `configure storage: unable to parse key/value option: ${option}`);
    const value = option.slice(equals + 1);
    // As Podman does: with the name of any driver before it, or none.
    const name = option.slice(0, equals).replace(/^.*\./, '').toLowerCase();
    if (name === 'mount_program') mountProgram = existing(value);
    else if (NOT_THERE.has(name)) refuseUnless(USUAL.has(value), name);
    else if (!WITHOUT_EFFECT.has(name)) {
      const quoted = `${JSON.stringify(name)} (${JSON.stringify(option)})`;
      throw new EngineError('INVALID_ARGUMENT', `configure storage: unknown option ${quoted}`);
    }
  }
  return { ...DRIVERS[storageDriver], ...(mountProgram === '' ? {} : { mountProgram }) };
}

function existing(program: string): string {
  if (program === '' || existsSync(program)) return program;
  const why = `faccessat ${program}: no such file or directory`;
  throw new EngineError('INVALID_ARGUMENT', `configure storage: overlay: can't stat program ${JSON.stringify(program)}: ${why}`);
}

function refuseUnless(isUsual: boolean, name: string): void {
  if (!isUsual) throw new EngineError('NOT_SUPPORTED', `--storage-opt ${name} is not supported yet`);
}
