import type { Readable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import type { ManifestDocument } from './source.ts';

/**
 * Where one image is written to: a registry repository, a docker-archive, an OCI layout. The twin of ImageSource, and as small: blobs first, in the
 * order of the manifest where the place is one stream, then the manifest, then `finish`. Until `finish` has returned nothing is to be seen at the
 * place; disposing without it takes back what can be taken back (blobs in a registry stay: nobody refers to them).
 */
export interface ImageDestination extends AsyncDisposable {
  /** For messages: `docker://quay.io/a/b:1`, `docker-archive:/tmp/x.tar`. */
  readonly label: string;
  readonly traits: DestinationTraits;
  /** Is the blob there (or can it be had from a neighbour without sending it)? Then it need not be put. Resolves with its size. */
  hasBlob(digest: Digest, hint?: BlobHint, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Write a blob and hash it on the way. Throws STORE_CORRUPT when it is not what `digest` or `size` announced, and what `open` throws;
   * then nothing refers to it. May open the bytes more than once.
   */
  putBlob(blob: OutgoingBlob, signal?: AbortSignal): Promise<WrittenBlob>;
  /** A manifest or index, byte for byte, under the destination's own name, or only under its digest (the entries of an index). */
  putManifest(document: ManifestDocument, at?: 'name' | 'digest', signal?: AbortSignal): Promise<void>;
  /** Makes what was put visible where the place needs more than the manifest. */
  finish(signal?: AbortSignal): Promise<void>;
}

export interface DestinationTraits {
  /** The kind of manifest it must have; absent: either. */
  readonly format?: ManifestFormat;
  /** How layers lie there unless the caller says otherwise. */
  readonly layers: 'plain' | 'gzip';
  /** False: blobs are put one after the other, and must be told with digest and size. */
  readonly sideBySide: boolean;
}

export type ManifestFormat = 'oci' | 'v2s2';

export interface BlobHint {
  /** Repositories, as `quay.io/team/app`, that may hold the blob. */
  readonly repositories?: readonly string[];
}

export interface OutgoingBlob {
  readonly open: () => Promise<Readable>;
  /** Where they are known beforehand. */
  readonly digest?: Digest | undefined;
  readonly size?: number | undefined;
  /** An image's config rather than a layer: archives call it otherwise. */
  readonly isConfig?: boolean;
}

export interface WrittenBlob {
  readonly digest: Digest;
  readonly size: number;
}
