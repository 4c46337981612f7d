/** Static executables (elf(5)) from instructions that are kept in the source: there is no compiler where lichen is installed. Pure. */

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_ADDRESS = 0x40_0000n;
/** The largest page there is. */
const ALIGNMENT = 0x1_0000n;
const EXECUTABLE = 5;
const WRITABLE = 6;

/** By Node's name of the architecture: EM_X86_64, EM_AARCH64. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** The same program for each machine. */
export interface Code {
  /** In hex. Jumps count from the end of their own instruction. */
  readonly x64: readonly string[];
  /** Little-endian words. */
  readonly arm64: readonly number[];
}

/** Its bytes for a machine (`process.arch`); undefined for others. */
export function machineCode(architecture: string, { x64, arm64 }: Code): Buffer | undefined {
  if (architecture === 'x64') return Buffer.from(x64.join(''), 'hex');
  return architecture === 'arm64' ? Buffer.from(Uint32Array.from(arm64).buffer) : undefined;
}

/** Zeroed memory beside the code. */
export interface Memory {
  readonly address: bigint;
  readonly bytes: number;
}

/** A program of `code`, which begins at its first byte and may stand anywhere. */
export function staticExecutable(architecture: string, code: Buffer, memory?: Memory): Buffer {
  const count = memory === undefined ? 1 : 2;
  const codeOffset = FILE_HEADER_BYTES + count * PROGRAM_HEADER_BYTES;
  const header = Buffer.alloc(codeOffset);
  // 64 bits, little-endian, version 1.
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(MACHINES[architecture]!, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(CODE_ADDRESS + BigInt(codeOffset), 24); // where it begins
  header.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32);
  header.writeUInt16LE(FILE_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(count, 56);
  const size = codeOffset + code.length;
  writeSegment(header.subarray(FILE_HEADER_BYTES), EXECUTABLE, CODE_ADDRESS, size, size);
  if (memory !== undefined)
    writeSegment(header.subarray(FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES), WRITABLE, memory.address, 0, memory.bytes);
  return Buffer.concat([header, code]);
}

/** From the file's first byte on. */
function writeSegment(header: Buffer, access: number, address: bigint, fileBytes: number, memoryBytes: number): void {
  header.writeUInt32LE(1, 0); // to be loaded
  header.writeUInt32LE(access, 4);
  header.writeBigUInt64LE(address, 16);
  header.writeBigUInt64LE(address, 24);
  header.writeBigUInt64LE(BigInt(fileBytes), 32);
  header.writeBigUInt64LE(BigInt(memoryBytes), 40);
  header.writeBigUInt64LE(ALIGNMENT, 48);
}
