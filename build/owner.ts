/** Whom `--chown` means. */
import type { Root } from '../host/root.ts';

/** `root`: the tree of the stage, whose passwd and group files are looked at; absent where it is empty. Throws NO_SUCH_USER. */
export type OwnerLookUp = (root: Root | undefined, text: string) => { readonly uid: number; readonly gid: number };
