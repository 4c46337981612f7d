/**
 * Programs that lichen brings along, put together instruction by instruction, because there is no compiler where it is installed and a
 * script would need an interpreter in the container. Each has a page of memory where another program would have a hundred.
 */

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES;
const ADDRESS = 0x40_0000n;

export interface Code {
  /** In hex. Jumps count from the end of their own instruction. */
  readonly x64: readonly string[];
  /** Little-endian words. */
  readonly arm64: readonly number[];
}

const MACHINES: Readonly<Record<string, { readonly elf: number; readonly code: (code: Code) => Buffer }>> = {
  x64: { elf: 62, code: ({ x64 }) => Buffer.from(x64.join(''), 'hex') },
  arm64: { elf: 183, code: ({ arm64 }) => Buffer.from(Uint32Array.from(arm64).buffer) },
};

/** A static executable (elf(5)) of a few hundred bytes, with `text` right behind its code. Undefined for other machines. */
export function executable(architecture: string, code: Code, text = ''): Buffer | undefined {
  const machine = Object.hasOwn(MACHINES, architecture) ? MACHINES[architecture] : undefined;
  if (machine === undefined) return undefined;
  const body = Buffer.concat([machine.code(code), Buffer.from(text, 'latin1')]);
  const size = BigInt(CODE_OFFSET + body.length);
  const header = Buffer.alloc(CODE_OFFSET);
  // 64 bits, little-endian, version 1.
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(machine.elf, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(ADDRESS + BigInt(CODE_OFFSET), 24); // where it begins
  header.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32);
  header.writeUInt16LE(FILE_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(1, 56); // how many program headers
  const segment = header.subarray(FILE_HEADER_BYTES);
  segment.writeUInt32LE(1, 0); // to be loaded
  segment.writeUInt32LE(5, 4); // readable, executable
  segment.writeBigUInt64LE(ADDRESS, 16);
  segment.writeBigUInt64LE(ADDRESS, 24);
  segment.writeBigUInt64LE(size, 32);
  segment.writeBigUInt64LE(size, 40);
  segment.writeBigUInt64LE(0x1_0000n, 48); // alignment: the largest page there is
  return Buffer.concat([header, body]);
}
