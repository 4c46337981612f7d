import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spreadDirectories } from '../../host/spread.ts';

const EXT4 = 0xef53;
const places = [...new Set([tmpdir(), '/dev/shm', process.cwd()])];

test.each(places)(
  'directories made in a directory of %s lie apart where the file system is ext4, and nothing happens elsewhere',
  (place) => {
    const directory = mkdtempSync(join(place, 'lichen-spread-'));
    try {
      spreadDirectories(directory);
      spreadDirectories(directory);
      if (statfsSync(directory).type !== EXT4) return;
      expect(execFileSync('lsattr', ['-d', directory], { encoding: 'utf8' }).split(' ')[0]).toContain('T');
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
