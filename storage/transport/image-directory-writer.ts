/**
 * Images written as a directory. Blobs appear under the names of their digests, each when it is whole; what names them (index.json, manifest.json) is
 * written last and replaced in one step, so that at any moment the directory holds what it held before, or the new image.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { DestinationTraits, ImageDestination, ManifestFormat } from './destination.ts';
import { OutputDirectory } from './output-directory.ts';
import type { ManifestDocument } from './source.ts';

const VERSION = 'Directory Transport Version: 1.1\n';

/**
 * `dir:`, see openImageDirectory. What another image left in the directory is removed at the end.
 * Throws ARCHIVE_UNSUPPORTED for a directory that holds anything else.
 */
export function openImageDirectoryWriter(path: string, format: ManifestFormat | undefined): ImageDestination {
  const label = `dir:${path}`;
  refuseForeign(path, label);
  const output = new OutputDirectory(path);
  const traits: DestinationTraits = { ...(format === undefined ? {} : { format }), layers: 'plain', sideBySide: true };
  const kept = new Set(['manifest.json', 'version']);
  let manifest: ManifestDocument | undefined;
  return {
    label,
    traits,
    hasBlob: async (digest) => {
      const size = output.has(digestHex(digest));
      if (size !== undefined) kept.add(digestHex(digest));
      return size;
    },
    putBlob: async (blob) => {
      const written = await output.blob('', blob);
      kept.add(digestHex(written.digest));
      return written;
    },
    putManifest: async (document, at = 'name') => {
      if (at === 'name') manifest = document;
      else {
        const name = `${digestHex(document.digest)}.manifest.json`;
        await output.file(name, document.bytes);
        kept.add(name);
      }
    },
    finish: async () => {
      if (manifest === undefined) throw new Error('no manifest was put');
      await output.file('version', Buffer.from(VERSION));
      await output.file('manifest.json', manifest.bytes);
      output.keep();
      for (const name of readdirSync(path)) if (!kept.has(name)) rmSync(join(path, name), { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: async () => output[Symbol.dispose](),
  };
}

/** Only a directory that is empty or was written as such an image is ours to change. */
function refuseForeign(path: string, label: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  const bad = (why: string): EngineError => new EngineError('ARCHIVE_UNSUPPORTED', `initializing destination ${label}: ${why}`);
  if (stat === undefined) return;
  if (!stat.isDirectory()) throw bad(`open ${path}: not a directory`);
  if (readdirSync(path).length === 0) return;
  const version = join(path, 'version');
  if (existsSync(version) && readFileSync(version, 'utf8') === VERSION) return;
  throw bad("not a containers image directory, don't want to overwrite important data");
}
