/** Chance that can be had again: tests say which seed they ran with, LICHEN_FAULT_SEED gives it back to them. */

export const SEED = Number(process.env['LICHEN_FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const IS_WHOLE = process.env['LICHEN_FAULT_FULL'] !== undefined;

/**
 * How many of `whole` kills a run of the tests makes: a fifth, at moments of its own, so that every run looks at others.
 * With LICHEN_FAULT_FULL=1 all of them.
 */
export function sampleOf(whole: number): number {
  return IS_WHOLE ? whole : Math.max(Math.ceil(whole / 5), Math.min(whole, 4));
}

/** Numbers in [0, 1), the same ones for the same seed and name (mulberry32). */
export function chance(name: string): () => number {
  let state = [...name].reduce((hash, character) => Math.imul(hash ^ character.codePointAt(0)!, 0x01000193), SEED) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
