/** overlayfs of the kernel, mounted with `userxattr`: as root of a user namespace (Linux ≥ 5.11), and alike as real root so that one store fits both. */
import { isMountPoint, mount, MS, unmountAll } from '../../host/mount.ts';
import { mountOverlayLayers } from '../../host/overlay.ts';
import { removeTree } from '../tree/remove.ts';
import { prepareMount, refuseIdMap } from './prepare.ts';
import { kernelOptions, PAGE_DATA_BYTES, relativeToCommon, type OverlayDirectories } from './options.ts';
import type { Change, Driver, MountRequest } from './driver.ts';

export class OverlayDriver implements Driver {
  readonly name = 'overlay';

  /** Synchronous inside: the working directory of the process changes for the length of one system call. */
  async mount(request: MountRequest): Promise<void> {
    if (isMountPoint(request.merged)) return;
    refuseIdMap(request, this.name);
    const directories = withSecondLower(prepareMount(request), request.merged);
    forgetVolatile(directories.work);
    mountOverlay(directories, request.merged, request.volatile === true && request.upper !== undefined);
  }

  async unmount(merged: string): Promise<void> {
    unmountAll(merged);
  }

  isMounted(merged: string): boolean {
    return isMountPoint(merged);
  }

  async *changes(request: Pick<MountRequest, 'lowers' | 'upper' | 'merged'>): AsyncGenerator<Change, void> {
    if (request.upper === undefined) return;
    const { overlayChanges } = await import('./changes.ts');
    yield* overlayChanges(request.upper, request.lowers);
  }
}

function mountOverlay(directories: OverlayDirectories, merged: string, volatile: boolean): void {
  const extra = ['userxattr', ...(volatile ? ['volatile'] : [])];
  const flags = directories.upper === undefined ? MS.RDONLY : 0;
  const data = kernelOptions(directories, extra);
  if (Buffer.byteLength(data) <= PAGE_DATA_BYTES) return mount('overlay', merged, 'overlay', flags, data);
  insideCommon(directories, (nearby) => {
    const short = kernelOptions(nearby, extra);
    if (Buffer.byteLength(short) <= PAGE_DATA_BYTES) return mount('overlay', merged, 'overlay', flags, short);
    return mountOverlayLayers({ ...nearby, merged, readonly: directories.upper === undefined, extra });
  });
}

/** Without an upper directory the kernel wants two layers: the empty directory that is mounted on does for the other. */
function withSecondLower(directories: OverlayDirectories, merged: string): OverlayDirectories {
  if (directories.upper !== undefined || directories.lowers.length > 1) return directories;
  return { ...directories, lowers: [...directories.lowers, merged] };
}

/** Run `work` in the directory above all lowers, with paths that are short from there. */
function insideCommon(directories: OverlayDirectories, work: (nearby: OverlayDirectories) => void): void {
  const { directory, lowers } = relativeToCommon(directories.lowers);
  const home = process.cwd();
  process.chdir(directory);
  try {
    work({ ...directories, lowers });
  } finally {
    process.chdir(home);
  }
}

/** After a `volatile` mount the kernel refuses the work directory until this mark is gone. It stands for "unsynced at a crash", which a volatile container may be. */
function forgetVolatile(work: string | undefined): void {
  if (work !== undefined) removeTree(`${work}/work/incompat`);
}
