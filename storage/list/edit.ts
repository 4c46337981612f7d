/** Changes to an index. Pure: each gives a new index, in the format that suits what it then holds. */
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { Descriptor, Platform } from '../image.ts';
import type { ImageIndex } from '../manifest.ts';
import { preferredType } from './format.ts';

/** What may be said of an entry; absent parts stay as they are. */
export interface EntryChanges {
  readonly architecture?: string | undefined;
  readonly os?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[];
  readonly features?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Put the entry at the end; one with the same digest goes. */
export function addEntry(index: ImageIndex, entry: Descriptor): ImageIndex {
  return retyped({ ...index, manifests: [...index.manifests.filter(({ digest }) => digest !== entry.digest), entry] });
}

/** Throws MANIFEST_UNKNOWN. */
export function removeEntry(index: ImageIndex, digest: Digest): ImageIndex {
  if (!index.manifests.some((entry) => entry.digest === digest)) {
    throw new EngineError(
      'MANIFEST_UNKNOWN',
      `no instance matching digest ${JSON.stringify(digest)} found in manifest list: file does not exist`,
    );
  }
  return retyped({ ...index, manifests: index.manifests.filter((entry) => entry.digest !== digest) });
}

/** Throws MANIFEST_UNKNOWN. */
export function changeEntry(index: ImageIndex, digest: Digest, changes: EntryChanges): ImageIndex {
  if (!index.manifests.some((entry) => entry.digest === digest)) {
    throw new EngineError(
      'MANIFEST_UNKNOWN',
      `no Docker manifest matching digest ${JSON.stringify(digest)} was found in list: no image instance matching the specified digest was found in the list or index`,
    );
  }
  return retyped({ ...index, manifests: index.manifests.map((entry) => (entry.digest === digest ? changed(entry, changes) : entry)) });
}

export function changeIndex(
  index: ImageIndex,
  changes: { readonly annotations?: Readonly<Record<string, string>>; readonly subject?: Descriptor | undefined },
): ImageIndex {
  const annotations = { ...index.annotations, ...changes.annotations };
  const subject = changes.subject ?? index.subject;
  return retyped({
    ...index,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(subject === undefined ? {} : { subject }),
  });
}

/** The entry with what was said of it put over it. */
export function changed(entry: Descriptor, changes: EntryChanges): Descriptor {
  const { architecture, os, variant, osVersion, osFeatures = [], features = [] } = changes;
  const said: Partial<Platform> = {
    ...(architecture ? { architecture } : {}),
    ...(os ? { os } : {}),
    ...(variant ? { variant } : {}),
    ...(osVersion ? { 'os.version': osVersion } : {}),
    ...(osFeatures.length > 0 ? { 'os.features': osFeatures } : {}),
    ...(features.length > 0 ? { features } : {}),
  };
  const annotations = { ...entry.annotations, ...changes.annotations };
  return {
    ...entry,
    ...(Object.keys(said).length > 0 ? { platform: { architecture: '', os: '', ...entry.platform, ...said } } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

function retyped(index: ImageIndex): ImageIndex {
  return { ...index, mediaType: preferredType(index) };
}
