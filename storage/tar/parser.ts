/**
 * A tar stream taken apart as its chunks arrive, synchronously, without copying bodies.
 *
 * The archive is a row of 512-byte blocks:
 *   header → (x, L, K: a described body, kept in memory up to 1 MiB, then header again) → body → padding → header … → two zero blocks → trailer.
 * Everything that is not a body is also handed out raw and in order, so that the archive can be reproduced.
 * Where readers differ, Go's archive/tar decides, because it read every image there is: global PAX headers (g) are ignored, PAX beats ustar,
 * GNU long names beat PAX, links and directories have no body whatever their size says, what follows the end marker is not read.
 */
import { BLOCK_BYTES, NO_XATTRS, paddingBytes, type TarEntry } from './entry.ts';
import { isZeroBlock, parseHeader, TYPE_OF_FLAG, type TarHeader } from './header.ts';
import { malformedTar } from './malformed.ts';
import { parsePax, paxNumber, paxTime, XATTR_PREFIX } from './pax.ts';

/** Slices are only valid during the call. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** A piece of the body of the last entry; never empty. */
  body(bytes: Buffer): void;
  /** The entry is complete. */
  end(): void;
  /** Headers, paddings, end marker, trailer. */
  raw?(bytes: Buffer): void;
}

/** As Go's reader: a PAX header or long name above this is refused. */
const DESCRIPTION_LIMIT_BYTES = 2 ** 20;

type State = 'header' | 'description' | 'body' | 'padding' | 'trailer';

export class TarParser {
  readonly #handler: TarHandler;
  #state: State = 'header';
  /** Bytes of description, body or padding still to come. */
  #left = 0;
  #offset = 0;
  #sawZeroBlock = false;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #blockFill = 0;
  #description: { readonly flag: string; readonly bytes: Buffer; fill: number } | undefined;
  #padding = 0;
  #pax: Map<string, Buffer> | undefined;
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Throws IMAGE_CORRUPT, and whatever the handler throws. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'header':
          at += this.#readHeader(chunk, at);
          break;
        case 'description':
          at += this.#readDescription(chunk, at);
          break;
        case 'body': {
          const piece = chunk.subarray(at, at + this.#left);
          at += piece.length;
          this.#left -= piece.length;
          this.#handler.body(piece);
          if (this.#left === 0) this.#endBody();
          break;
        }
        case 'padding': {
          const piece = chunk.subarray(at, at + this.#left);
          at += piece.length;
          this.#left -= piece.length;
          this.#handler.raw?.(piece);
          if (this.#left === 0) this.#state = 'header';
          break;
        }
        case 'trailer':
          this.#handler.raw?.(chunk.subarray(at));
          at = chunk.length;
          break;
      }
    }
    this.#offset += chunk.length;
  }

  /**
   * The stream has ended. An archive without its end marker is complete if it ends between members.
   * Throws IMAGE_CORRUPT when it ends inside one.
   */
  finish(): void {
    const inside = this.#state !== 'header' && this.#state !== 'trailer';
    if (inside || this.#blockFill > 0 || this.#expectsEntry())
      throw malformedTar('unexpected EOF', `the archive ends after ${this.#offset} bytes`);
  }

  #expectsEntry(): boolean {
    return this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#blockFill === 0 && chunk.length - at >= BLOCK_BYTES) {
      this.#header(chunk.subarray(at, at + BLOCK_BYTES), this.#offset + at);
      return BLOCK_BYTES;
    }
    const taken = chunk.copy(this.#block, this.#blockFill, at);
    this.#blockFill += taken;
    if (this.#blockFill === BLOCK_BYTES) {
      this.#blockFill = 0;
      this.#header(this.#block, this.#offset + at);
    }
    return taken;
  }

  #header(block: Buffer, at: number): void {
    this.#handler.raw?.(block);
    if (isZeroBlock(block)) {
      if (this.#expectsEntry()) throw malformedTar('unexpected EOF', `a described entry is missing at byte ${at}`);
      if (this.#sawZeroBlock) this.#state = 'trailer';
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw malformedTar('invalid tar header', `an entry follows a zero block at byte ${at}`);
    const header = parseHeader(block, at);
    if (header.flag === 'x' || header.flag === 'g' || header.flag === 'L' || header.flag === 'K') this.#startDescription(header);
    else this.#startEntry(header);
  }

  #startDescription(header: TarHeader): void {
    if (header.sizeBytes > DESCRIPTION_LIMIT_BYTES) throw malformedTar('unsupported', `an extended header of ${header.sizeBytes} bytes`);
    this.#description = { flag: header.flag, bytes: Buffer.allocUnsafe(header.sizeBytes), fill: 0 };
    this.#padding = paddingBytes(header.sizeBytes);
    this.#left = header.sizeBytes;
    this.#state = 'description';
    if (this.#left === 0) this.#endDescription();
  }

  #readDescription(chunk: Buffer, at: number): number {
    const piece = chunk.subarray(at, at + this.#left);
    const description = this.#description!;
    description.fill += piece.copy(description.bytes, description.fill);
    this.#left -= piece.length;
    this.#handler.raw?.(piece);
    if (this.#left === 0) this.#endDescription();
    return piece.length;
  }

  #endDescription(): void {
    const { flag, bytes } = this.#description!;
    this.#description = undefined;
    if (flag === 'x') this.#pax = parsePax(bytes);
    else if (flag === 'L') this.#longName = beforeNul(bytes);
    else if (flag === 'K') this.#longLink = beforeNul(bytes);
    else parsePax(bytes);
    this.#pad();
  }

  #startEntry(header: TarHeader): void {
    const entry = mergeEntry(header, this.#pax, this.#longName, this.#longLink);
    this.#pax = this.#longName = this.#longLink = undefined;
    this.#padding = paddingBytes(entry.sizeBytes);
    this.#left = entry.sizeBytes;
    this.#state = 'body';
    this.#handler.entry(entry);
    if (this.#left === 0) this.#endBody();
  }

  #endBody(): void {
    this.#handler.end();
    this.#pad();
  }

  #pad(): void {
    this.#left = this.#padding;
    this.#state = this.#left === 0 ? 'header' : 'padding';
  }
}

function mergeEntry(
  header: TarHeader,
  pax: Map<string, Buffer> | undefined,
  longName: Buffer | undefined,
  longLink: Buffer | undefined,
): TarEntry {
  const type = TYPE_OF_FLAG[header.flag];
  if (header.flag === 'S') throw malformedTar('unsupported', 'sparse files (GNU) cannot be read');
  if (type === undefined) throw malformedTar('unsupported', `entry type ${JSON.stringify(header.flag)} of ${header.name.toString()}`);
  const size = pax?.get('size');
  const uid = pax?.get('uid');
  const gid = pax?.get('gid');
  const mtime = pax?.get('mtime');
  const sizeBytes = size === undefined ? header.sizeBytes : paxNumber(size, 'size');
  const link = type === 'hardlink' || type === 'symlink';
  return {
    type,
    path: longName ?? pax?.get('path') ?? header.name,
    linkPath: link ? (longLink ?? pax?.get('linkpath') ?? header.linkName) : EMPTY,
    mode: header.mode,
    uid: uid === undefined ? header.uid : paxNumber(uid, 'uid'),
    gid: gid === undefined ? header.gid : paxNumber(gid, 'gid'),
    sizeBytes: type === 'file' ? sizeBytes : 0,
    mtime: mtime === undefined ? { seconds: header.mtimeSeconds, nanoseconds: 0 } : paxTime(mtime, 'mtime'),
    device: header,
    xattrs: pax === undefined ? NO_XATTRS : xattrsOf(pax),
    userName: pax?.get('uname')?.toString('utf8') ?? header.userName,
    groupName: pax?.get('gname')?.toString('utf8') ?? header.groupName,
  };
}

const EMPTY = Buffer.alloc(0);

function xattrsOf(pax: Map<string, Buffer>): ReadonlyMap<string, Buffer> {
  let found: Map<string, Buffer> | undefined;
  for (const [key, value] of pax) {
    if (key.startsWith(XATTR_PREFIX)) (found ??= new Map()).set(key.slice(XATTR_PREFIX.length), value);
  }
  return found ?? NO_XATTRS;
}

function beforeNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}
