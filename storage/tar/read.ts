import type { TarEntry } from './entry.ts';
import { TarParser } from './parser.ts';

export interface TarMember {
  readonly entry: TarEntry;
  /** The body, once, in pieces. What is not read is skipped when the next member is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * The members of a tar stream, in order, as they arrive; memory stays at one chunk of the source.
 * For archives whose members are looked at one by one; layers go through TarParser directly.
 * Throws IMAGE_CORRUPT.
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarMember, void> {
  const events = tarEvents(source);
  try {
    for (let event = await events.next(); !event.done; event = await events.next()) {
      // Pieces and ends that nobody asked for belong to a member that was left early.
      if (typeof event.value === 'object' && 'entry' in event.value) yield { entry: event.value.entry, body: bodyOf(events) };
    }
  } finally {
    await events.return();
  }
}

/** The whole body in memory. Throws what `tooLarge` makes when it is longer than `limitBytes`. */
export async function readBody(member: TarMember, limitBytes: number, tooLarge: () => Error): Promise<Buffer> {
  if (member.entry.sizeBytes > limitBytes) throw tooLarge();
  const pieces: Buffer[] = [];
  for await (const piece of member.body) pieces.push(piece);
  return Buffer.concat(pieces);
}

type TarEvent = { readonly entry: TarEntry } | { readonly piece: Buffer } | 'end';

async function* bodyOf(events: AsyncGenerator<TarEvent, void>): AsyncGenerator<Buffer, void> {
  for (let event = await events.next(); !event.done && event.value !== 'end'; event = await events.next()) {
    if ('piece' in event.value) yield event.value.piece;
  }
}

async function* tarEvents(source: AsyncIterable<Buffer>): AsyncGenerator<TarEvent, void> {
  const pending: TarEvent[] = [];
  const parser = new TarParser({
    entry: (entry) => pending.push({ entry }),
    body: (piece) => pending.push({ piece }),
    end: () => pending.push('end'),
  });
  for await (const chunk of source) {
    parser.write(chunk);
    yield* pending.splice(0);
  }
  parser.finish();
}

/** Of a member that has none. */
export async function* noBody(): AsyncGenerator<Buffer, void> {}
