import type { Readable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import type { Descriptor } from '../image.ts';
import type { Origin } from '../policy.ts';

/**
 * Where one image is read from: a registry repository, a docker-archive, an OCI layout. Small on purpose, so that an adapter writes itself.
 * Nothing here is trusted: the caller (copy.ts) checks every digest and size.
 */
export interface ImageSource extends AsyncDisposable {
  /** For messages: `docker://quay.io/a/b:1`, `docker-archive:/tmp/x.tar`. */
  readonly label: string;
  /** What policy.json calls it. */
  readonly origin: Origin;
  /** Names the source itself gives the image (docker-archive RepoTags, OCI ref.name); normalised references. */
  readonly names: readonly string[];
  /** The image manifest for the platform asked for when the source was opened; an index is resolved by the source. */
  manifest(signal?: AbortSignal): Promise<ManifestDocument>;
  /** The bytes of a blob as stored at the source (compressed as its media type says). Each call gives a stream of its own. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable>;
}

export interface ManifestDocument {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** Of `bytes`. */
  readonly digest: Digest;
  /** Digest of the index it was picked from, where there was one. */
  readonly indexDigest?: Digest;
}

/** What one archive holds; disposing it ends all its images. */
export interface ImageSources extends AsyncDisposable {
  readonly images: readonly ImageSource[];
}
