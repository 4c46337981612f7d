import type { Digest } from '../../core/digest.ts';
import type { KnownBlob, SentLayer } from '../../storage/send.ts';
import type { LayerCompression } from '../../storage/transport/compress.ts';
import type { Database } from './database.ts';

/** In which registry repositories a layer was put as which compressed blob. A hint, never trusted: the registry is asked. */
export class LayerBlobTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** `repository`: `quay.io/team/app`. */
  add({ diffId, digest, size, compression }: SentLayer, repository: string): void {
    this.#db.run(
      'INSERT OR REPLACE INTO layer_blobs (diff_id, digest, repository, size_bytes, compression, seen_ms) VALUES (?, ?, ?, ?, ?, ?)',
      diffId,
      digest,
      repository,
      size,
      compression,
      Date.now(),
    );
  }

  /** The latest first. */
  of(diffId: Digest): readonly KnownBlob[] {
    return this.#db
      .all('SELECT digest, repository, size_bytes, compression FROM layer_blobs WHERE diff_id = ? ORDER BY seen_ms DESC LIMIT 20', diffId)
      .map((row) => ({
        digest: String(row['digest']) as Digest,
        size: Number(row['size_bytes']),
        compression: String(row['compression']) as LayerCompression,
        repositories: [String(row['repository'])],
      }));
  }

  /** The layer is gone. */
  forget(diffId: Digest): void {
    this.#db.run('DELETE FROM layer_blobs WHERE diff_id = ?', diffId);
  }
}
