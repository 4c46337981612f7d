import { EngineError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import type { ImageId } from '../../core/id.ts';
import type { ImageConfig } from '../../storage/image.ts';
import { INDEX_TYPES } from '../../storage/media.ts';
import type { Database, Row } from './database.ts';

export interface ImageRecord {
  readonly id: ImageId;
  readonly manifestDigest: Digest;
  readonly manifestType: string;
  readonly indexDigest: Digest | undefined;
  readonly config: ImageConfig;
  /** Diff-ids, base first. */
  readonly layers: readonly Digest[];
  readonly createdMs: number;
  readonly sizeBytes: number;
  readonly storedMs: number;
  /** The name given last comes first. */
  readonly names: readonly string[];
}

/**
 * A manifest list is kept as an image is: its names and id are those of one row, `manifestDigest` is that of the index, there are no layers.
 * What it lists is in the rows of lists.ts.
 */
export function isList({ manifestType }: Pick<ImageRecord, 'manifestType'>): boolean {
  return INDEX_TYPES.includes(manifestType);
}

export class ImageTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Replaces a row of the same id (the same image may come again with another manifest); names are added by `name`. */
  upsert(image: Omit<ImageRecord, 'names'>): void {
    this.#db.run(
      `INSERT INTO images (id, manifest_digest, manifest_type, index_digest, config, layers, created_ms, size_bytes, stored_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET manifest_digest = excluded.manifest_digest, manifest_type = excluded.manifest_type, index_digest = excluded.index_digest`,
      image.id,
      image.manifestDigest,
      image.manifestType,
      image.indexDigest ?? null,
      JSON.stringify(image.config),
      JSON.stringify(image.layers),
      image.createdMs,
      image.sizeBytes,
      image.storedMs,
    );
  }

  /** The index of a list is another one now. */
  reindex(id: ImageId, index: Pick<ImageRecord, 'manifestDigest' | 'manifestType' | 'sizeBytes'>): void {
    this.#db.run(
      'UPDATE images SET manifest_digest = ?, manifest_type = ?, size_bytes = ? WHERE id = ?',
      index.manifestDigest,
      index.manifestType,
      index.sizeBytes,
      id,
    );
  }

  byManifest(digest: Digest): ImageRecord | undefined {
    const row = this.#db.get('SELECT * FROM images WHERE manifest_digest = ?', digest);
    return row && this.#fromRow(row);
  }

  /** Point `name` at the image; it leaves the image it named before. */
  name(name: string, id: ImageId): void {
    this.#db.run(
      `INSERT INTO image_names (name, image_id, seq) VALUES (?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM image_names))
       ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id, seq = excluded.seq`,
      name,
      id,
    );
    this.#db.run('INSERT OR IGNORE INTO image_past_names (image_id, name) VALUES (?, ?)', id, name);
  }

  unname(name: string): void {
    this.#db.run('DELETE FROM image_names WHERE name = ?', name);
  }

  byName(name: string): ImageRecord | undefined {
    const row = this.#db.get('SELECT i.* FROM images i JOIN image_names n ON n.image_id = i.id WHERE n.name = ?', name);
    return row && this.#fromRow(row);
  }

  byId(id: string): ImageRecord | undefined {
    const row = this.#db.get('SELECT * FROM images WHERE id = ?', id);
    return row && this.#fromRow(row);
  }

  has(id: ImageId): boolean {
    return this.#db.get('SELECT 1 FROM images WHERE id = ?', id) !== undefined;
  }

  /** Throws AMBIGUOUS_ID. */
  byIdPrefix(prefix: string): ImageRecord | undefined {
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
    const rows = this.#db.all('SELECT * FROM images WHERE id >= ? AND id < ? LIMIT 2', prefix, `${prefix}g`);
    if (rows.length > 1)
      throw new EngineError('AMBIGUOUS_ID', `image ID prefix ${prefix} is ambiguous`, {
        hint: 'Give more characters of the id, or a name.',
      });
    return rows[0] && this.#fromRow(rows[0]);
  }

  /** All names, for suffix matching of short names. */
  allNames(): { readonly name: string; readonly imageId: string }[] {
    return this.#db
      .all('SELECT name, image_id FROM image_names ORDER BY name')
      .map((row) => ({ name: String(row['name']), imageId: String(row['image_id']) }));
  }

  /** Newest first; of equals the one stored first. */
  list(): ImageRecord[] {
    return this.#db.all('SELECT * FROM images ORDER BY created_ms DESC, stored_ms, id').map((row) => this.#fromRow(row));
  }

  count(): number {
    return Number(this.#db.get('SELECT count(*) AS number FROM images')?.['number'] ?? 0);
  }

  /** Every name the image has or had, in the order they were given. */
  pastNames(id: ImageId): string[] {
    return this.#db.all('SELECT name FROM image_past_names WHERE image_id = ? ORDER BY seq', id).map((row) => String(row['name']));
  }

  remove(id: ImageId): void {
    this.#db.run('DELETE FROM images WHERE id = ?', id);
  }

  #fromRow(row: Row): ImageRecord {
    return {
      id: String(row['id']) as ImageId,
      manifestDigest: String(row['manifest_digest']) as Digest,
      manifestType: String(row['manifest_type']),
      indexDigest: row['index_digest'] === null ? undefined : (String(row['index_digest']) as Digest),
      config: JSON.parse(String(row['config'])) as ImageConfig,
      layers: JSON.parse(String(row['layers'])) as Digest[],
      createdMs: Number(row['created_ms']),
      sizeBytes: Number(row['size_bytes']),
      storedMs: Number(row['stored_ms']),
      names: this.#db
        .all('SELECT name FROM image_names WHERE image_id = ? ORDER BY seq DESC', String(row['id']))
        .map((name) => String(name['name'])),
    };
  }
}
