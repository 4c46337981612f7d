import { expect, test } from 'vitest';
import { readStorageFlags } from '../../libpod/storage-flags.ts';

test.each([
  [undefined, [], {}],
  ['', [], {}],
  ['overlay', [], { driver: 'overlay' }],
  ['overlay2', [], { driver: 'overlay' }],
  ['vfs', [], { driver: 'vfs' }],
  [undefined, ['overlay.mount_program=/bin/sh'], { mountProgram: '/bin/sh' }],
  [undefined, ['mount_program=/bin/sh'], { mountProgram: '/bin/sh' }],
  ['overlay', ['mount_program=/bin/sh', 'overlay2.mount_program='], { driver: 'overlay' }],
  [undefined, ['overlay.skip_mount_home=true', 'overlay.override_kernel_check=1', 'ignore_chown_errors=false', 'overlay.size='], {}],
] as const)('driver %j with options %j', (storageDriver, storageOptions, wish) => {
  expect(readStorageFlags({ storageDriver, storageOptions })).toEqual(wish);
});

test.each([
  ['nosuch', [], 'INVALID_ARGUMENT', 'configure storage: failed to GetDriver graph nosuch: driver not supported'],
  ['constructor', [], 'INVALID_ARGUMENT', 'configure storage: failed to GetDriver graph constructor: driver not supported'],
  [undefined, ['bad'], 'INVALID_ARGUMENT', 'configure storage: unable to parse key/value option: bad'],
  [undefined, ['overlay.nosuch=1'], 'INVALID_ARGUMENT', 'configure storage: unknown option "nosuch" ("overlay.nosuch=1")'],
  [
    undefined,
    ['mount_program=/nosuch'],
    'INVALID_ARGUMENT',
    'configure storage: overlay: can\'t stat program "/nosuch": faccessat /nosuch: no such file or directory',
  ],
  [undefined, ['overlay.size=1G'], 'NOT_SUPPORTED', '--storage-opt size is not supported yet'],
  ['vfs', ['ignore_chown_errors=true'], 'NOT_SUPPORTED', '--storage-opt ignore_chown_errors is not supported yet'],
] as const)('driver %j with options %j is refused', (storageDriver, storageOptions, code, message) => {
  expect(() => readStorageFlags({ storageDriver, storageOptions })).toThrow(expect.objectContaining({ code, message }));
});
