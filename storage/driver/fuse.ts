/** overlayfs in user space, for kernels and file systems on which a user namespace cannot mount the real one. */
import { EngineError } from '../../core/errors.ts';
import { isMountPoint, unmountAll } from '../../host/mount.ts';
import { runHelper } from '../../host/process.ts';
import type { Change, Driver, MappedIds, MountRequest } from './driver.ts';
import { fuseOptions, relativeToCommon } from './options.ts';
import { prepareMount } from './prepare.ts';

const START_TIMEOUT_MS = 30_000;

export class FuseOverlayDriver implements Driver {
  readonly name = 'overlay';
  readonly mountProgram: string;

  /** `mountProgram`: fuse-overlayfs, or another that takes `-o OPTIONS MOUNTPOINT` and goes into the background when mounted. */
  constructor(mountProgram: string) {
    this.mountProgram = mountProgram;
  }

  async mount(request: MountRequest): Promise<void> {
    if (isMountPoint(request.merged)) return;
    if (request.upper?.includes(':') === true) {
      throw new EngineError('NOT_SUPPORTED', `fuse-overlayfs cannot write in ${request.upper}: its path holds a colon`, {
        hint: 'Choose another store with --root.',
      });
    }
    const directories = prepareMount(request);
    const nearby = relativeToCommon(directories.lowers);
    const extra = [
      ...(request.upper === undefined ? ['ro'] : []),
      ...(request.volatile === true ? ['volatile'] : []),
      ...(request.idMap === undefined ? [] : [`uidmapping=${mapping(request.idMap.uids)}`, `gidmapping=${mapping(request.idMap.gids)}`]),
    ];
    const options = fuseOptions({ ...directories, lowers: nearby.lowers }, extra);
    await runHelper(this.mountProgram, ['-o', options, request.merged], {
      cwd: nearby.directory,
      timeoutMs: START_TIMEOUT_MS,
      package: 'fuse-overlayfs',
    });
    if (!isMountPoint(request.merged))
      throw new EngineError('HELPER_FAILED', `${this.mountProgram} ended well and mounted nothing at ${request.merged}`);
  }

  /** The program ends by itself with its last mount. */
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

/** fuse-overlayfs(1), uidmapping: triples of the id on disk, the id shown, and their number. */
function mapping(ranges: readonly MappedIds[]): string {
  return ranges.map(({ containerId, hostId, size }) => `${containerId}:${hostId}:${size}`).join(':');
}
