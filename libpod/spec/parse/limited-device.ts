/** `--device-read-bps` and its kin, `--blkio-weight-device`, `--device-cgroup-rule`, `--cgroup-conf`. */
import { parseSizeBytes } from '../../../core/size.ts';
import type { DeviceLimit, DeviceRule } from '../wish.ts';
import { invalid, parseUint } from './go.ts';

/** `path:rate`, bytes with a unit or a number of operations. Throws INVALID_ARGUMENT. */
export function parseDeviceRate(text: string, unit: 'bytes' | 'operations'): DeviceLimit {
  const { path, rest } = splitPath(text);
  try {
    return { path, value: unit === 'bytes' ? parseSizeBytes(rest) : parseUint(rest, 64) };
  } catch {
    const form = unit === 'bytes' ? '<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb' : '';
    throw invalid(
      `invalid rate for device: ${text}. The correct format is <device-path>:${form || '<number>. Number must be a positive integer'}`,
    );
  }
}

/** `path:weight`, 10 to 1000. Throws INVALID_ARGUMENT. */
export function parseDeviceWeight(text: string): DeviceLimit {
  const { path, rest } = splitPath(text);
  const value = /^\d+$/.test(rest) ? Number(rest) : 0;
  if (value !== 0 && (value < 10 || value > 1000)) throw invalid(`invalid weight for device: ${text}`);
  if (!/^\d+$/.test(rest)) throw invalid(`invalid weight for device: ${text}`);
  return { path, value };
}

function splitPath(text: string): { readonly path: string; readonly rest: string } {
  const colon = text.indexOf(':');
  if (colon < 0) throw invalid(`bad format: ${text}`);
  const path = text.slice(0, colon);
  if (!path.startsWith('/dev/')) throw invalid(`bad format for device path: ${text}`);
  return { path, rest: text.slice(colon + 1) };
}

/** `type major:minor access`. Throws INVALID_ARGUMENT. */
export function parseDeviceRule(text: string): DeviceRule {
  const [type, numbers, access, ...surplus] = text.split(' ');
  const malformed = () => invalid(`invalid device cgroup rule requires type, major:Minor, and access rules: ${JSON.stringify(text)}`);
  if (type === undefined || numbers === undefined || access === undefined || surplus.length > 0) throw malformed();
  if (type !== 'a' && type !== 'b' && type !== 'c') throw invalid(`invalid device type in device-access-add: ${type}`);
  const [major, minor, ...more] = numbers.split(':');
  if (major === undefined || minor === undefined || more.length > 0) throw malformed();
  const odd = [...access].find((letter) => !'rwm'.includes(letter));
  if (odd !== undefined || access === '') throw invalid(`invalid device access in device-access-add: ${odd ?? ''}`);
  return { type, ...deviceNumber('major', major), ...deviceNumber('minor', minor), access };
}

function deviceNumber<K extends 'major' | 'minor'>(key: K, text: string): { [key in K]?: number } {
  return text === '*' ? {} : ({ [key]: parseUint(text, 63) } as { [key in K]?: number });
}

/** `file=value`. Throws INVALID_ARGUMENT. */
export function parseCgroupFile(text: string): readonly [file: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid('--cgroup-conf must be formatted KEY=VALUE');
  return [text.slice(0, equals), text.slice(equals + 1)];
}
