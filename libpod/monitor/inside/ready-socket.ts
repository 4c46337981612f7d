import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { sendDatagram } from '../../../host/datagram.ts';
import { openMailbox, receiveMessage } from '../../../host/message.ts';
import { POLLIN, type Watched } from '../../../host/poll.ts';
import { sort } from '../notify-words.ts';
import type { Source } from './loop.ts';

/** systemd takes no longer ones. */
const MESSAGE_BYTES = 4096;

/** Where a monitor takes `READY=1` for the service manager, which hears it from the main process of the service (container/readiness.ts). */
export class ReadySocket implements Source {
  readonly #fd: number;
  readonly #manager: string;

  constructor(bundle: string, manager: string) {
    this.#fd = openMailbox(join(bundle, 'notify', 'notify.sock'));
    this.#manager = manager;
  }

  watched(): Watched {
    return { fd: this.#fd, events: POLLIN };
  }

  act(): void {
    const message = receiveMessage(this.#fd, MESSAGE_BYTES);
    if (message === undefined) return;
    for (const fd of message.fds) closeSync(fd);
    if (!sort(message.data.toString('latin1')).isReady) return;
    try {
      sendDatagram(this.#manager, 'READY=1');
    } catch {
      // It is gone.
    }
  }
}
