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

const KEYS = ['type', 'device', 'o', 'uid', 'gid', 'size', 'inodes', 'noquota', 'copy', 'nocopy', 'timeout'];

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
    throw new EngineError('INVALID_ARGUMENT', 'volume options size and inodes cannot be used without quota');
  }
  return { options, ...ids };
}

/** Options that say that something is mounted at the volume when a container uses it. */
export function isMountVolume(options: Readonly<Record<string, string>>): boolean {
  return options['type'] !== undefined || options['device'] !== undefined;
}

function splitWord(word: string): [key: string, value: string] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** `size=1m,nodev,uid=5`: the words that mean something to the volume itself, by their names in capitals. */
function parseMountWords(text: string, ids: { uid?: number; gid?: number }): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of text.split(',')) {
    const [name, value] = splitWord(word);
    switch (name.toLowerCase()) {
      case 'size':
        parseSizeBytes(value);
        found['SIZE'] = value;
        break;
      case 'inodes':
        parseAtoi(value);
        found['INODES'] = value;
        break;
      case 'uid':
        ids.uid = parseAtoi(value);
        found['UID'] = value;
        break;
      case 'gid':
        ids.gid = parseAtoi(value);
        found['GID'] = value;
        break;
      default:
    }
  }
  return found;
}
