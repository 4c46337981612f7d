import { encodeEntry, endOfArchive, paddingFor } from './write.ts';
import type { TarMember } from './read.ts';

/** Members as the bytes of an archive, as they come; memory stays at one piece of a body. A body must have the size its entry says. */
export async function* tarBytes(members: AsyncIterable<TarMember>): AsyncGenerator<Buffer, void> {
  for await (const { entry, body } of members) {
    yield encodeEntry(entry);
    yield* body;
    yield paddingFor(entry.sizeBytes);
  }
  yield endOfArchive();
}
