import { walkTree } from './walk.ts';

export interface DiskUsage {
  /** Sum of the sizes of files and links; a file with several names counts once. As Podman counts the size of a container. */
  readonly sizeBytes: number;
  /** Blocks the tree occupies on the disk. */
  readonly allocatedBytes: number;
  readonly inodes: number;
}

/** What a tree takes. Synchronous; nothing there is nothing taken. */
export function diskUsage(path: string): DiskUsage {
  const seen = new Set<string>();
  let sizeBytes = 0n;
  let allocated = 0n;
  let inodes = 0;
  for (const { stat } of walkIfThere(path)) {
    if (stat.nlink > 1n && !stat.isDirectory()) {
      const key = `${stat.dev}:${stat.ino}`;
      if (seen.has(key)) continue;
      seen.add(key);
    }
    inodes++;
    allocated += stat.blocks * 512n;
    if (stat.isFile() || stat.isSymbolicLink()) sizeBytes += stat.size;
  }
  return { sizeBytes: Number(sizeBytes), allocatedBytes: Number(allocated), inodes };
}

function* walkIfThere(path: string): ReturnType<typeof walkTree> {
  try {
    yield* walkTree(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
