/**
 * How layers become a root file system. Three makes: `overlay` (native, userxattr), `overlay` through fuse-overlayfs, `vfs` (copies).
 * A layer is always kept as an overlay-format tree (see store.ts): whiteouts are character devices 0:0, opaque directories carry
 * `user.overlay.opaque=y`. Every make passes test/system/driver.contract.test.ts.
 */
export interface Driver {
  /** As `info` shows it. */
  readonly name: 'overlay' | 'vfs';
  /** Helper that mounts, absent for native overlay and vfs. */
  readonly mountProgram?: string;
  /**
   * Make the layers visible as one tree at `merged` (made if missing). `lowers` are absolute directories, topmost first, at least one.
   * With `upper` (and `work`, an empty directory on the same file system, made if missing) the result is writable and changes land in `upper`;
   * without it the result is read-only. Idempotent: an existing mount of ours at `merged` is kept.
   * Throws SYSCALL, HELPER_MISSING, HELPER_FAILED, NOT_SUPPORTED.
   */
  mount(request: MountRequest): Promise<void>;
  /** Undo mount. Not mounted is fine. Lazy (MNT_DETACH), so it does not fail for being busy; the upper directory stays. */
  unmount(merged: string): Promise<void>;
  isMounted(merged: string): boolean;
  /**
   * Changes of a writable tree against its lowers, without needing it mounted: for `ps --size`, `diff`, `commit`.
   * vfs compares trees, overlay reads `upper`.
   */
  changes(request: Pick<MountRequest, 'lowers' | 'upper' | 'merged'>): AsyncIterable<Change>;
}

export interface MountRequest {
  readonly lowers: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  readonly merged: string;
  /**
   * Show each owner of the layers as another: `containerId` on disk is seen as `hostId`, so that a container in a user namespace of its own
   * finds its files to be its own. Only fuse-overlayfs can; others throw NOT_SUPPORTED.
   */
  readonly idMap?: { readonly uids: readonly MappedIds[]; readonly gids: readonly MappedIds[] };
  /** Skip fsync (overlay `volatile`): for containers that are removed on exit. */
  readonly volatile?: boolean;
}

export interface MappedIds {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
}

/** `path` is absolute within the tree, as raw bytes may not be UTF-8. */
export interface Change {
  readonly kind: 'A' | 'C' | 'D';
  readonly path: Buffer;
}
