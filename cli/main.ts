/**
 * The executable's first lines. The code of everything else is loaded through V8's compile cache, which saves a third of the start;
 * the cache is the user's own directory, and an unusable one only costs time.
 */
import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { createRequire, enableCompileCache } from 'node:module';
import { extname, join } from 'node:path';
import { trace } from '../host/trace.ts';

trace('node');
/** Verbs with a cache each: it holds what the first process that wrote it had compiled, and another verb's code would never come in. */
const OWN_CACHE = ['run', 'exec', 'ps', 'images', 'inspect', 'create', 'start', 'stop', 'rm', 'logs', 'container', 'load', 'pull'];
/** On a disk that is almost full the cache would take what the store has set aside for removals. */
const LEAST_FREE_BYTES = 8 * 2 ** 20;
const { HOME, XDG_CACHE_HOME } = process.env;
if (XDG_CACHE_HOME?.startsWith('/') || HOME?.startsWith('/')) {
  const directory = join(
    XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : join(HOME!, '.cache'),
    'lichen',
    'compiled',
    OWN_CACHE.find((verb) => verb === process.argv[2]) ?? 'other',
  );
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Compiled code is code: it must not come from a directory that somebody else can write to (sudo with another user's HOME).
    const { uid, mode } = statSync(directory);
    const { bavail, bsize } = statfsSync(directory);
    if (uid === process.geteuid!() && (mode & 0o022) === 0 && bavail * bsize >= LEAST_FREE_BYTES) enableCompileCache(directory);
  } catch {
    // A home that cannot be written to.
  }
}
// Loaded by require, which costs a third of what an import of the same file does.
const { main } = createRequire(import.meta.filename)(`./program${extname(import.meta.filename)}`) as typeof import('./program.ts');
void main();
