/** `volume create --opt`, for the local driver: what to mount at the volume (mount(8) words), who owns it. Pure. */
import { EngineError } from '../../core/errors.ts';
import { parseSizeBytes } from '../../core/size.ts';
import { parseAtoi } from '../spec/parse/go.ts';

export interface VolumeOptions {
  /** As kept and shown: the words typed, and those found in `o` again in capitals. */
  readonly options: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

const KEYS = ['type', 'device', 'o', 'uid', 'gid', 'size', 'inodes', 'noquota', 'copy', 'nocopy'];

/** `words` are `key=value`; the last of a key counts. Throws INVALID_ARGUMENT, NOT_SUPPORTED with Podman's words. */
export function parseVolumeOptions(words: readonly string[]): VolumeOptions {
  const given = new Map(words.map(splitWord));
  const options: Record<string, string> = {};
  const ids: { uid?: number; gid?: number } = {};
  for (const [key, value] of given) {
    if (!KEYS.includes(key.toLowerCase())) {
      throw new EngineError('INVALID_ARGUMENT', `invalid mount option ${key} for driver 'local': invalid argument`);
    }
    if (key === 'o') Object.assign(options, parseMountWords(value, ids));
    if (value !== '' || key !== 'o') options[key] = value;
  }
  if ((options['SIZE'] !== undefined || options['INODES'] !== undefined) && options['type'] === undefined) {
    throw new EngineError('INVALID_ARGUMENT', 'volume options size and inodes not supported. Filesystem does not support Project Quota');
  }
  return { options, ...ids };
}

/** Something is mounted at the volume when a container uses it: what its options say, or the tree of an image. */
export function isMountVolume({ driver, options }: MountQuestion): boolean {
  return driver === 'image' || options['type'] !== undefined || options['device'] !== undefined;
}

interface MountQuestion {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/** `--driver image`: one option, the name of the image. Throws INVALID_ARGUMENT. */
export function parseImageOptions(words: readonly string[]): string {
  const given = new Map(words.map(splitWord));
  const wrong = [...given.keys()].find((key) => key !== 'image');
  if (wrong !== undefined) throw new EngineError('INVALID_ARGUMENT', `invalid mount option ${wrong} for driver 'image': invalid argument`);
  const image = given.get('image');
  if (image) return image;
  throw new EngineError('INVALID_ARGUMENT', 'must provide an image name when creating a volume with the image driver: invalid argument');
}

function splitWord(word: string): [key: string, value: string] {
  const equals = word.indexOf('=');
  if (equals === 0) throw new EngineError('INVALID_ARGUMENT', `unable to process options: invalid label format: ${JSON.stringify(word)}`);
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** `size=1m,nodev,uid=5`: the words that mean something to the volume itself, by their names in capitals. */
function parseMountWords(text: string, ids: { uid?: number; gid?: number }): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of text.split(',')) {
    const [name, value] = splitWord(word);
    switch (name.toLowerCase()) {
      case 'size':
        convert('size', value, parseSizeBytes);
        found['SIZE'] = value;
        break;
      case 'inodes':
        convert('inodes', value, parseAtoi);
        found['INODES'] = value;
        break;
      case 'uid':
        ids.uid = convert('UID', value, parseAtoi);
        found['UID'] = value;
        break;
      case 'gid':
        ids.gid = convert('GID', value, parseAtoi);
        found['GID'] = value;
        break;
      default:
    }
  }
  return found;
}

function convert(what: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `cannot convert ${what} ${text} to integer: ${(cause as Error).message}`, { cause });
  }
}
