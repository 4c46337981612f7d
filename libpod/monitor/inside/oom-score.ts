import { readFileSync, writeFileSync } from 'node:fs';

const FILE = '/proc/self/oom_score_adj';
const LEAST = '-1000';

/** The monitor should outlive its container where memory is short. Only root of the machine may ask for that; others go without. */
export class OomScore {
  readonly #before = readFileSync(FILE, 'latin1');

  constructor() {
    set(LEAST);
  }

  /** For what is started next. */
  restore(): void {
    set(this.#before);
  }
}

function set(score: string): void {
  try {
    writeFileSync(FILE, score);
  } catch {}
}
