/** Levenshtein's, row by row. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** Of the words the one nearest to what was typed, the first of several; undefined where none is within that distance. `fold`: as what a word is compared. */
export function nearest(words: readonly string[], typed: string, within: number, fold = (word: string) => word): string | undefined {
  const [close] = words
    .map((word) => ({ word, distance: editDistance(fold(word), fold(typed)) }))
    .toSorted((a, b) => a.distance - b.distance);
  return close !== undefined && close.distance <= within ? close.word : undefined;
}
