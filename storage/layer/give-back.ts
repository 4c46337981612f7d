/**
 * The memory of a chunk that nobody reads any more, freed at once: a collector sees to it hundreds of chunks later, and until then each new
 * chunk is fresh memory that the kernel has to clear. Only for one who owns the whole ArrayBuffer, and the last of the chunks that were cut from it
 * in order; for any other this does nothing.
 */
export function giveBack({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteOffset + byteLength === buffer.byteLength) buffer.transfer(0);
}
