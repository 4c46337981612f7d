/**
 * Loads the parts of the built program (scripts/build.ts) with V8's code cache. Node has this itself (enableCompileCache), but reads a file as
 * UTF-8 through four copies of it and then looks for it with the machinery of modules; on a machine where a page fault costs 10 µs that is a fifth
 * of the start.
 *
 * The cache is written once, by the first process that gets to its end, and holds what that process had compiled: so each of the usual verbs has
 * its own, and code of another verb is compiled when it is first called. V8 itself refuses a cache of another version or other flags.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants, Script } from 'node:vm';

/** With a dash: a command and its subcommand. */
const OWN_CACHE = [
  'network-create',
  'run',
  'exec',
  'ps',
  'images',
  'inspect',
  'create',
  'start',
  'stop',
  'rm',
  'logs',
  'container',
  'load',
  'pull',
  'network',
];
/** On a disk that is almost full the cache would take what the store has set aside for removals. */
const LEAST_FREE_BYTES = 8 * 2 ** 20;

/** A part's modules by path; each is run when it is first asked for. */
type Modules = Readonly<Record<string, () => object>>;

/** A part as the build writes it: ASCII, and with its wrapper, so that the source is read and handed over without another copy. */
type Wrapped = (module: { exports: Modules }, require: NodeJS.Require, filename: string, directory: string, part: Parts) => void;

export type Parts = (name: string) => Modules;

/** The parts of the program in `directory`, each loaded once, when it is first needed. `build` is another word for other contents. */
export function bundledParts(directory: string, build: string): Parts {
  const loaded = new Map<string, Modules>();
  const part: Parts = (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const path = join(directory, `${name}.cjs`);
    const module = { exports: {} };
    const wrapped = compile(path, cachePath(build, name));
    loaded.set(name, module.exports);
    wrapped(module, ((id: string) => createRequire(path)(id) as unknown) as NodeJS.Require, path, directory, part);
    loaded.set(name, module.exports);
    return module.exports;
  };
  return part;
}

function compile(path: string, cache: string | undefined): Wrapped {
  const source = readBytes(path);
  const text = source.toString('latin1');
  const cachedData = cache === undefined ? undefined : readCache(cache, source.buffer);
  const script = new Script(text, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cache !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once('exit', () => writeCache(cache, script.createCachedData()));
  }
  return script.runInThisContext() as Wrapped;
}

/** Undefined where there is no home to keep it in. */
function cachePath(build: string, part: string): string | undefined {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const base = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : HOME?.startsWith('/') ? join(HOME, '.cache') : undefined;
  // bin/lichen starts some verbs with other flags of V8, which go into what it compiles.
  const [, , command, subcommand] = process.argv;
  const verb =
    OWN_CACHE.find((word) => word === command || word === `${command}-${subcommand}`) ??
    (process.execArgv.includes('--no-opt') ? 'short' : 'other');
  return base === undefined ? undefined : join(base, 'lichen', 'compiled', build, `${verb}-${part}`);
}

/** Compiled code is code: it must not come from a directory that somebody else can write to (sudo with another user's HOME). */
function readCache(path: string, memory: ArrayBuffer): Buffer | undefined {
  try {
    return isOurs(dirname(path)) ? readBytes(path, memory) : undefined;
  } catch {
    return undefined;
  }
}

/** Into `memory` where it is large enough: pages that were touched before cost nothing. */
function readBytes(path: string, memory?: ArrayBuffer): Buffer<ArrayBuffer> {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = memory !== undefined && memory.byteLength >= size ? Buffer.from(memory, 0, size) : Buffer.allocUnsafeSlow(size);
    let fill = 0;
    for (let count = -1; count !== 0 && fill < size; fill += count) count = readSync(fd, bytes, { offset: fill });
    return bytes.subarray(0, fill);
  } finally {
    closeSync(fd);
  }
}

/** Complete or absent, also after a power cut: V8 does not check what it is given. What another build left goes away. */
function writeCache(path: string, data: Buffer): void {
  try {
    const directory = dirname(path);
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = statfsSync(directory);
    if (!isOurs(directory) || bavail * bsize < LEAST_FREE_BYTES) return;
    const partial = `${path}.${process.pid}`;
    const fd = openSync(partial, 'wx', 0o600);
    writeSync(fd, data);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(partial, path);
    if (made !== undefined) removeOthers(directory);
  } catch {
    // A home that cannot be written to.
  }
}

function removeOthers(directory: string): void {
  const parent = dirname(directory);
  for (const name of readdirSync(parent)) {
    if (join(parent, name) !== directory) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isOurs(directory: string): boolean {
  const { uid, mode } = statSync(directory);
  return uid === process.geteuid!() && (mode & 0o022) === 0;
}
