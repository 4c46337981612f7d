import { EngineError } from '../../core/errors.ts';
import type { ContainerId, ImageId } from '../../core/id.ts';
import type { Database, Row } from './database.ts';

export interface VolumeRecord {
  readonly name: string;
  readonly driver: string;
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly createdMs: number;
  /** Still to be filled from the image when a container first mounts it. */
  readonly needsCopyUp: boolean;
  /** Asked for when it was made, as ids inside our user namespace; absent: that of the directory it is filled from. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Of the driver `image`: whose tree it shows. */
  readonly imageId?: ImageId;
}

export class VolumeTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Throws NAME_IN_USE. */
  insert(volume: VolumeRecord): void {
    if (this.get(volume.name))
      throw new EngineError('NAME_IN_USE', `volume with name ${volume.name} already exists: volume already exists`);
    this.#db.run(
      'INSERT INTO volumes (name, driver, anonymous, labels, options, created_ms, needs_copy_up, uid, gid, image_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      volume.name,
      volume.driver,
      Number(volume.anonymous),
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
      volume.createdMs,
      Number(volume.needsCopyUp),
      volume.owner?.uid ?? null,
      volume.owner?.gid ?? null,
      volume.imageId ?? null,
    );
  }

  get(name: string): VolumeRecord | undefined {
    const row = this.#db.get('SELECT * FROM volumes WHERE name = ?', name);
    return row && fromRow(row);
  }

  /** By name or unambiguous prefix. Throws NO_SUCH_VOLUME, AMBIGUOUS_ID. */
  find(name: string): VolumeRecord {
    const exact = this.get(name);
    if (exact && !this.#isRemoving(name)) return exact;
    const matches = this.list().filter((volume) => volume.name.startsWith(name));
    if (matches.length === 1 && name !== '') return matches[0]!;
    if (matches.length > 1 && name !== '') throw new EngineError('AMBIGUOUS_ID', `more than one result for volume name ${name}`);
    throw new EngineError('NO_SUCH_VOLUME', `no volume with name "${name}" found: no such volume`);
  }

  /** The newest last. */
  list(): VolumeRecord[] {
    return this.#db.all('SELECT * FROM volumes WHERE removing = 0 ORDER BY created_ms, name').map(fromRow);
  }

  /** Volumes whose removal is under way, or was when its process was killed. One look at a partial index: every command asks. */
  underRemoval(): string[] {
    return this.#db.all('SELECT name FROM volumes WHERE removing = 1').map((row) => String(row['name']));
  }

  /** From here on it is to be removed: no container may use it any more, lists do not show it. */
  markRemoving(name: string, removing = true): void {
    this.#db.run('UPDATE volumes SET removing = ? WHERE name = ?', Number(removing), name);
  }

  markFilled(name: string): void {
    this.#db.run('UPDATE volumes SET needs_copy_up = 0 WHERE name = ?', name);
  }

  /** How often it is mounted by `volume mount`. */
  mountCount(name: string): number {
    return Number(this.#db.get('SELECT mount_count FROM volumes WHERE name = ?', name)?.['mount_count'] ?? 0);
  }

  /** Never below zero. */
  countMount(name: string, change: 1 | -1): void {
    this.#db.run('UPDATE volumes SET mount_count = max(0, mount_count + ?) WHERE name = ?', change, name);
  }

  /** A new boot has nothing mounted. */
  forgetMounts(): void {
    this.#db.run('UPDATE volumes SET mount_count = 0 WHERE mount_count > 0');
  }

  /** Those that show the image's tree. */
  ofImage(image: ImageId): VolumeRecord[] {
    return this.#db.all('SELECT * FROM volumes WHERE image_id = ?', image).map(fromRow);
  }

  remove(name: string): void {
    this.#db.run('DELETE FROM volumes WHERE name = ?', name);
  }

  /** Throws LOCKED while another process removes the volume. */
  use(name: string, container: ContainerId): void {
    if (this.#isRemoving(name)) throw new EngineError('LOCKED', `volume ${name} is being removed`, { hint: 'Try again in a moment.' });
    this.#db.run('INSERT OR IGNORE INTO volume_uses (volume, container_id) VALUES (?, ?)', name, container);
  }

  users(name: string): string[] {
    return this.#db.all('SELECT container_id FROM volume_uses WHERE volume = ?', name).map((row) => String(row['container_id']));
  }

  usedBy(container: ContainerId): VolumeRecord[] {
    return this.#db
      .all('SELECT v.* FROM volumes v JOIN volume_uses u ON u.volume = v.name WHERE u.container_id = ?', container)
      .map(fromRow);
  }

  #isRemoving(name: string): boolean {
    return this.#db.get('SELECT 1 FROM volumes WHERE name = ? AND removing = 1', name) !== undefined;
  }
}

function fromRow(row: Row): VolumeRecord {
  const { uid, gid } = row;
  return {
    name: String(row['name']),
    driver: String(row['driver']),
    anonymous: row['anonymous'] === 1,
    labels: JSON.parse(String(row['labels'])) as Record<string, string>,
    options: JSON.parse(String(row['options'])) as Record<string, string>,
    createdMs: Number(row['created_ms']),
    needsCopyUp: row['needs_copy_up'] === 1,
    ...(typeof row['image_id'] === 'string' ? { imageId: row['image_id'] as ImageId } : {}),
    ...(typeof uid === 'number' && typeof gid === 'number' ? { owner: { uid, gid } } : {}),
  };
}
