import { EngineError } from './errors.ts';

const POWERS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/** docker/go-units RAMInBytes: `512m`, `1g`, `1.5GiB`, `65536k`, `100`; factors are binary. Returns bytes. Throws INVALID_ARGUMENT. */
export function parseSizeBytes(text: string): number {
  return sizeOf(text, 2 ** 10);
}

/** docker/go-units FromHumanSize: the same with factors of a thousand. Throws INVALID_ARGUMENT. */
export function parseDecimalSize(text: string): number {
  return sizeOf(text, 1000);
}

function sizeOf(text: string, factor: number): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (!match) {
    const [, suffix] = /^\d+(?:\.\d+)? ?([^\d. ]+)$/.exec(text) ?? [];
    throw new EngineError(
      'INVALID_ARGUMENT',
      suffix === undefined ? `invalid size: '${text}'` : `invalid suffix: '${suffix.toLowerCase()}'`,
    );
  }
  const bytes = Math.floor(Number(match[1]) * factor ** (POWERS[match[2]!.toLowerCase()] ?? 0));
  if (!Number.isSafeInteger(bytes)) throw new EngineError('INVALID_ARGUMENT', `invalid size: '${text}'`);
  return bytes;
}

/** docker/go-units HumanSizeWithPrecision: decimal units, `precision` significant digits: `4.22MB`, `0B`. Space as Podman's tables: none, or given. */
export function humanSize(bytes: number, precision = 3, space = ''): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${significant(value, precision)}${space}${DECIMAL_UNITS[unit]}`;
}

/** C's %.*g for the magnitudes that occur here (never an exponent: values are below 1000). */
function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}
