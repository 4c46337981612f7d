/** One member of a tar archive, as its headers describe it. Names are bytes: archives hold names that are no UTF-8. */
export interface TarEntry {
  readonly type: TarType;
  /** As written in the archive: neither cleaned nor checked. */
  readonly path: Buffer;
  /** Target of a hard or symbolic link, else empty. */
  readonly linkPath: Buffer;
  /** Permission bits with setuid, setgid and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of body that follow; 0 for everything but files. */
  readonly sizeBytes: number;
  readonly mtime: TarTime;
  readonly device: { readonly major: number; readonly minor: number };
  /** `SCHILY.xattr.*`, name to value. Values are binary. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly userName?: string;
  readonly groupName?: string;
}

export type TarType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** Seconds since 1970 (may be negative) and nanoseconds 0–999999999. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();
export const BLOCK_BYTES = 512;

/** Zero bytes that fill a body up to the next block. */
export function paddingBytes(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Without a body, of root, from 1970. `path` is bytes, a character each. */
export function emptyEntry(type: TarType, path: string): TarEntry {
  return {
    type,
    path: Buffer.from(path, 'latin1'),
    linkPath: Buffer.alloc(0),
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    device: { major: 0, minor: 0 },
    xattrs: NO_XATTRS,
  };
}
