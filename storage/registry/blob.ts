/** A blob as one stream, whatever happens to the connections it comes through. */
import { Readable } from 'node:stream';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import type { Descriptor } from '../image.ts';
import type { HttpResponse } from './http.ts';
import { pause } from './pause.ts';

export interface BlobRequest {
  readonly descriptor: Descriptor;
  /** For messages: `quay.io/team/app`. */
  readonly repository: string;
  /** Ask for the bytes from `offset` on. */
  readonly fetch: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse>;
  /** Makes the error of a status that is no success. */
  readonly fail: (response: HttpResponse) => Promise<EngineError>;
  readonly signal?: AbortSignal | undefined;
  /** Window in which at least MIN_BYTES must arrive. Default: 60 s. */
  readonly stallMs?: number;
  /** First pause before the download is taken up again. Default: 500 ms. */
  readonly pauseMs?: number;
}

/** Interruptions in a row with less than PROGRESS_BYTES in between, and in all. */
const FRUITLESS_LIMIT = 5;
const PROGRESS_BYTES = 16 * 1024;
const INTERRUPTION_LIMIT = 50;
/** Each is what a socket gives at a time, 64 KiB at most. */
const AHEAD_CHUNKS = 16;
/** A server that sends a byte now and then keeps a socket from timing out. */
const MIN_BYTES = 1024;

/**
 * The first request is made before this returns, so that a missing blob fails here. An interrupted download goes on where it stopped
 * (Range); a server that ignores ranges is read again from the start, up to where we were. The digest is the reader's to check:
 * what is pieced together from several answers cannot be told from one.
 */
export async function openBlob(request: BlobRequest): Promise<Readable> {
  const first = await begin(request, 0);
  return Readable.from(download(request, first), { highWaterMark: AHEAD_CHUNKS });
}

async function* download(request: BlobRequest, first: HttpResponse): AsyncGenerator<Buffer> {
  const { descriptor, signal, pauseMs = 500 } = request;
  let [received, fruitless, interruptions] = [0, 0, 0];
  for (let response: HttpResponse | undefined = first; ;) {
    const start = received;
    try {
      response ??= await begin(request, received);
      for await (const chunk of watched(response, request)) {
        received += chunk.length;
        if (received > descriptor.size)
          throw new EngineError('IMAGE_CORRUPT', `blob ${descriptor.digest}: longer than its ${descriptor.size} bytes`);
        yield chunk;
      }
      if (received === descriptor.size) return;
      throw new Error(`unexpected EOF after ${received} of ${descriptor.size} bytes`);
    } catch (error) {
      response?.body.destroy();
      response = undefined;
      if (signal?.aborted || (error instanceof EngineError && !isEngineError(error, 'REGISTRY_UNREACHABLE'))) throw error;
      const reason = (error as Error).message;
      if (received - start >= PROGRESS_BYTES) fruitless = 0;
      if (++fruitless > FRUITLESS_LIMIT || ++interruptions > INTERRUPTION_LIMIT) {
        throw new EngineError('REGISTRY_UNREACHABLE', `reading blob ${descriptor.digest}: ${reason}`, { cause: error });
      }
      log.info(() => `Reading blob body from ${request.repository} failed (${reason}), reconnecting after ${received} bytes…`);
      await pause(Math.min(pauseMs * 2 ** (fruitless - 1), 10_000), signal);
    }
  }
}

async function begin(request: BlobRequest, offset: number): Promise<HttpResponse> {
  const { digest, size } = request.descriptor;
  const response = await request.fetch(offset === 0 ? {} : { range: `bytes=${offset}-` });
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    response.body.destroy();
    throw new EngineError('REGISTRY_ERROR', `reading blob ${digest}: a proxy changed its Content-Encoding to ${encoding.slice(0, 40)}`);
  }
  if (response.status === 200) return offset === 0 ? response : { ...response, body: skipping(response.body, offset) };
  if (response.status === 206 && offset > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '');
    if (range !== null && Number(range[1]) === offset && (range[2] === '*' || Number(range[2]) === size)) return response;
    response.body.destroy();
    throw new EngineError('REGISTRY_ERROR', `reading blob ${digest}: asked for bytes from ${offset}, got another part`);
  }
  throw await request.fail(response);
}

function skipping(body: Readable, bytes: number): Readable {
  return Readable.from(
    (async function* () {
      let left = bytes;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (chunk.length > left) yield chunk.subarray(left);
        left = Math.max(left - chunk.length, 0);
      }
    })(),
    { objectMode: false },
  );
}

async function* watched({ body }: HttpResponse, { stallMs = 60_000 }: BlobRequest): AsyncGenerator<Buffer> {
  let arrived = 0;
  let waiting = false;
  const clock = setInterval(() => {
    // Only while we wait for the server: a reader that is busy unpacking is no stall.
    if (waiting && arrived < MIN_BYTES) body.destroy(new Error('the download stalled'));
    arrived = 0;
  }, stallMs);
  try {
    const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      waiting = true;
      const next = await chunks.next();
      waiting = false;
      if (next.done) return;
      arrived += next.value.length;
      yield next.value;
    }
  } finally {
    clearInterval(clock);
    body.destroy();
  }
}
