/** Put Quadlet files where systemd's generator looks for them. All of a call are looked at before the first is written. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { lockBeside, replaceFile } from '../../host/replace-file.ts';
import { download } from '../download.ts';
import { appName, recordApp } from './apps.ts';
import { splitBundle } from './bundle.ts';
import type { QuadletPlace } from './place.ts';
import { installDirectory } from './search.ts';
import { kindOf } from './source.ts';

interface Wanted {
  readonly name: string;
  readonly content: Buffer;
}

interface Part {
  readonly app: string | undefined;
  readonly files: readonly Wanted[];
}

const LOCK_TIMEOUT_MS = 10_000;
/** No Quadlet file has as much. */
const LIMIT_BYTES = 2 ** 20;

/**
 * The first source is a Quadlet file, a directory, a `.quadlets` file or a URL; the others are files that go with it. Returns the paths.
 * Throws INVALID_ARGUMENT, NAME_IN_USE (without `replace`), and what download throws.
 */
export async function installQuadlets(
  place: QuadletPlace,
  [first = '', ...others]: readonly string[],
  { replace }: { readonly replace: boolean },
): Promise<readonly string[]> {
  const directory = installDirectory(place);
  const part = await partOf(place, first);
  const rest = await Promise.all(others.map(async (source) => ({ name: fileName(source), content: await contentOf(place, source) })));
  const files = [...part.files, ...rest];
  const app = part.app ?? (rest.length > 0 ? appName(first) : undefined);
  mkdirSync(directory, { recursive: true });
  using _lock = await lockBeside(join(directory, '.lichen-quadlet'), LOCK_TIMEOUT_MS);
  for (const { name } of files) {
    if (replace || !isThere(join(directory, name))) continue;
    const words = `quadlet "${first}" failed to install: a Quadlet with name ${name} already exists, refusing to overwrite`;
    throw new EngineError('NAME_IN_USE', words, { hint: 'Replace it with --replace' });
  }
  for (const { name, content } of files) replaceFile(join(directory, name), content, 0o644);
  if (app !== undefined)
    recordApp(
      directory,
      app,
      files.map(({ name }) => name),
    );
  return files.map(({ name }) => join(directory, name));
}

async function partOf(place: QuadletPlace, source: string): Promise<Part> {
  if (!isUrl(source) && statOf(source).isDirectory()) {
    const names = readdirSync(source).filter((name) => statOf(join(source, name)).isFile() && !/^\..*\.app$/.test(name));
    if (names.length === 0) throw new EngineError('INVALID_ARGUMENT', `${source} has no files to install`);
    return { app: appName(source), files: names.map((name) => ({ name, content: readLimited(join(source, name)) })) };
  }
  const name = fileName(source);
  if (name.endsWith('.quadlets')) {
    const text = (await contentOf(place, source)).toString('utf8');
    return { app: appName(name), files: bundled(source, text).map((file) => ({ name: file.name, content: Buffer.from(file.text) })) };
  }
  if (kindOf(name) === undefined) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `quadlet "${source}" failed to install: "${extname(name)}" is not a supported Quadlet file type`,
    );
  }
  return { app: undefined, files: [{ name, content: await contentOf(place, source) }] };
}

function bundled(source: string, text: string): ReturnType<typeof splitBundle> {
  try {
    return splitBundle(text);
  } catch (error) {
    const { message, hint } = error as EngineError;
    throw new EngineError('INVALID_ARGUMENT', `quadlet "${source}" failed to install: ${message}`, hint === undefined ? {} : { hint });
  }
}

/** The last step of a path or of a URL's. */
function fileName(source: string): string {
  const name = basename(isUrl(source) ? (URL.parse(source)?.pathname ?? '') : source);
  if (name === '' || name === '..' || name === '.') throw new EngineError('INVALID_ARGUMENT', `${source} names no file`);
  return name;
}

async function contentOf(place: QuadletPlace, source: string): Promise<Buffer> {
  if (!isUrl(source)) return readLimited(source);
  using answer = await download(source, place);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LIMIT_BYTES) throw tooLarge(source);
  }
  return Buffer.concat(chunks);
}

function readLimited(path: string): Buffer {
  const stat = statOf(path);
  if (stat.size > LIMIT_BYTES) throw tooLarge(path);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(error)}`, { cause: error });
  }
}

function tooLarge(source: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `${source} is larger than ${LIMIT_BYTES} bytes`);
}

function statOf(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path);
  } catch (error) {
    throw new EngineError('INVALID_ARGUMENT', `unable to stat Quadlet path ${path}: stat ${path}: ${systemWords(error)}`, { cause: error });
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}
