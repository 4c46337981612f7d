import { closeSync, constants } from 'node:fs';
import { errnoOf, ERRNO } from '../../host/libc.ts';
import { O_PATH, Root } from '../../host/root.ts';
import { emptyEntry } from '../tar/entry.ts';
import { noBody, type TarMember } from '../tar/read.ts';
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
    entry: { ...emptyEntry('file', `${prefix.toString('latin1')}.wh.${name.toString('latin1')}`), mode: 0 },
    body: noBody(),
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
