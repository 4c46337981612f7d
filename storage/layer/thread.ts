/**
 * Unpacking on a thread of its own, so that several layers are hashed and written at once while this thread reads files and connections.
 *
 *   here → there   job, then chunks (their memory changes hands where it can), then `end` or `broken`
 *   there → here   `taken` with the bytes used up so far, which lets the next chunks go; at the end `done` or `failed`
 *
 * A thread that has done its job waits for the next; one that failed is ended, for chunks may still be on their way to it.
 */
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { EngineError, isEngineError, type ErrorCode } from '../../core/errors.ts';
import { abortable } from './abortable.ts';
import { giveBack } from './give-back.ts';
import type { UnpackedLayer, UnpackRequest } from './unpack.ts';

export type Job = Pick<UnpackRequest, 'directory' | 'diffId' | 'compressed' | 'limits'>;
export type ToThread = { readonly job: Job } | { readonly chunk: Uint8Array<ArrayBuffer> } | 'end' | 'broken';
export type FromThread = { readonly taken: number } | { readonly done: UnpackedLayer } | { readonly failed: Failure };

/** An error without its cause: only what can be copied to another thread. */
export interface Failure {
  readonly engineCode: ErrorCode | undefined;
  readonly code: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What may be on its way to a thread. */
const AHEAD_BYTES = 4 * 2 ** 20;
/** Sent as one. */
const MESSAGE_BYTES = 2 ** 19;
/** Garbage here is small objects of one entry: a large nursery would only be memory. */
const YOUNG_MB = 8;
const idle: Worker[] = [];

/** As unpackLayer, with the same errors. Worth its 30 ms for layers of some megabytes. */
export async function unpackOnThread(request: UnpackRequest): Promise<UnpackedLayer> {
  const worker = idle.pop() ?? startThread();
  worker.ref();
  try {
    const layer = await converse(worker, request);
    worker.unref();
    idle.push(worker);
    return layer;
  } catch (error) {
    // Only when it has ended does nobody write into the directory any more.
    await worker.terminate();
    throw error;
  } finally {
    request.source.destroy();
  }
}

/**
 * bin/lichen starts `run` and others like it without V8's optimising compilers; reading whole layers needs them. What passes through memory makes
 * V8 mark the heap step by step again and again, a tenth of a pull's work, and finds nothing: chunks are given back without it.
 */
const FLAGS = ['--opt', '--maglev', '--sparkplug', '--no-incremental-marking'];

function startThread(): Worker {
  for (const flag of FLAGS) setFlagsFromString(flag);
  const inSources = import.meta.filename.endsWith('.ts');
  return new Worker(join(import.meta.dirname, inSources ? 'thread-main.ts' : 'thread-main.cjs'), {
    // Descriptors from openat2(2) are none that Node knows of; unpackLayer closes its own.
    trackUnmanagedFds: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

async function converse(worker: Worker, { source, signal, onProgress, ...job }: UnpackRequest): Promise<UnpackedLayer> {
  const { directory, diffId, compressed, limits } = job;
  const send = (message: ToThread, transfer: readonly ArrayBuffer[] = []) => worker.postMessage(message, transfer);
  const flow = new Flow();
  const outcome = new Promise<UnpackedLayer>((resolve, reject) => {
    worker.removeAllListeners();
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the thread that unpacks a layer ended')));
    worker.on('message', (message: FromThread) => {
      if ('done' in message) return resolve(message.done);
      if ('failed' in message) return reject(errorOf(message.failed));
      flow.taken(message.taken);
      onProgress?.(message.taken);
    });
  });
  send({ job: { directory, diffId, compressed, limits } });
  const ended = new AbortController();
  const stop = AbortSignal.any([ended.signal, ...(signal === undefined ? [] : [signal])]);
  let broken: { readonly error: unknown } | undefined;
  const fed = feed(source, send, flow, stop).catch((error: unknown) => {
    if (ended.signal.aborted) return;
    broken = { error };
    send('broken');
  });
  try {
    return await outcome;
  } catch (failure) {
    const error = broken === undefined ? failure : broken.error;
    throw signal?.aborted && !isEngineError(error) ? new EngineError('ABORTED', 'reading a layer was cancelled', { cause: error }) : error;
  } finally {
    ended.abort();
    await fed;
  }
}

/** Hands the source over chunk by chunk. Throws what reading it throws, and at once when the signal comes. */
async function feed(
  source: Readable,
  send: (message: ToThread, transfer?: readonly ArrayBuffer[]) => void,
  flow: Flow,
  signal: AbortSignal,
): Promise<void> {
  source.on('error', () => undefined);
  const chunks = abortable(source[Symbol.asyncIterator]() as AsyncIterator<Buffer>, signal);
  signal.addEventListener('abort', () => flow.stop(), { once: true });
  const gathered = new Gathered();
  const pass = () => {
    const chunk = gathered.take();
    flow.sent(chunk.byteLength);
    send({ chunk }, [chunk.buffer]);
  };
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) {
      pass();
      return send('end');
    }
    gathered.add(next.value);
    if (gathered.bytes < MESSAGE_BYTES) continue;
    pass();
    await flow.room();
  }
}

/** What a connection gives at a time is so little that the messages would cost more than the bytes. */
class Gathered {
  #chunks: Buffer[] = [];
  bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  take(): Uint8Array<ArrayBuffer> {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.bytes = 0;
    if (chunks.length === 1) return ownMemory(chunks[0]!);
    const all = Buffer.concat(chunks);
    for (const chunk of chunks) giveBack(chunk);
    return ownMemory(all);
  }
}

/** The chunk itself when nothing else lives in its memory, so that it can change hands; else a copy. */
function ownMemory(chunk: Buffer): Uint8Array<ArrayBuffer> {
  const alone = chunk.byteLength === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer;
  return alone ? (chunk as Uint8Array<ArrayBuffer>) : new Uint8Array(chunk);
}

/** Counts what was sent and what was used up. */
class Flow {
  #sent = 0;
  #taken = 0;
  #wake: (() => void) | undefined;

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  taken(total: number): void {
    this.#taken = total;
    if (this.#sent - this.#taken < AHEAD_BYTES) this.#wake?.();
  }

  /** Resolves at once from now on. */
  stop(): void {
    this.#sent = -Infinity;
    this.#wake?.();
  }

  async room(): Promise<void> {
    if (this.#sent - this.#taken < AHEAD_BYTES) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }
}

function errorOf({ engineCode, code, message, hint }: Failure): Error {
  if (engineCode !== undefined) return new EngineError(engineCode, message, hint === undefined ? {} : { hint });
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
