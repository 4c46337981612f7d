/** Who is attached: the socket they come to, what they type, and what they are shown (packets as attach/session.ts has them). */
import { closeSync } from 'node:fs';
import { acceptOne, listenAt, SOCK_SEQPACKET } from '../../../host/listen.ts';
import { POLLIN, POLLOUT, type Watched } from '../../../host/poll.ts';
import { readReady, writeReady } from '../../../host/ready-io.ts';
import type { Input } from './input.ts';
import type { Loop, Source } from './loop.ts';

const POLLERR = 0x8;
const POLLHUP = 0x10;
/** As much as one packet to us has at most. */
const INPUT_BYTES = 32_768;

export class Clients implements Source {
  readonly #loop: Loop;
  readonly #listener: number;
  readonly #typed: (bytes: Buffer | undefined) => void;
  readonly #isFull: () => boolean;
  readonly #clients = new Set<Client>();

  /** The first end of somebody's input is that of `input`, if `endsInput`. */
  constructor(loop: Loop, path: string, input: Input, endsInput: boolean) {
    this.#loop = loop;
    this.#listener = listenAt(path, SOCK_SEQPACKET);
    this.#isFull = () => input.isFull;
    this.#typed = (bytes) => {
      if (bytes !== undefined) input.take(bytes);
      else if (endsInput) input.finish();
    };
    loop.add(this);
  }

  /** One of them has not taken the last packet yet: the container waits, too. */
  get isBusy(): boolean {
    for (const client of this.#clients) if (client.isBusy) return true;
    return false;
  }

  /** To all; not to be called while one is busy. */
  show(packet: Buffer): void {
    for (const client of this.#clients) client.show(packet);
  }

  /** All see the end. */
  close(): void {
    closeSync(this.#listener);
    this.#loop.remove(this);
    for (const client of this.#clients) client.close();
  }

  watched(): Watched {
    return { fd: this.#listener, events: POLLIN };
  }

  act(): void {
    const fd = acceptOne(this.#listener);
    if (fd === undefined) return;
    const client = new Client(fd, this.#isFull, this.#typed, () => {
      this.#clients.delete(client);
      this.#loop.remove(client);
    });
    this.#clients.add(client);
    this.#loop.add(client);
  }
}

class Client implements Source {
  readonly #fd: number;
  readonly #isFull: () => boolean;
  readonly #typed: (bytes: Buffer | undefined) => void;
  readonly #gone: () => void;
  #waiting: Buffer | undefined;
  #types = true;
  #hasHungUp = false;

  constructor(fd: number, isFull: () => boolean, typed: (bytes: Buffer | undefined) => void, gone: () => void) {
    this.#fd = fd;
    this.#isFull = isFull;
    this.#typed = typed;
    this.#gone = gone;
  }

  get isBusy(): boolean {
    return this.#waiting !== undefined;
  }

  show(packet: Buffer): void {
    if (this.#hasHungUp) return;
    const count = writeReady(this.#fd, packet);
    if (count === undefined) this.#waiting = Buffer.from(packet);
    else if (count < 0) this.#hangUp();
  }

  watched(): Watched | undefined {
    const reads = this.#types && !this.#isFull();
    // One that is gone is reported whatever is asked for, and what it typed has to wait for the container.
    if (this.#hasHungUp && !reads) return undefined;
    return { fd: this.#fd, events: (reads ? POLLIN : 0) | (this.isBusy ? POLLOUT : 0) };
  }

  act(events: number): void {
    if ((events & (POLLHUP | POLLERR)) !== 0) this.#hangUp();
    if ((events & POLLOUT) !== 0 && this.#waiting !== undefined) {
      const packet = this.#waiting;
      this.#waiting = undefined;
      this.show(packet);
    }
    if (this.#types && !this.#isFull()) this.#read();
    if (!this.#types && this.#hasHungUp) this.close();
  }

  close(): void {
    closeSync(this.#fd);
    this.#gone();
  }

  #read(): void {
    const buffer = Buffer.allocUnsafe(INPUT_BYTES);
    const length = readReady(this.#fd, buffer);
    if (length === undefined) return;
    if (length === 0) this.#types = false;
    this.#typed(length === 0 ? undefined : buffer.subarray(0, length));
  }

  /** Nobody is shown anything any more. */
  #hangUp(): void {
    this.#hasHungUp = true;
    this.#waiting = undefined;
  }
}
