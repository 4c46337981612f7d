/** The FIFO at which a monitor is told things: `1 ROWS COLUMNS` is the size of the terminal, `2` opens the log anew (conmon's ctrl.c). */
import { constants, openSync, rmSync } from 'node:fs';
import { makeSpecialFile } from '../../../host/mknod.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import { readReady } from '../../../host/ready-io.ts';
import type { TerminalSize } from '../../../host/terminal.ts';
import { LineSplitter } from '../../container/log-record.ts';
import type { Source } from './loop.ts';

const READ_BYTES = 4096;

export interface Orders {
  resize(size: TerminalSize): void;
  reopenLog(): void;
}

export class Control implements Source {
  readonly #fd: number;
  readonly #orders: Orders;
  readonly #lines = new LineSplitter();

  constructor(path: string, orders: Orders) {
    rmSync(path, { force: true });
    makeSpecialFile(Buffer.from(path), { type: 'fifo' }, 0o660);
    // Both ends are ours: it is never at its end.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#orders = orders;
  }

  watched(): Watched {
    return { fd: this.#fd, events: POLLIN };
  }

  act(): void {
    const buffer = Buffer.alloc(READ_BYTES);
    const length = readReady(this.#fd, buffer) ?? 0;
    for (const line of this.#lines.push(buffer.subarray(0, length))) {
      const [order, rows, columns] = line.toString('latin1').trim().split(/\s+/).map(Number);
      if (order === 1 && isSize(rows) && isSize(columns)) this.#orders.resize({ rows, columns });
      else if (order === 2) this.#orders.reopenLog();
    }
  }
}

function isSize(number: number | undefined): number is number {
  return number !== undefined && number >= 0 && number < 2 ** 16;
}
