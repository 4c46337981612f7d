/** The one place where a monitor waits. */
import { dropCleanPages } from '../../../host/clean-pages.ts';
import { loopDescriptors, turnLoop } from '../../../host/loop.ts';
import { poll, POLLIN, type Watched } from '../../../host/poll.ts';

/** Something that a monitor waits for. */
export interface Source {
  /** Undefined: for nothing at present. */
  watched(): Watched | undefined;
  /** `events` of poll(2) are there. */
  act(events: number): void;
}

/** Nothing has happened for so long: what is held in memory need not be. */
const QUIET_MS = 1000;

export class Loop {
  readonly #sources = new Set<Source>();
  readonly #signals: readonly Watched[] = loopDescriptors().map((fd) => ({ fd, events: POLLIN }));
  #isLean = false;

  private constructor() {}

  /** A turn of Node's loop comes first: with it the loop itself begins to listen for signals. */
  static async open(): Promise<Loop> {
    await turnLoop();
    return new Loop();
  }

  add(source: Source): void {
    this.#sources.add(source);
  }

  remove(source: Source): void {
    this.#sources.delete(source);
  }

  /** Wait for the next thing to happen, and let it; not longer than until `deadlineMs` (of performance.now()). */
  async next(deadlineMs = Infinity): Promise<void> {
    const active = [...this.#sources].flatMap((source) => {
      const watched = source.watched();
      return watched === undefined ? [] : [{ source, watched }];
    });
    const left = Math.max(0, Math.ceil(deadlineMs - performance.now()));
    const ready = poll([...this.#signals, ...active.map(({ watched }) => watched)], this.#patience(left));
    if (ready?.every((events) => events === 0)) {
      if (!this.#isLean) dropCleanPages();
      this.#isLean = true;
      return;
    }
    this.#isLean = false;
    if (ready === undefined || ready.slice(0, this.#signals.length).some((events) => events !== 0)) await turnLoop();
    for (const [index, { source }] of active.entries()) {
      const events = ready?.[this.#signals.length + index] ?? 0;
      // What one does may have put an end to another.
      if (events !== 0 && this.#sources.has(source)) source.act(events);
    }
  }

  #patience(leftMs: number): number {
    if (!this.#isLean) return Math.min(QUIET_MS, leftMs);
    // Longer than poll(2) can wait: then it is asked again.
    return leftMs === Infinity ? -1 : Math.min(leftMs, 2 ** 31 - 1);
  }
}
