import { closeSync } from 'node:fs';
import { neverBlock, readReady } from '../../../host/ready-io.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import type { LogStream } from '../../container/log-record.ts';
import type { Clients } from './clients.ts';
import type { ContainerLog } from './container-log.ts';
import type { Source } from './loop.ts';

/** The type, then at most 8192 bytes, as conmon has it. */
const PACKET_BYTES = 8193;
const TYPES = { stdout: 2, stderr: 3 } as const;
/** Packets in a row, before the others have their turn. */
const ROUND = 8;
/** A terminal that no program has open may be opened again: it is looked at so often until its container has ended. */
const LOOK_AGAIN_MS = 100;

export interface Listeners {
  readonly clients: Clients;
  readonly log: ContainerLog | undefined;
}

/** What the container prints at one of its streams, or at its terminal: to the log and to all who are attached. */
export class Output implements Source {
  readonly #fd: number;
  readonly #stream: LogStream;
  readonly #listeners: Listeners;
  readonly #isTerminal: boolean;
  readonly #packet = Buffer.alloc(PACKET_BYTES);
  #isOver = false;
  #quietUntilMs = 0;

  constructor(fd: number, stream: LogStream, listeners: Listeners, { isTerminal }: { isTerminal: boolean }) {
    this.#fd = fd;
    this.#stream = stream;
    this.#listeners = listeners;
    this.#isTerminal = isTerminal;
    this.#packet[0] = TYPES[stream];
    neverBlock(fd);
  }

  /** When to look again although nothing is told. */
  get deadlineMs(): number {
    return this.#quietUntilMs === 0 ? Infinity : this.#quietUntilMs;
  }

  watched(): Watched | undefined {
    if (this.#isOver || this.#listeners.clients.isBusy || performance.now() < this.#quietUntilMs) return undefined;
    return { fd: this.#fd, events: POLLIN };
  }

  act(): void {
    this.#quietUntilMs = 0;
    for (let count = 0; count < ROUND && !this.#listeners.clients.isBusy; count++) {
      const length = this.#pass();
      if (length === undefined) return;
      if (length === PACKET_BYTES - 1) continue;
      // Less than a packet was there: there is no more now.
      if (length > 0) return;
      if (this.#isTerminal) this.#quietUntilMs = performance.now() + LOOK_AGAIN_MS;
      else this.#end();
      return;
    }
  }

  /** The container has ended: what it left is passed on. False while somebody who is attached has to take it first. */
  drain(): boolean {
    while (!this.#isOver) {
      if (this.#listeners.clients.isBusy) return false;
      const length = this.#pass();
      // A process that has outlived it may hold the stream: it is not waited for.
      if (length === undefined || length === 0) this.#end();
    }
    return true;
  }

  #pass(): number | undefined {
    const length = readReady(this.#fd, this.#packet.subarray(1));
    if (length === undefined || length === 0) return length;
    this.#listeners.log?.write(this.#stream, this.#packet.subarray(1, 1 + length));
    this.#listeners.clients.show(this.#packet.subarray(0, 1 + length));
    return length;
  }

  #end(): void {
    this.#isOver = true;
    if (!this.#isTerminal) closeSync(this.#fd);
  }
}
