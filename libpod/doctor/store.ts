/** The place of images and containers: may it be written, has it room, does it suit, and can the database be read. */
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { humanSize } from '../../core/size.ts';
import { mountOptionsAt } from '../../host/mount.ts';
import { ensurePrivateDirectory } from '../../host/paths.ts';
import { examineDatabase } from '../state/database.ts';
import { fileSystemName } from '../system/machine.ts';
import { degraded, lackOf, missing, ok, type Probe } from './probe.ts';
import { nearestExisting, tryWriting } from './try-writing.ts';

const FULL = { bytes: 8 * 2 ** 20, inodes: 64 } as const;
const LITTLE = { bytes: 2 ** 30, inodes: 10_000 } as const;
const ROOM = { asUser: 'lichen system prune' } as const;

export const disk: Probe = {
  name: 'disk',
  run: ({ paths }) => {
    const place = nearestExisting(paths.store);
    const { bavail, bsize, blocks, ffree, files } = statfsSync(place);
    // Some file systems do not count inodes, and ramfs counts nothing.
    const bytes = blocks === 0 ? Infinity : bavail * bsize;
    const inodes = files === 0 ? Infinity : ffree;
    const facts = { path: place, freeBytes: countOrNull(bytes), freeInodes: countOrNull(inodes) };
    const counted = [...(blocks === 0 ? [] : [humanSize(bytes)]), ...(files === 0 ? [] : [`${inodes} inodes`])];
    const what = `${counted.join(' and ') || 'uncounted room'} free in ${place}`;
    if (bytes < FULL.bytes || inodes < FULL.inodes)
      return missing({ what: `the disk is full: ${what}`, loss: 'containers cannot be started', mend: [ROOM] }, facts);
    if (bytes < LITTLE.bytes || inodes < LITTLE.inodes) return degraded({ what, loss: 'larger images do not fit', mend: [ROOM] }, facts);
    return ok(what, facts);
  },
};

function countOrNull(count: number): number | null {
  return Number.isFinite(count) ? count : null;
}

/** statfs(2): file systems whose locks, owners or links are not what a store needs. */
const UNSUITABLE: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x01021997: '9p',
  0x4d44: 'FAT',
  0x2011bab0: 'exFAT',
  0x5346544e: 'NTFS',
};
const TMPFS = 0x01021994;

export const store: Probe = {
  name: 'store',
  run: ({ paths, env }) => {
    const place = nearestExisting(paths.store);
    const { type } = statfsSync(place);
    const options = mountOptionsAt(place);
    const facts = { path: paths.store, exists: place === paths.store, fileSystem: UNSUITABLE[type] ?? fileSystemName(type), options };
    try {
      if (facts.exists) ensurePrivateDirectory(paths.store);
      if (!options.includes('ro')) tryWriting(place);
    } catch (error) {
      return missing(lackOf(error, 'no command of lichen works'), facts);
    }
    const elsewhere = [{ advice: 'choose another directory with --root or LICHEN_ROOT' }];
    if (options.includes('ro'))
      return missing({ what: `${place} is read-only`, loss: 'no command of lichen works', mend: elsewhere }, facts);
    if (Object.hasOwn(UNSUITABLE, type)) {
      const loss = 'locks and owners of files are not reliable there: images may not unpack, and two commands at once may harm each other';
      return degraded({ what: `${place} lies on ${UNSUITABLE[type]}`, loss, mend: elsewhere }, facts);
    }
    if (type === TMPFS && env['LICHEN_ROOT'] === undefined)
      return degraded(
        { what: `${place} lies on tmpfs`, loss: 'images and containers take memory, and are gone after a reboot', mend: elsewhere },
        facts,
      );
    return ok(`${paths.store} on ${facts.fileSystem}`, facts);
  },
};

export const database: Probe = {
  name: 'database',
  run: ({ paths }) => {
    const path = join(paths.store, 'db.sqlite');
    if (!existsSync(path)) return ok('not begun yet', { path, exists: false });
    try {
      return ok(path, { path, exists: true, schema: examineDatabase(path) });
    } catch (error) {
      return missing(lackOf(error, 'no command on containers and images works'), { path, exists: true });
    }
  },
};
