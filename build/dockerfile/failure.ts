/** What is wrong with an instruction, and where in it. */
import type { Instruction } from './scan.ts';
import { dockerfileError } from './source.ts';

/** `at`: a character of the instruction's text. */
export function failed(
  instruction: Instruction,
  message: string,
  more: { word?: string | undefined; at?: number; hint?: string; cause?: unknown; exitCode?: number } = {},
): Error {
  const { source, place, placeOf } = instruction;
  return dockerfileError(message, { ...more, source, place: more.at === undefined ? place : placeOf(more.at) });
}

/** Where a flag stands, for `failed`. */
export function flagPlace({ text, flags }: Instruction, name: string): { readonly word: string; readonly at: number } | undefined {
  const found = flags.find((flag) => flag.text === `--${name}` || flag.text.startsWith(`--${name}=`));
  return found === undefined ? undefined : { word: text.slice(found.at, found.at + found.text.length), at: found.at };
}
