/**
 * The files of an archive or a directory, by name. An archive is indexed once by its headers, seeking over the bodies,
 * so that its layers can then be read side by side straight from the file: nothing is unpacked or copied.
 * Names are only ever looked up, never joined to a path, so nothing outside can be reached.
 */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { BLOCK_BYTES, paddingBytes, type TarEntry } from '../tar/entry.ts';
import { TarParser } from '../tar/parser.ts';

export interface Files {
  /** For messages. */
  readonly path: string;
  /** Undefined when there is no such file. Throws IMAGE_CORRUPT when the name is there twice or its links lead nowhere. */
  sizeOf(name: string): Promise<number | undefined>;
  /** Throws IMAGE_CORRUPT when missing. */
  read(name: string, limitBytes: number): Promise<Buffer>;
  /** Each call is a stream of its own. Throws IMAGE_CORRUPT when missing. */
  stream(name: string): Promise<Readable>;
}

const CHUNK_BYTES = 2 ** 20;
/** An image archive has a handful of files per layer. */
const ENTRY_LIMIT = 100_000;
const LINK_LIMIT = 16;

/** Index the tar file at `path`. Throws IMAGE_CORRUPT when it is none, or over a limit. */
export function openTarFiles(path: string): Files {
  const index = indexTar(path);
  const find = (name: string): Body | undefined => {
    const seen: string[] = [];
    for (let at = clean(name); ;) {
      const entry = index.get(at);
      if (entry === undefined) return undefined;
      if (entry === 'twice') throw new EngineError('IMAGE_CORRUPT', `${path}: holds ${JSON.stringify(at)} more than once`);
      if ('start' in entry) return entry;
      seen.push(at);
      if (seen.length > LINK_LIMIT)
        throw new EngineError('IMAGE_CORRUPT', `${path}: links lead in a circle: ${seen.slice(0, 3).join(' -> ')} …`);
      at = entry.target;
    }
  };
  const get = (name: string): Body => find(name) ?? missing(path, name);
  return {
    path,
    sizeOf: async (name) => find(name)?.sizeBytes,
    read: async (name, limitBytes) => {
      const body = get(name);
      if (body.sizeBytes > limitBytes) throw tooLarge(path, name, limitBytes);
      return readAt(path, body);
    },
    stream: async (name) => streamAt(path, get(name)),
  };
}

/** `path` is the caller's own choice; the names asked for are fixed ones or the hex of a checked digest. */
export function openDirectoryFiles(path: string): Files {
  const get = async (name: string): Promise<{ file: string; sizeBytes: number }> => {
    const file = join(path, name);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) return missing(path, name);
    if (!found.isFile()) throw new EngineError('IMAGE_CORRUPT', `${file}: is no regular file`);
    return { file, sizeBytes: found.size };
  };
  return {
    path,
    sizeOf: async (name) =>
      stat(join(path, name)).then(
        (found) => (found.isFile() ? found.size : undefined),
        () => undefined,
      ),
    read: async (name, limitBytes) => {
      const { file, sizeBytes } = await get(name);
      if (sizeBytes > limitBytes) throw tooLarge(path, name, limitBytes);
      return readFile(file);
    },
    stream: async (name) => createReadStream((await get(name)).file, { highWaterMark: CHUNK_BYTES }),
  };
}

interface Body {
  readonly start: number;
  readonly sizeBytes: number;
}

/** `twice`: two files of one name, so that readers could disagree which is meant. */
type Indexed = Body | { readonly target: string } | 'twice';

function indexTar(path: string): ReadonlyMap<string, Indexed> {
  const fd = openSync(path, 'r');
  try {
    const fileSize = fstatSync(fd).size;
    const index = new Map<string, Indexed>();
    let members = 0;
    for (let next: Member | undefined = readMember(fd, 0); next; next = readMember(fd, next.end)) {
      if (next.end > fileSize + paddingBytes(next.body.sizeBytes)) throw new EngineError('IMAGE_CORRUPT', `${path}: unexpected EOF`);
      if (++members > ENTRY_LIMIT) throw new EngineError('IMAGE_CORRUPT', `${path}: more than ${ENTRY_LIMIT} files in the archive`);
      const indexed = indexedOf(next);
      if (indexed === undefined) continue;
      const name = clean(next.entry.path.toString('utf8'));
      index.set(name, index.has(name) ? 'twice' : indexed);
    }
    return index;
  } finally {
    closeSync(fd);
  }
}

interface Member {
  readonly entry: TarEntry;
  readonly body: Body;
  /** Where the next header stands. */
  readonly end: number;
}

function indexedOf({ entry, body }: Member): Indexed | undefined {
  const target = entry.linkPath.toString('utf8');
  if (entry.type === 'file') return body;
  if (entry.type === 'hardlink') return { target: clean(target) };
  if (entry.type !== 'symlink') return undefined;
  const name = clean(entry.path.toString('utf8'));
  return { target: clean(target.startsWith('/') ? target : `${name.slice(0, name.lastIndexOf('/') + 1)}${target}`) };
}

/** Feed header blocks to a fresh parser until it announces an entry; its body is then skipped by seeking. Undefined at the end marker. */
function readMember(fd: number, from: number): Member | undefined {
  let entry: TarEntry | undefined;
  const parser = new TarParser({ entry: (found) => (entry = found), body: () => undefined, end: () => undefined });
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = from; ;) {
    const length = readSync(fd, block, 0, BLOCK_BYTES, at);
    if (length < BLOCK_BYTES) {
      parser.write(block.subarray(0, length));
      parser.finish();
      return undefined;
    }
    parser.write(block);
    at += BLOCK_BYTES;
    if (entry) return { entry, body: { start: at, sizeBytes: entry.sizeBytes }, end: at + entry.sizeBytes + paddingBytes(entry.sizeBytes) };
    if (at === from + BLOCK_BYTES && block.every((byte) => byte === 0)) return undefined;
  }
}

/** `./a//b/../c` is `a/c`; a name that climbs out stays unlike any other, so that nothing finds it. */
function clean(name: string): string {
  const kept: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return kept.join('/');
}

function readAt(path: string, { start, sizeBytes }: Body): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(sizeBytes);
    if (readSync(fd, bytes, 0, sizeBytes, start) !== sizeBytes) throw new EngineError('IMAGE_CORRUPT', `${path}: unexpected EOF`);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function streamAt(path: string, { start, sizeBytes }: Body): Readable {
  // `end` is inclusive, so an empty range cannot be said.
  if (sizeBytes === 0) return createReadStream('/dev/null');
  return createReadStream(path, { start, end: start + sizeBytes - 1, highWaterMark: CHUNK_BYTES });
}

function missing(path: string, name: string): never {
  throw new EngineError('IMAGE_CORRUPT', `file ${JSON.stringify(name.slice(0, 200))} not found in ${path}`);
}

function tooLarge(path: string, name: string, limitBytes: number): EngineError {
  return new EngineError('IMAGE_CORRUPT', `${path}: ${name} is larger than ${limitBytes} bytes`);
}
