/** Where the result of a build goes besides the store. */
import { mkdirSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import type { ImageId } from '../../core/id.ts';
import { Root } from '../../host/root.ts';
import { tarBytes } from '../../storage/tar/stream.ts';
import { openFileOutput, openStreamOutput, explained } from '../../storage/transport/output.ts';
import { exportTree } from '../../storage/tree/export.ts';
import { packTree } from '../../storage/tree/pack.ts';
import { unarchiveTree } from '../../storage/tree/unarchive.ts';
import type { Engine } from '../engine.ts';
import { saveImages, type SaveFormat } from '../image/save.ts';

/** Files of the image into a directory or a tar, or the image itself. */
export type BuildOutput =
  | { readonly kind: 'local'; readonly directory: string }
  | { readonly kind: 'tar'; readonly to: string | Writable }
  | { readonly kind: 'image'; readonly format: SaveFormat; readonly to: string | Writable };

export interface BuiltTree {
  /** Undefined: there are no files in it. */
  readonly path: string | undefined;
  readonly imageId: ImageId;
  readonly names: readonly string[];
}

/**
 * A directory is merged with what is there; a file appears when it is whole. Files in a directory belong to the user, where the user is not root.
 * Throws ARCHIVE_UNSUPPORTED (the place), LAYER_REFUSED, STORE_FULL, ABORTED.
 */
export async function writeOutput(
  engine: Engine,
  { path, imageId, names }: BuiltTree,
  output: BuildOutput,
  signal?: AbortSignal,
): Promise<void> {
  if (output.kind === 'image') {
    const { format, to } = output;
    await saveImages(engine, {
      format,
      images: [names[0] ?? imageId],
      tags: names.slice(1),
      output: to,
      compress: false,
      uncompressed: false,
      signal,
    });
    return;
  }
  if (output.kind === 'local') {
    const { directory } = output;
    explained(directory, '', () => mkdirSync(directory, { recursive: true }));
    if (path === undefined) return;
    using root = new Root(path);
    const members = packTree(root.fd, Buffer.from('.'), Buffer.alloc(0));
    await unarchiveTree(Readable.from(tarBytes(members), { signal }), directory, engine.identity.rootless ? { uid: 0, gid: 0 } : undefined);
    return;
  }
  await using to = typeof output.to === 'string' ? openFileOutput(output.to, { replace: true, prefix: '' }) : openStreamOutput(output.to);
  if (path === undefined) await to.write(Buffer.alloc(1024));
  else await exportTree(path, to, { signal });
  await to.finish();
}
