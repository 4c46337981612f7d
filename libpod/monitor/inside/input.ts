import { closeSync } from 'node:fs';
import { writeReady } from '../../../host/ready-io.ts';
import { POLLOUT, type Watched } from '../../../host/poll.ts';
import type { Source } from './loop.ts';

/** The container's stdin, or its terminal. What it does not take yet is held, and `isFull` says that no more should come. */
export class Input implements Source {
  #fd: number | undefined;
  #held: Buffer | undefined;
  #state: 'awaited' | 'open' | 'ending' | 'closed';

  /** `awaited`: its descriptor will come. Otherwise what is typed goes nowhere. */
  constructor(isAwaited: boolean) {
    this.#state = isAwaited ? 'awaited' : 'closed';
  }

  get isFull(): boolean {
    return this.#held !== undefined;
  }

  open(fd: number): void {
    this.#fd = fd;
    if (this.#state === 'awaited') this.#state = 'open';
    this.#flush();
  }

  take(bytes: Buffer): void {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    this.#held = Buffer.concat([this.#held ?? Buffer.alloc(0), bytes]);
    this.#flush();
  }

  /** The container reads an end after what is held. */
  finish(): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#flush();
  }

  watched(): Watched | undefined {
    return this.#fd === undefined || this.#held === undefined ? undefined : { fd: this.#fd, events: POLLOUT };
  }

  act(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#fd === undefined) return;
    while (this.#held !== undefined) {
      const count = writeReady(this.#fd, this.#held);
      if (count === undefined) return;
      this.#held = count < 0 || count === this.#held.length ? undefined : this.#held.subarray(count);
      if (count < 0) this.#state = 'ending';
    }
    if (this.#state !== 'ending') return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#state = 'closed';
  }
}
