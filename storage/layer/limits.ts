/** What a layer may take of this machine before it is refused (hostile.md T19, T20). */
export interface LayerLimits {
  /** Of the uncompressed tar. */
  readonly maxTarBytes: number;
  readonly maxEntries: number;
  /** Components of a path. */
  readonly maxDepth: number;
  /** Uncompressed by compressed size; only looked at beyond `ratioFromBytes`, for small layers of zeroes are harmless. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
  /** Free space that is left on the file system for everybody else. */
  readonly reserveBytes: number;
}

export const DEFAULT_LIMITS: LayerLimits = {
  maxTarBytes: 512 * 2 ** 30,
  maxEntries: 4_000_000,
  maxDepth: 1024,
  maxRatio: 400,
  ratioFromBytes: 4 * 2 ** 30,
  reserveBytes: 64 * 2 ** 20,
};
