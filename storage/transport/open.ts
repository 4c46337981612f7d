/** Images that are not in a registry: told by their transport (`oci-archive:PATH`), or by their contents as `load` does. */
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Platform } from '../image.ts';
import { openDockerArchive, isDockerArchive } from './docker-archive.ts';
import { openDirectoryFiles, openTarFiles, type Files } from './files.ts';
import { isOciLayout, openImageDirectory, openOciLayout } from './oci-layout.ts';
import type { ImageSource, ImageSources } from './source.ts';
import { plainFile, spool, type Spooled } from './spool.ts';

export interface OpenRequest {
  /** Directory for input that has to be put aside; on the file system of the store. */
  readonly staging: string;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

export const FILE_TRANSPORTS = ['docker-archive', 'oci-archive', 'oci', 'dir'] as const;
export type FileTransport = (typeof FILE_TRANSPORTS)[number];
const FOREIGN_TRANSPORTS = ['containers-storage', 'docker-daemon', 'ostree', 'sif', 'tarball'];

export interface FileSource {
  readonly transport: FileTransport;
  /** `PATH`, or `PATH:NAME` */
  readonly rest: string;
}

/** `oci:/x:tag` split; undefined when the text names no file transport, so that it is a reference. Throws NOT_SUPPORTED for those we do not speak. */
export function parseFileSource(text: string): FileSource | undefined {
  const colon = text.indexOf(':');
  const word = text.slice(0, Math.max(colon, 0));
  if (FOREIGN_TRANSPORTS.includes(word)) throw new EngineError('NOT_SUPPORTED', `unsupported transport ${JSON.stringify(word)}`);
  const transport = FILE_TRANSPORTS.find((name) => name === word);
  return transport === undefined ? undefined : { transport, rest: text.slice(colon + 1) };
}

/** What a transport and its PATH[:NAME] say. Throws IMAGE_CORRUPT, NO_SUCH_IMAGE, ARCHIVE_UNSUPPORTED with Podman's words for a missing path. */
export async function openFileSource(transport: FileTransport, rest: string, request: OpenRequest): Promise<ImageSources> {
  if (transport === 'dir') {
    mustExist(`${rest}/manifest.json`, (path) => `open ${path}: no such file or directory`);
    return { images: [await openImageDirectory(openDirectoryFiles(rest))], [Symbol.asyncDispose]: async () => undefined };
  }
  const { path, name } = splitName(rest);
  if (transport === 'oci') {
    mustExist(`${path}/index.json`, (missing) => `open ${missing}: no such file or directory`);
    const images = await openOciLayout(openDirectoryFiles(path), { transport, platform: request.platform, name });
    return { images, [Symbol.asyncDispose]: async () => undefined };
  }
  mustExist(path, (missing) =>
    transport === 'oci-archive'
      ? `creating temp directory: archive file not found: ${JSON.stringify(missing)}`
      : `opening file ${JSON.stringify(missing)}: open ${missing}: no such file or directory`,
  );
  const spooled = await plainFile(path, request.staging, request.signal);
  return holding(spooled, async () => {
    const files = openTarFiles(spooled.path);
    if (transport === 'oci-archive') return openOciLayout(files, { transport, platform: request.platform, name });
    return selectImages(await openDockerArchive(files, `docker-archive:${path}`), name);
  });
}

/** An archive or directory of any known kind, as `load -i` takes it. Throws ARCHIVE_UNSUPPORTED listing why it is none. */
export async function openByContent(path: string, request: OpenRequest): Promise<ImageSources> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new EngineError('ARCHIVE_UNSUPPORTED', `faccessat ${path}: no such file or directory`);
  if (stat.isDirectory()) return openDirectory(path, request);
  // `load -i /dev/stdin`, process substitution.
  if (stat.isFIFO()) return openStream(createReadStream(path), request);
  if (!stat.isFile()) throw new EngineError('ARCHIVE_UNSUPPORTED', `${path}: is neither a file nor a directory`);
  const spooled = await plainFile(path, request.staging, request.signal);
  return holding(spooled, () => openArchive(spooled.path, path, request));
}

/** The same from a pipe, which is put into staging first. */
export async function openStream(input: Readable, request: OpenRequest): Promise<ImageSources> {
  const received = await spool(input, request.staging, request.signal);
  try {
    const opened = await openByContent(received.path, request);
    return {
      images: opened.images,
      [Symbol.asyncDispose]: async () => {
        await opened[Symbol.asyncDispose]();
        await received[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await received[Symbol.asyncDispose]();
    throw error;
  }
}

async function openArchive(file: string, path: string, request: OpenRequest): Promise<readonly ImageSource[]> {
  const files = tryTar(file, path);
  // First what lists all images with their full names: current `docker save` writes both kinds into one archive.
  if (await isDockerArchive(files)) return openDockerArchive(files, `docker-archive:${path}`);
  if (await isOciLayout(files)) return openOciLayout(files, { transport: 'oci-archive', platform: request.platform });
  throw unsupported(path, {
    ociArchive: `open ${path}: no index.json in the archive`,
    dockerArchive: `loading tar component "manifest.json": file not found in archive`,
  });
}

async function openDirectory(path: string, request: OpenRequest): Promise<ImageSources> {
  const files = openDirectoryFiles(path);
  const done = { [Symbol.asyncDispose]: async () => undefined };
  if (await isOciLayout(files)) return { images: await openOciLayout(files, { transport: 'oci', platform: request.platform }), ...done };
  if ((await files.sizeOf('manifest.json')) !== undefined) return { images: [await openImageDirectory(files)], ...done };
  throw unsupported(path, {
    oci: `open ${path}/index.json: no such file or directory`,
    ociArchive: `creating temp directory: ${JSON.stringify(path)} is a directory`,
    dockerArchive: `loading tar component "manifest.json": read ${path}: is a directory`,
    dir: `open ${path}/manifest.json: no such file or directory`,
  });
}

function tryTar(file: string, path: string): Files {
  try {
    return openTarFiles(file);
  } catch (error) {
    if (!isEngineError(error, 'IMAGE_CORRUPT')) throw error;
    // The reader's words without our detail: `archive/tar: invalid tar header`, `unexpected EOF`.
    const reason = /invalid tar header/.test(error.message)
      ? 'archive/tar: invalid tar header'
      : /unexpected EOF/.test(error.message)
        ? 'unexpected EOF'
        : error.message;
    throw unsupported(path, {
      ociArchive: `creating temp directory: untarring file ${JSON.stringify(file)}: ${reason}`,
      dockerArchive: `loading tar component "manifest.json": ${reason}`,
    });
  }
}

interface Reasons {
  readonly oci?: string;
  readonly ociArchive: string;
  readonly dockerArchive: string;
  readonly dir?: string;
}

function unsupported(path: string, reasons: Reasons): EngineError {
  const { oci = `open ${path}/index.json: not a directory`, dir = `open ${path}/manifest.json: not a directory` } = reasons;
  return new EngineError(
    'ARCHIVE_UNSUPPORTED',
    `payload does not match any of the supported image formats:\n * oci: ${oci}\n * oci-archive: ${reasons.ociArchive}\n * docker-archive: ${reasons.dockerArchive}\n * dir: ${dir}`,
  );
}

/** The sources live as long as the file they read. */
async function holding(file: Spooled, open: () => Promise<readonly ImageSource[]>): Promise<ImageSources> {
  try {
    return { images: await open(), [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** `docker-archive:PATH:NAME` and `PATH:@2` (by position). */
function selectImages(images: readonly ImageSource[], name: string | undefined): readonly ImageSource[] {
  if (name === undefined) return images;
  const position = /^@(\d+)$/.exec(name)?.[1];
  const found =
    position === undefined
      ? images.find((image) => image.names.includes(name) || image.names.includes(`${name}:latest`))
      : images[Number(position)];
  if (found === undefined) throw new EngineError('NO_SUCH_IMAGE', `Tag ${JSON.stringify(name)} not found in the archive`);
  return [found];
}

/** A path may hold no colon: what follows the first is a name (docker-archive, oci, oci-archive of containers/image). */
function splitName(rest: string): { path: string; name?: string } {
  const colon = rest.indexOf(':');
  return colon === -1 ? { path: rest } : { path: rest.slice(0, colon), name: rest.slice(colon + 1) };
}

function mustExist(path: string, message: (path: string) => string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new EngineError('ARCHIVE_UNSUPPORTED', message(path));
}
