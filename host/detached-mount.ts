/** Mounts that have no place yet: open_tree(2), mount_setattr(2). Who has the descriptor can put one somewhere, in any mount namespace of his. */
import { closeSync } from 'node:fs';
import { bind, check } from './libc.ts';

// The same numbers on every architecture.
const SYS_OPEN_TREE = 428;
const SYS_MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_RECURSIVE = 0x8000;
const AT_EMPTY_PATH = 0x1000;

const openTree = bind('long syscall(long number, int dirfd, const char *path, uint flags)');
const mountSetattr = bind('long syscall(long number, int dirfd, const char *path, uint flags, const uint8_t *attr, size_t size)');

export interface MountAttributes {
  readonly set?: number;
  readonly clear?: number;
  /** One of MS.PRIVATE, SLAVE, SHARED, UNBINDABLE. */
  readonly propagation?: number;
  /** A user namespace whose id maps the mount takes. */
  readonly userNamespace?: number;
}

export class DetachedMount implements Disposable {
  readonly fd: number;
  readonly #source: string;

  private constructor(source: string, fd: number) {
    this.#source = source;
    this.fd = fd;
  }

  /** A bind mount of `source`; links are followed. Throws SYSCALL. */
  static of(source: string, options: { readonly recursive: boolean }): DetachedMount {
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (options.recursive ? AT_RECURSIVE : 0);
    return new DetachedMount(source, check(openTree(SYS_OPEN_TREE, AT_FDCWD, source, flags), 'open_tree', source));
  }

  /** Throws SYSCALL. */
  change(attributes: MountAttributes, options: { readonly recursive: boolean }): void {
    check(this.tryChange(attributes, options), 'mount_setattr', this.#source);
  }

  /** -1 and errno where the kernel refuses. */
  tryChange(attributes: MountAttributes, { recursive }: { readonly recursive: boolean }): number {
    const bytes = mountAttributes(attributes);
    return mountSetattr(SYS_MOUNT_SETATTR, this.fd, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), bytes, bytes.length);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** struct mount_attr. */
export function mountAttributes({ set = 0, clear = 0, propagation = 0, userNamespace = 0 }: MountAttributes): Buffer {
  const bytes = Buffer.alloc(32);
  for (const [index, value] of [set, clear, propagation, userNamespace].entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * index);
  return bytes;
}
