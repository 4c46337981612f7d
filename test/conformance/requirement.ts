/** What the runtime specification asks of a runtime, as rows: docs/oci-runtime.md lists them, runtimes.test.ts tests each on every runtime. */
import type { Bench, RuntimeName } from './bench.ts';

export interface Requirement {
  /** File and heading of the specification (1.2): `config.md#hostname`. */
  readonly section: string;
  /** What must hold; with the section it is the title of the test. */
  readonly must: string;
  /** Throws where it does not hold. */
  readonly holds: (bench: Bench) => Promise<void>;
  /** Runtimes that are known to do otherwise, and what they do. */
  readonly deviations: Deviations;
}

export type Deviations = Readonly<Partial<Record<RuntimeName, Deviation>>>;

export interface Deviation {
  /** As the document says it. */
  readonly does: string;
  /** Throws where the runtime does not do that (any more). */
  readonly holds: (bench: Bench) => Promise<void>;
}

/** A row. */
export function requirement(section: string, must: string, holds: Requirement['holds'], deviations: Deviations = {}): Requirement {
  return { section, must, holds, deviations };
}
