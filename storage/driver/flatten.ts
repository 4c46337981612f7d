import { TreeCopy } from '../tree/copy.ts';
import { isOverlayXattr } from '../layer/whiteout.ts';
import { setImmediate as breathe } from 'node:timers/promises';
import { lstatSync } from 'node:fs';
import { descend, joinBytes, lookUp, namesIn, unionTop, type UnionDirectory } from './union.ts';

const STRETCH = 512;

/** Copy what the layers show together into the empty directory `to`. The marks of overlayfs stay behind. */
export async function flatten(lowers: readonly string[], to: string): Promise<void> {
  const copy = new TreeCopy(Buffer.from(`${to}/`), (name) => !isOverlayXattr(name));
  const top = unionTop(lowers);
  copy.add(top[0]!, Buffer.alloc(0), lstatSync(top[0]!, { bigint: true }));
  let count = 0;
  for (const { path, relative } of walkUnion(top, Buffer.alloc(0))) {
    copy.add(path, relative, lstatSync(path, { bigint: true }));
    if (++count % STRETCH === 0) await breathe();
  }
  copy.finish();
}

function* walkUnion(directory: UnionDirectory, prefix: Buffer): Generator<{ path: Buffer; relative: Buffer }, void> {
  for (const name of namesIn(directory)) {
    const entry = lookUp(directory, name);
    if (entry === undefined) continue;
    const relative = prefix.length === 0 ? name : joinBytes(prefix, name);
    yield { path: entry.path, relative };
    if (entry.stat.isDirectory()) yield* walkUnion(descend(directory, name), relative);
  }
}
