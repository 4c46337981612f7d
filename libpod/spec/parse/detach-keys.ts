import { invalid } from './go.ts';

/** Control characters that are not letters, by `ctrl-X` (ascii(7)). */
const CONTROL: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** `ctrl-p,ctrl-q`, `a`, `ctrl-[,x` as the bytes a terminal sends. Empty: no sequence detaches. Throws INVALID_ARGUMENT. */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return new Uint8Array();
  return Uint8Array.from(text.split(',').flatMap(keyBytes));
}

function keyBytes(key: string): number[] {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length === 1) return [...bytes];
  const letter = /^ctrl-(.)$/.exec(key)?.[1] ?? '';
  if (/[a-z]/.test(letter)) return [letter.charCodeAt(0) - 96];
  const control = Object.hasOwn(CONTROL, letter) ? CONTROL[letter] : undefined;
  if (control === undefined) throw invalid(`invalid detach keys: Unknown character: '${key}'`);
  return [control];
}
