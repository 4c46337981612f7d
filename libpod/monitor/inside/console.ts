import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endLinesForScreen, receiveConsole, resizeConsole } from '../../../host/console.ts';
import { acceptOne, listenAt, SOCK_STREAM } from '../../../host/listen.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import { O_PATH } from '../../../host/root.ts';
import type { TerminalSize } from '../../../host/terminal.ts';
import type { Source } from './loop.ts';

const SOCKET = 'console';

/** Waits for the terminal that the runtime makes. */
export class Console implements Source {
  /** Where the runtime brings it, by way of a descriptor of ours: a path in a run directory may be longer than a socket's address. */
  readonly path: string;
  readonly #file: string;
  readonly #directory: number;
  readonly #arrived: (fd: number) => void;
  #waitsAt: number | undefined;
  #isConnected = false;
  #fd: number | undefined;
  #size: TerminalSize | undefined;

  constructor(directory: string, arrived: (fd: number) => void) {
    this.#file = join(directory, SOCKET);
    this.#directory = openSync(directory, O_PATH);
    this.path = `/proc/${process.pid}/fd/${this.#directory}/${SOCKET}`;
    this.#arrived = arrived;
    this.#waitsAt = listenAt(this.#file, SOCK_STREAM);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    if (this.#fd !== undefined) resizeConsole(this.#fd, size);
  }

  watched(): Watched | undefined {
    return this.#waitsAt === undefined ? undefined : { fd: this.#waitsAt, events: POLLIN };
  }

  act(): void {
    if (this.#waitsAt === undefined) return;
    const next = this.#isConnected ? receiveConsole(this.#waitsAt) : acceptOne(this.#waitsAt);
    if (next === undefined) return;
    if (this.#isConnected) {
      this.take(next);
      return;
    }
    closeSync(this.#waitsAt);
    this.#isConnected = true;
    this.#waitsAt = next;
  }

  /** The terminal is there. */
  take(fd: number): void {
    if (this.#waitsAt !== undefined) closeSync(this.#waitsAt);
    this.#waitsAt = undefined;
    closeSync(this.#directory);
    rmSync(this.#file, { force: true });
    this.#fd = fd;
    endLinesForScreen(fd);
    if (this.#size !== undefined) this.resize(this.#size);
    this.#arrived(fd);
  }
}
