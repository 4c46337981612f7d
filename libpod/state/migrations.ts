/** Numbered, append-only: the index of the last one is the schema version (PRAGMA user_version). */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE TABLE images (
      id TEXT PRIMARY KEY, manifest_digest TEXT NOT NULL, manifest_type TEXT NOT NULL, index_digest TEXT,
      config TEXT NOT NULL, layers TEXT NOT NULL, created_ms INTEGER NOT NULL, size_bytes INTEGER NOT NULL, stored_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE image_names (name TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE) STRICT, WITHOUT ROWID`,
    `CREATE INDEX image_names_by_image ON image_names(image_id)`,
    `CREATE TABLE containers (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image_id TEXT, config TEXT NOT NULL, created_ms INTEGER NOT NULL,
      status TEXT NOT NULL, run_count INTEGER NOT NULL DEFAULT 0, restart_count INTEGER NOT NULL DEFAULT 0,
      pid INTEGER, pid_start INTEGER, monitor_pid INTEGER, monitor_start INTEGER,
      started_ms INTEGER, finished_ms INTEGER, exit_code INTEGER, oom_killed INTEGER NOT NULL DEFAULT 0, stopped_by_user INTEGER NOT NULL DEFAULT 0,
      error TEXT, network TEXT
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX containers_by_status ON containers(status)`,
    `CREATE INDEX containers_by_image ON containers(image_id)`,
    `CREATE TABLE container_dependencies (
      container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE, needs_id TEXT NOT NULL REFERENCES containers(id),
      PRIMARY KEY (container_id, needs_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE exit_codes (id TEXT PRIMARY KEY, code INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE TABLE exec_sessions (
      id TEXT PRIMARY KEY, container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE, config TEXT NOT NULL,
      status TEXT NOT NULL, pid INTEGER, pid_start INTEGER, exit_code INTEGER, started_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE volumes (
      name TEXT PRIMARY KEY, driver TEXT NOT NULL, anonymous INTEGER NOT NULL, labels TEXT NOT NULL, options TEXT NOT NULL,
      created_ms INTEGER NOT NULL, needs_copy_up INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE volume_uses (
      volume TEXT NOT NULL REFERENCES volumes(name), container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
      PRIMARY KEY (volume, container_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, id TEXT NOT NULL,
      name TEXT NOT NULL, image TEXT NOT NULL, exit_code INTEGER, attributes TEXT NOT NULL
    ) STRICT`,
  ],
  [
    // Which name came last, and which there ever were.
    `ALTER TABLE image_names ADD COLUMN seq INTEGER NOT NULL DEFAULT 0`,
    `CREATE TABLE image_past_names (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, name TEXT NOT NULL,
      UNIQUE (image_id, name)
    ) STRICT`,
    // What lost its last reference and is still to be removed from the disk.
    `CREATE TABLE garbage (kind TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID`,
    `ALTER TABLE volumes ADD COLUMN uid INTEGER`,
    `ALTER TABLE volumes ADD COLUMN gid INTEGER`,
    `ALTER TABLE volumes ADD COLUMN removing INTEGER NOT NULL DEFAULT 0`,
    `CREATE INDEX volumes_removing ON volumes(name) WHERE removing = 1`,
  ],
  [
    // Compressed blobs that layers were pushed as, and where.
    `CREATE TABLE layer_blobs (
      diff_id TEXT NOT NULL, digest TEXT NOT NULL, repository TEXT NOT NULL, size_bytes INTEGER NOT NULL, compression TEXT NOT NULL,
      seen_ms INTEGER NOT NULL, PRIMARY KEY (diff_id, digest, repository)
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    // What manifest lists (rows of `images`) list: `source` is a reference in a registry, NULL where the parts are in this store and kept for the list.
    `CREATE TABLE list_instances (
      list_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, digest TEXT NOT NULL, source TEXT, blobs TEXT NOT NULL, layers TEXT NOT NULL,
      files TEXT NOT NULL, PRIMARY KEY (list_id, digest)
    ) STRICT, WITHOUT ROWID`,
    // `blobs`: the manifest, the config and the files of the artifact.
    `CREATE TABLE artifacts (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, size_bytes INTEGER NOT NULL, created TEXT NOT NULL,
      blobs TEXT NOT NULL
    ) STRICT`,
  ],
  [`CREATE TABLE mounts (kind TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID`],
  [
    `CREATE TABLE secrets (
      id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, driver TEXT NOT NULL, options TEXT NOT NULL, labels TEXT NOT NULL,
      created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    // What a mounted secret was when its container was made, in base64.
    `CREATE TABLE container_secrets (
      container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE, secret_id TEXT NOT NULL, data TEXT NOT NULL,
      PRIMARY KEY (container_id, secret_id)
    ) STRICT, WITHOUT ROWID`,
    `ALTER TABLE volumes ADD COLUMN image_id TEXT`,
    // How often `volume mount` mounted it and `volume unmount` did not undo that.
    `ALTER TABLE volumes ADD COLUMN mount_count INTEGER NOT NULL DEFAULT 0`,
    // How the health checks of a container's present run went, as JSON.
    `ALTER TABLE containers ADD COLUMN health TEXT`,
    `ALTER TABLE events ADD COLUMN health TEXT`,
  ],
  [
    `CREATE TABLE pods (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    `ALTER TABLE containers ADD COLUMN pod_id TEXT REFERENCES pods(id)`,
    `CREATE INDEX containers_by_pod ON containers(pod_id) WHERE pod_id IS NOT NULL`,
  ],
  [
    // What steps of builds came to: `layer` is NULL where no files were changed. A layer that is removed takes its rows with it.
    `CREATE TABLE build_steps (key TEXT PRIMARY KEY, layer TEXT, created TEXT NOT NULL, used_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE INDEX build_steps_layer ON build_steps(layer)`,
  ],
];
