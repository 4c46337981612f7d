import { closeSync, constants } from 'node:fs';
import { errnoOf, ERRNO } from '../../host/libc.ts';
import { O_PATH, Root } from '../../host/root.ts';
import { NO_XATTRS } from '../tar/entry.ts';
import type { TarMember } from '../tar/read.ts';
import { TreePacker } from '../tree/pack.ts';
import type { Change } from './driver.ts';

/**
 * What a writable tree changes of the layers below it, as the members of a layer tar (image-spec layer.md#change-types). `tree` holds what was
 * added and changed; its container may be running and change it further.
 */
export async function* packChanges(tree: string, changes: AsyncIterable<Change>): AsyncGenerator<TarMember, void> {
  using root = new Root(tree);
  const packer = new TreePacker({ keepXattr: (name) => name !== 'security.selinux' });
  for await (const { kind, path } of changes) {
    const slash = path.lastIndexOf(0x2f);
    const name = path.subarray(slash + 1);
    if (kind === 'D') {
      yield whiteout(path.subarray(1, slash + 1), name);
      continue;
    }
    const parent = openDirectory(root, slash === 0 ? Buffer.from('/') : path.subarray(0, slash));
    if (parent === undefined) continue;
    try {
      yield* packer.shallow(parent, name, path.subarray(1));
    } finally {
      closeSync(parent);
    }
  }
}

function whiteout(prefix: Buffer, name: Buffer): TarMember {
  return {
    entry: {
      type: 'file',
      path: Buffer.concat([prefix, Buffer.from('.wh.'), name]),
      linkPath: Buffer.alloc(0),
      mode: 0,
      uid: 0,
      gid: 0,
      sizeBytes: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
      device: { major: 0, minor: 0 },
      xattrs: NO_XATTRS,
    },
    body: (async function* () {})(),
  };
}

/** Undefined when it has gone meanwhile. */
function openDirectory(root: Root, path: Buffer): number | undefined {
  try {
    return root.open(path, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === ERRNO.ENOENT || errnoOf(error) === ERRNO.ENOTDIR) return undefined;
    throw error;
  }
}
