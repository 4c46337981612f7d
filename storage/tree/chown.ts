import { chmodSync, lchownSync } from 'node:fs';
import { walkTree } from './walk.ts';

/** Give everything below `path`, and `path`, to `owner`. Links are not followed; setuid and setgid bits, which chown(2) clears, are put back. */
export function chownTree(path: string, owner: { readonly uid: number; readonly gid: number }): void {
  for (const { path: entry, stat } of walkTree(path)) {
    if (Number(stat.uid) === owner.uid && Number(stat.gid) === owner.gid) continue;
    lchownSync(entry, owner.uid, owner.gid);
    if (stat.isFile() && (stat.mode & 0o6000n) !== 0n) chmodSync(entry, Number(stat.mode & 0o7777n));
  }
}
