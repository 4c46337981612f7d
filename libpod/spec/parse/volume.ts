/** `--volume [source:]target[:options]` and `--tmpfs target[:options]`. */
import { EngineError } from '../../../core/errors.ts';
import type { MountWish } from '../wish.ts';
import { invalid } from './go.ts';
import { checkTmpfsOptions, checkVolumeOptions } from './volume-options.ts';

/**
 * A source that begins with `/` or `.` is a directory of the host, any other a volume's name; no source is a volume without name.
 * A relative directory is kept as typed: the caller knows against what it is relative. Throws INVALID_ARGUMENT.
 */
export function parseVolume(text: string): MountWish {
  const parts = splitAtColons(text);
  if (parts.length > 3) throw invalid(`${text}: incorrect volume format, should be [host-dir:]ctr-dir[:option]`);
  const [source, target, optionText] = parts.length === 1 ? [undefined, parts[0]!, undefined] : [parts[0]!, parts[1]!, parts[2]];
  const options = optionText === undefined ? [] : checkVolumeOptions(optionText.split(','));
  if (source === '') throw invalid('host directory cannot be empty');
  if (source === undefined) return { type: 'volume', target: checkTarget(target), options };
  if (isHostPath(source)) return { type: 'bind', source, target: checkTarget(target), options };
  return { type: 'volume', name: checkVolumeName(source), target: checkTarget(target), options };
}

export function parseTmpfs(text: string): MountWish {
  const colon = text.indexOf(':');
  const target = colon < 0 ? text : text.slice(0, colon);
  const options = colon < 0 ? [] : checkTmpfsOptions(text.slice(colon + 1).split(','));
  return { type: 'tmpfs', target: checkTarget(target), options };
}

/** Throws INVALID_ARGUMENT unless absolute. */
export function checkTarget(target: string): string {
  if (target === '') throw invalid('container directory cannot be empty');
  if (!target.startsWith('/')) throw invalid(`invalid container path ${JSON.stringify(target)}, must be an absolute path`);
  return target;
}

/** Throws INVALID_NAME. */
export function checkVolumeName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return name;
  const problem = 'running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument';
  throw new EngineError('INVALID_NAME', `creating named volume ${JSON.stringify(name)}: ${problem}`);
}

function isHostPath(source: string): boolean {
  return source.startsWith('/') || source.startsWith('.');
}

/** `\:` is a colon of the path. */
function splitAtColons(text: string): string[] {
  return text.split(/(?<!\\):/).map((part) => part.replaceAll('\\:', ':'));
}
