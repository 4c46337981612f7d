/** Artifacts of the store: a name, the digest of a manifest, and the blobs that are kept for it. */
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { Database, Row } from './database.ts';

export interface ArtifactRecord {
  /** As it was typed: no tag or registry is added. */
  readonly name: string;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Of its files. */
  readonly sizeBytes: number;
  /** What the manifest says, RFC 3339; empty: it does not. */
  readonly created: string;
  /** Manifest, config, files. */
  readonly blobs: readonly Digest[];
}

export class ArtifactTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** In the order in which the names came. */
  list(): ArtifactRecord[] {
    return this.#db.all('SELECT * FROM artifacts ORDER BY seq').map(fromRow);
  }

  byName(name: string): ArtifactRecord | undefined {
    const row = this.#db.get('SELECT * FROM artifacts WHERE name = ?', name);
    return row && fromRow(row);
  }

  /** By name, or by the digest or the beginning of its hex. Throws NO_SUCH_ARTIFACT, AMBIGUOUS_ID. */
  find(text: string): ArtifactRecord {
    const named = this.byName(text);
    if (named) return named;
    const hex = text.replace(/^sha256:/, '');
    const matches = /^[0-9a-f]{1,64}$/.test(hex) ? this.list().filter(({ digest }) => digest.startsWith(`sha256:${hex}`)) : [];
    if (new Set(matches.map(({ digest }) => digest)).size > 1) {
      throw new EngineError('AMBIGUOUS_ID', `artifact digest prefix ${text} is ambiguous`, {
        hint: 'Give more characters of the digest, or the name.',
      });
    }
    const [match] = matches;
    if (match === undefined) throw new EngineError('NO_SUCH_ARTIFACT', `${text}: artifact does not exist`);
    return match;
  }

  /** Another artifact of this name is replaced; its place in the list stays. */
  put({ name, digest, sizeBytes, created, blobs }: ArtifactRecord): void {
    this.#db.run(
      `INSERT INTO artifacts (name, digest, size_bytes, created, blobs) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes, created = excluded.created, blobs = excluded.blobs`,
      name,
      digest,
      sizeBytes,
      created,
      JSON.stringify(blobs),
    );
  }

  remove(name: string): void {
    this.#db.run('DELETE FROM artifacts WHERE name = ?', name);
  }
}

function fromRow(row: Row): ArtifactRecord {
  return {
    name: String(row['name']),
    digest: String(row['digest']) as Digest,
    sizeBytes: Number(row['size_bytes']),
    created: String(row['created']),
    blobs: JSON.parse(String(row['blobs'])) as Digest[],
  };
}
