/** ADD of a local archive: what is in it becomes part of the layer, with its owners and modes whatever `--chown` and `--chmod` say. */
import { closeSync, constants, createReadStream, readSync } from 'node:fs';
import { decompress, detectCompression, type Compression } from '../../storage/transport/compression.ts';
import { noBody, readTar, type TarMember } from '../../storage/tar/read.ts';
import { log } from '../../core/log.ts';
import type { Root } from '../../host/root.ts';
import type { Destination } from './destination.ts';
import type { CopyRequest } from './members.ts';
import type { TreeSource } from './sources.ts';

const HEAD_BYTES = 512;
const USTAR_AT = 257;

/** A tar, plain or compressed by gzip, zstd, xz or bzip2. What has the name of one and is damaged counts: it is an error and no file. */
export async function isArchive({ root, path }: Pick<TreeSource, 'root' | 'path'>): Promise<boolean> {
  const head = headOf(root, path);
  const compression = detectCompression(head);
  if (compression === undefined) return isTarHead(head);
  return isTarName(path) || isTarHead(await plainHead(root, path, compression));
}

function isTarHead(head: Buffer): boolean {
  return head.length === HEAD_BYTES && head.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar';
}

function isTarName(path: string): boolean {
  return /\.(tar\.\w+|tgz|tzst|txz|tbz2?)$/.test(path);
}

/** Shorter where the file is damaged, or nothing on this machine reads it: then it is copied as it is. */
async function plainHead(root: Root, path: string, compression: Compression): Promise<Buffer> {
  const file = createReadStream('', { fd: root.open(path, constants.O_RDONLY) });
  let head: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of (await decompress(file, compression)) as AsyncIterable<Buffer>) {
      head = Buffer.concat([head, chunk]).subarray(0, HEAD_BYTES);
      if (head.length === HEAD_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    log.debug(`${path} is copied as it is: ${error.message}`);
  } finally {
    file.destroy();
  }
  return head;
}

export async function* archiveMembers(
  { root, path }: TreeSource,
  target: string,
  { destination }: CopyRequest,
): AsyncGenerator<TarMember, void> {
  for (const entry of destination.above(target)) yield { entry, body: noBody() };
  const isNew = target !== '' && !destination.isDirectory(target);
  const compression = detectCompression(headOf(root, path));
  const file = createReadStream('', { fd: root.open(path, constants.O_RDONLY) });
  const content = await decompress(file, compression);
  const inside = (name: string): string =>
    [target, name.replace(/^(\.?\/)+/, '').replace(/\/+$/, '')].filter((part) => part !== '').join('/');
  for await (const { entry, body } of readTar(content)) {
    const name = inside(entry.path.toString('latin1'));
    if (name === target || name.endsWith('/.')) {
      // What the archive says of its top holds for a directory that is made for it.
      if (!isNew || entry.type !== 'directory') continue;
      destination.tell(target);
      yield { entry: { ...entry, path: Buffer.from(`${target}/`, 'latin1') }, body };
      continue;
    }
    for (const top of destination.directory(target)) yield { entry: top, body: noBody() };
    const place = placeOf(destination, name, entry.type === 'directory');
    for (const above of destination.above(place)) yield { entry: above, body: noBody() };
    if (entry.type === 'directory') destination.tell(place);
    const linkPath =
      entry.type === 'hardlink'
        ? Buffer.from(placeOf(destination, inside(entry.linkPath.toString('latin1')), false), 'latin1')
        : entry.linkPath;
    yield { entry: { ...entry, path: Buffer.from(place, 'latin1'), linkPath }, body };
  }
}

/** With the links of the tree below followed: an archive with `lib/` fills the directory that /lib leads to. */
function placeOf(destination: Destination, name: string, isDirectory: boolean): string {
  if (isDirectory && destination.isDirectory(name)) return destination.resolve(name);
  const slash = name.lastIndexOf('/');
  return slash < 0 ? name : `${destination.resolve(name.slice(0, slash))}/${name.slice(slash + 1)}`;
}

function headOf(root: Root, path: string): Buffer {
  const fd = root.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}
