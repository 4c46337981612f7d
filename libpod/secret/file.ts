/** A file for each secret, readable by its owner alone. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Engine } from '../engine.ts';
import { noData, type SecretDriver } from './driver.ts';

/** `path` names another directory than the store's own; other options mean nothing here. */
export function fileDriver(engine: Engine, options: Readonly<Record<string, string>>): SecretDriver {
  const own = join(engine.paths.store, 'secrets', 'filedriver');
  const directory = options['path'] === undefined ? own : resolve(options['path']);
  return {
    options: { ...options, path: directory },
    store: async (id, data) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      if (directory === own) sweep(engine, own);
      const target = join(directory, id);
      const partial = `${target}.partial`;
      try {
        writeWhole(partial, data);
        renameSync(partial, target);
      } catch (error) {
        rmSync(partial, { force: true });
        throw error;
      }
    },
    lookUp: async (id) => {
      try {
        return readFileSync(join(directory, id));
      } catch (error) {
        throw noData(id, error);
      }
    },
    // What is gone already is removed: a killed removal may be done again.
    remove: async (id) => rmSync(join(directory, id), { force: true }),
  };
}

function writeWhole(path: string, data: Buffer): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    for (let offset = 0; offset < data.length;) offset += writeSync(fd, data, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Files of a creation that was killed before its row was there. The lock of all secrets is held, so no other one is under way. */
function sweep(engine: Engine, directory: string): void {
  const known = new Set(engine.secrets.list().map(({ id }) => id));
  for (const name of readdirSync(directory)) if (!known.has(name)) rmSync(join(directory, name), { force: true });
}
