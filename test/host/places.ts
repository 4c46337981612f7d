/** Where the test suite keeps things on the machine. */
import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const REPOSITORY = dirname(dirname(import.meta.dirname));
/** Made once and kept; `npm ci` clears it away. */
export const FIXTURES = fixturesDirectory();
/** Base directories and cgroups of hosts are named `lichen-test-<pid of the run>-…`, so that what a killed run left can be told and swept up. */
export const HOST_NAME = /^lichen-test-(\d+)-/;
export const HOST_PREFIX = `lichen-test-${process.env['LICHEN_TEST_RUN'] ?? process.pid}-`;

const OVERLAYFS_MAGIC = 0x79_4c_76_30;

/** The directory that holds base directories: on disk, but never on overlayfs, which cannot be the upper layer of another overlay. */
export function hostsDirectory(): string {
  const temporary = tmpdir();
  return statfsSync(temporary).type === OVERLAYFS_MAGIC ? '/dev/shm' : temporary;
}

/** For mkdtemp. */
export function baseDirectory(): string {
  return join(hostsDirectory(), HOST_PREFIX);
}

function fixturesDirectory(): string {
  const modules = join(REPOSITORY, 'node_modules');
  const path = isWritable(modules) ? join(modules, '.cache/lichen-test') : join(tmpdir(), `lichen-fixtures-${process.getuid!()}`);
  mkdirSync(path, { recursive: true });
  return path;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
