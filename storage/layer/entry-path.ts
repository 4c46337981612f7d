import type { TarEntry } from '../tar/entry.ts';
import { refuseEntry } from './refuse.ts';

/** Where an entry belongs, as latin1 strings: `directory` is empty for the top, `name` is empty for the top itself. */
export interface EntryPath {
  readonly directory: string;
  readonly name: string;
  readonly depth: number;
}

/**
 * Clean a name from an archive: leading slashes, `.` and doubled slashes vanish, `..` takes one component back (as Go's filepath.Clean, which
 * every other engine uses). Throws LAYER_REFUSED when it would climb out.
 */
export function cleanPath(path: Buffer): EntryPath {
  const text = path.toString('latin1');
  if (text.includes('\0')) throw refuseEntry(path, 'the name holds a NUL');
  const parts = text.split('/');
  const kept: string[] = [];
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.pop() === undefined) throw refuseEntry(path, 'the name leads out of the layer');
  }
  const name = kept.pop() ?? '';
  return { directory: kept.join('/'), name, depth: kept.length + (name === '' ? 0 : 1) };
}

export type Whiteout = { readonly kind: 'opaque' } | { readonly kind: 'metadata' } | { readonly kind: 'hides'; readonly name: string };

const PREFIX = '.wh.';

/** image-spec layer.md#whiteouts; only the last component counts. Throws LAYER_REFUSED for one that names `.`, `..` or nothing. */
export function parseWhiteout(entry: TarEntry, name: string): Whiteout | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === '.wh..wh..opq') return { kind: 'opaque' };
  // AUFS kept its own files under such names; nothing of them belongs in an image.
  if (name.startsWith('.wh..wh.')) return { kind: 'metadata' };
  const hidden = name.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw refuseEntry(entry.path, 'a whiteout must name an entry');
  return { kind: 'hides', name: hidden };
}
