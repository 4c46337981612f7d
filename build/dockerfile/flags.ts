/** `--name[=value]` between an instruction and its words. */
import { editDistance } from '../../core/edit-distance.ts';
import { dockerfileError } from './source.ts';
import type { Instruction } from './scan.ts';

export type FlagKinds = Readonly<Record<string, 'value' | 'values' | 'bool'>>;

export type ReadFlags<K extends FlagKinds> = {
  readonly [N in keyof K]: K[N] extends 'values' ? readonly string[] : (K[N] extends 'bool' ? boolean : string) | undefined;
};

/** Values have their quotes and variables still. Throws DOCKERFILE: unknown flags, twice the same, and those without the value they need. */
export function readFlags<const K extends FlagKinds>(instruction: Instruction, kinds: K): ReadFlags<K> {
  const { source, name, flags, placeOf } = instruction;
  const found: Record<string, unknown> = Object.fromEntries(
    Object.entries(kinds).flatMap(([flag, kind]) => (kind === 'values' ? [[flag, []]] : [])),
  );
  for (const { text, at } of flags) {
    const bad = (message: string, hint?: string): Error => dockerfileError(message, { source, place: placeOf(at), word: text, hint });
    const equals = text.indexOf('=');
    const flag = text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    const kind = Object.hasOwn(kinds, flag) ? kinds[flag] : undefined;
    if (kind === undefined) throw bad(`unknown flag: --${flag} for ${name}`, suggestion(flag, Object.keys(kinds)));
    if (kind !== 'bool' && (value === undefined || value === '')) throw bad(`missing a value on flag: --${flag}`);
    if (kind === 'values') (found[flag] as string[]).push(value!);
    else if (found[flag] !== undefined) throw bad(`duplicate flag specified: --${flag}`);
    else if (kind === 'value') found[flag] = value;
    else if (value === undefined || value === 'true' || value === 'false') found[flag] = value !== 'false';
    else throw bad(`expecting boolean value for flag --${flag}, not: ${value}`);
  }
  return found as ReadFlags<K>;
}

function suggestion(flag: string, known: readonly string[]): string | undefined {
  const close = known.find((one) => editDistance(one, flag) <= 2);
  if (close !== undefined) return `Did you mean --${close}?`;
  return known.length === 0 ? undefined : `It has ${known.map((one) => `--${one}`).join(', ')}.`;
}
