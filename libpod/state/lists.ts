/** What manifest lists list, and where the parts of it are. The list itself is a row of `images`. */
import type { Digest } from '../../core/digest.ts';
import type { ImageId } from '../../core/id.ts';
import type { Database, Row } from './database.ts';

export interface ListInstance {
  /** Of its manifest. */
  readonly digest: Digest;
  /** `quay.io/team/app@sha256:…`, to be read when it is wanted. Absent: the parts are in this store. */
  readonly source?: string | undefined;
  /** Documents and files that the store keeps for the list. */
  readonly blobs: readonly Digest[];
  /** Diff-ids that the store keeps for the list, base first. */
  readonly layers: readonly Digest[];
  /** Paths of the files an artifact was made of, for show. */
  readonly files: readonly string[];
}

export class ListTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  instances(list: ImageId): ListInstance[] {
    return this.#db.all('SELECT * FROM list_instances WHERE list_id = ? ORDER BY digest', list).map(fromRow);
  }

  /** Replaces what is known of the same manifest. */
  put(list: ImageId, { digest, source, blobs, layers, files }: ListInstance): void {
    this.#db.run(
      'INSERT OR REPLACE INTO list_instances (list_id, digest, source, blobs, layers, files) VALUES (?, ?, ?, ?, ?, ?)',
      list,
      digest,
      source ?? null,
      JSON.stringify(blobs),
      JSON.stringify(layers),
      JSON.stringify(files),
    );
  }

  remove(list: ImageId, digest: Digest): void {
    this.#db.run('DELETE FROM list_instances WHERE list_id = ? AND digest = ?', list, digest);
  }
}

function fromRow(row: Row): ListInstance {
  return {
    digest: String(row['digest']) as Digest,
    source: row['source'] === null ? undefined : String(row['source']),
    blobs: JSON.parse(String(row['blobs'])) as Digest[],
    layers: JSON.parse(String(row['layers'])) as Digest[],
    files: JSON.parse(String(row['files'])) as string[],
  };
}
