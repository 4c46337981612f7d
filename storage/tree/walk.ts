import { lstatSync, readdirSync, type BigIntStats } from 'node:fs';

export interface WalkedEntry {
  /** To reach it: `top` of the walk, then `relative`. */
  readonly path: Buffer;
  /** Empty for the top. */
  readonly relative: Buffer;
  readonly stat: BigIntStats;
}

/** Every entry below `top` and `top` itself, a directory before what it holds, names in byte order. Links are not followed. */
export function* walkTree(top: string | Buffer): Generator<WalkedEntry, void> {
  // With the dot, a top that is reached through a link (/proc/self/fd/N) is the directory and not the link.
  const path = Buffer.concat([typeof top === 'string' ? Buffer.from(top) : top, Buffer.from('/.')]);
  const stat = lstatSync(path, { bigint: true });
  yield { path, relative: Buffer.alloc(0), stat };
  yield* walkBelow(path, Buffer.alloc(0));
}

function* walkBelow(directory: Buffer, prefix: Buffer): Generator<WalkedEntry, void> {
  for (const name of readdirSync(directory, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b))) {
    const path = Buffer.concat([directory, SLASH, name]);
    const relative = prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]);
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    yield { path, relative, stat };
    if (stat.isDirectory()) yield* walkBelow(path, relative);
  }
}

const SLASH = Buffer.from('/');
