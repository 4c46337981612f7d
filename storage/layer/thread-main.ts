/** What runs on a thread of thread.ts: one job after the other. */
import { Readable } from 'node:stream';
import { parentPort } from 'node:worker_threads';
import { EngineError } from '../../core/errors.ts';
import type { Failure, FromThread, Job, ToThread } from './thread.ts';
import { unpackLayer } from './unpack.ts';

/** What has come for the job under way and was not read yet. */
class Inbox {
  readonly #waiting: (Uint8Array | 'end' | 'broken')[] = [];
  #wake: (() => void) | undefined;

  put(piece: Uint8Array | 'end' | 'broken'): void {
    this.#waiting.push(piece);
    this.#wake?.();
  }

  async *chunks(): AsyncGenerator<Buffer, void> {
    for (;;) {
      while (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const piece = this.#waiting.shift()!;
      if (piece === 'end') return;
      if (piece === 'broken') throw new Error('the source of the layer broke');
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  }
}

let inbox = new Inbox();

parentPort!.on('message', (message: ToThread) => {
  if (typeof message === 'string') inbox.put(message);
  else if ('chunk' in message) inbox.put(message.chunk);
  else void carryOut(message.job, (inbox = new Inbox()));
});

async function carryOut(job: Job, from: Inbox): Promise<void> {
  const source = Readable.from(from.chunks(), { highWaterMark: 2 });
  try {
    tell({ done: await unpackLayer({ ...job, source, ownsChunks: true, onProgress: (taken) => tell({ taken }) }) });
  } catch (error) {
    tell({ failed: failureOf(error) });
  }
}

function tell(message: FromThread): void {
  parentPort!.postMessage(message, []);
}

function failureOf(error: unknown): Failure {
  const { message } = error as Error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return error instanceof EngineError
    ? { engineCode: error.code, code: undefined, message, hint: error.hint }
    : { engineCode: undefined, code, message, hint: undefined };
}
