import { closeSync, openSync } from 'node:fs';
import { bindAsync, syscallError } from './libc.ts';

const nativeSyncfs = bindAsync('int syncfs(int fd)');

/** Everything written to the file system that holds `path` is on its disk when this resolves (syncfs(2)). Does not block the event loop. */
export async function syncFileSystem(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    const { result, errno } = await nativeSyncfs(fd);
    if (result !== 0) throw syscallError('syncfs', path, errno);
  } finally {
    closeSync(fd);
  }
}
