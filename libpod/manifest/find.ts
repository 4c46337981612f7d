/** A manifest list by name, and the index it holds. */
import { EngineError } from '../../core/errors.ts';
import { parseDocument, type ImageIndex } from '../../storage/manifest.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { findImageOrList } from '../image/find.ts';
import { isList, type ImageRecord } from '../state/images.ts';

/** Throws NO_SUCH_IMAGE, AMBIGUOUS_ID, and INVALID_ARGUMENT for an image that is no list. */
export async function findList(engine: Engine, text: string): Promise<ImageRecord> {
  const { image, name } = await findImageOrList(engine, text);
  if (isList(image)) return image;
  throw new EngineError('INVALID_ARGUMENT', `${name ?? image.id}: image is not a manifest list`);
}

/** Throws STORE_CORRUPT. */
export async function readIndex(engine: Engine, list: Pick<ImageRecord, 'id' | 'manifestDigest' | 'manifestType'>): Promise<ImageIndex> {
  const bytes = await imageBlobs(engine).read(list.manifestDigest);
  const document = parseDocument(bytes, list.manifestType, `manifest list ${list.id}`);
  if (document.kind === 'index') return document.index;
  throw new EngineError('STORE_CORRUPT', `manifest list ${list.id}: is no index`);
}
