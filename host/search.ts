import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where the distributions put helpers that are on nobody's PATH (containers.conf, helper_binaries_dir). */
export const HELPER_DIRECTORIES = ['/usr/local/libexec/podman', '/usr/local/lib/podman', '/usr/libexec/podman', '/usr/lib/podman'] as const;

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The absolute path of a helper: first in `directories`, then along PATH and the system directories.
 * Relative PATH entries are passed over: nothing is ever started from the current directory.
 */
export function findProgram(name: string, directories: readonly string[] = [], path = process.env['PATH'] ?? ''): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  for (const directory of [...directories, ...path.split(':'), ...SYSTEM_PATH.split(':')]) {
    if (!directory.startsWith('/')) continue;
    const candidate = join(directory, name);
    if (isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
