/**
 * A shared object for LD_PRELOAD (ld.so(8)) that puts V8's heap into large pages, where transparent ones are to be had for the asking. V8 maps
 * its heap in chunks of 256 KiB at random addresses, some twenty at a start: a thousand page faults, a quarter of the time of a bare Node.
 *
 * It stands in for mmap(2), munmap(2) and madvise(2). V8 asks for a chunk with as much besides as alignment may take, and at once gives the rest
 * back: a request of just that size is answered from a pool of 16 MiB, 512 KiB each, and the given half is taken back if it was the last.
 * Other calls, and those after the pool has ended, go on to the kernel. Nothing else of the pool is given back: a chunk that V8 frees
 * stays until the process ends. MADV_DONTFORK, which V8 asks for by chunk and which would part the large pages, holds for the whole pool.
 *
 * Put together instruction by instruction, because lichen must be whole without a C compiler. For x86-64.
 */

const POOL = '00000001'; // 16 MiB, little-endian
const RESERVED = '00002801'; // with room to align it to 2 MiB, and for the last request

/** Instructions in hex, and the symbol whose distance from the end of the instruction follows. Short jumps are counted likewise. */
const INIT: readonly Instruction[] = [
  ['6a09'], //                        push 9
  ['58'], //                          pop rax                mmap
  ['31ff'], //                        xor edi, edi
  [`be${RESERVED}`], //               mov esi, RESERVED
  ['6a03'], //                        push 3                 PROT_READ | PROT_WRITE
  ['5a'], //                          pop rdx
  ['41ba22400000'], //                mov r10d, 0x4022       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
  ['6aff'], //                        push -1
  ['4158'], //                        pop r8
  ['4531c9'], //                      xor r9d, r9d
  ['0f05'], //                        syscall
  ['483d01f0ffff'], //                cmp rax, -4095         an error: there is no pool
  ['7332'], //                        jae end
  ['4805ffff1f00'], //                add rax, 0x1fffff
  ['48250000e0ff'], //                and rax, -0x200000     a large page begins here
  ['488905', 'begin'], //             mov [begin], rax
  ['488905', 'next'], //              mov [next], rax
  ['4889c7'], //                      mov rdi, rax
  [`be${POOL}`], //                   mov esi, POOL
  ['6a0e'], //                        push 14                MADV_HUGEPAGE
  ['5a'], //                          pop rdx
  ['6a1c'], //                        push 28
  ['58'], //                          pop rax                madvise
  ['0f05'], //                        syscall
  ['6a0a'], //                        push 10                MADV_DONTFORK
  ['5a'], //                          pop rdx
  ['6a1c'], //                        push 28
  ['58'], //                          pop rax
  ['0f05'], //                        syscall
  ['c3'], //                     end: ret
];

const MMAP: readonly Instruction[] = [
  ['4881fe00f00700'], //              cmp rsi, 0x7f000       256 KiB, and as much less a page for the alignment
  ['752b'], //                        jne other
  ['83fa03'], //                      cmp edx, 3             PROT_READ | PROT_WRITE
  ['7526'], //                        jne other
  ['83f922'], //                      cmp ecx, 0x22          MAP_PRIVATE | MAP_ANONYMOUS
  ['7521'], //                        jne other
  ['b800000800'], //                  mov eax, 0x80000
  ['f0480fc105', 'next'], //          lock xadd [next], rax
  ['4989c3'], //                      mov r11, rax
  ['4c2b1d', 'begin'], //             sub r11, [begin]
  [`4981fb${POOL}`], //               cmp r11, POOL
  ['7243'], //                        jb return
  ['4989ca'], //               other: mov r10, rcx
  ['6a09'], //                        push 9
  ['58'], //                          pop rax
  ['eb3c'], //                        jmp call
];

const MADVISE: readonly Instruction[] = [
  ['6a1c'], //                        push 28
  ['58'], //                          pop rax
  ['83fa0a'], //                      cmp edx, 10            MADV_DONTFORK
  ['7534'], //                        jne call
  ['eb03'], //                        jmp pooled
];

const MUNMAP: readonly Instruction[] = [
  ['6a0b'], //                        push 11
  ['58'], //                          pop rax
  ['4989fb'], //              pooled: mov r11, rdi
  ['4c2b1d', 'begin'], //             sub r11, [begin]
  [`4981fb${POOL}`], //               cmp r11, POOL
  ['731c'], //                        jae call
  ['4881fe00f00300'], //              cmp rsi, 0x3f000       what the alignment did not take
  ['7510'], //                        jne done
  ['488d8700000400'], //              lea rax, [rdi+0x40000]
  ['f0480fb13d', 'next'], //          lock cmpxchg [next], rdi
  ['31c0'], //                  done: xor eax, eax
  ['c3'], //                  return: ret
  ['0f05'], //                  call: syscall
  ['483d01f0ffff'], //                cmp rax, -4095
  ['72f5'], //                        jb return
  ['f7d8'], //                        neg eax
  ['50'], //                          push rax
  ['ff15', 'errnoLocation'], //       call [errnoLocation]
  ['59'], //                          pop rcx
  ['8908'], //                        mov [rax], ecx
  ['4883c8ff'], //                    or rax, -1
  ['c3'], //                          ret
];

/** In the order in which they lie: the jumps lead from one to another. */
const FUNCTIONS = { init: INIT, mmap: MMAP, madvise: MADVISE, munmap: MUNMAP };

type Instruction = readonly [code: string, datum?: Datum];
type Datum = 'errnoLocation' | 'begin' | 'next';

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 24;
/** What is written to lies a page further in memory than in the file, so that it shares none with the code. */
const DATA_SHIFT = 0x1000;
const NO_POOL = 0xffff_ffff_ff00_0000n;

/** The file (elf(5), System V ABI: Dynamic Linking). */
export function largePages(): Buffer {
  const names = ['__errno_location', 'mmap', 'mmap64', 'munmap', 'madvise'];
  const strings = Buffer.from(`\0${names.join('\0')}\0`, 'latin1');
  const hashAt = FILE_HEADER_BYTES + 4 * PROGRAM_HEADER_BYTES;
  const hash = words(1, names.length + 1, 1, 0, ...names.map((_, index) => (index === names.length - 1 ? 0 : index + 2)));
  const symbolsAt = aligned(hashAt + hash.length);
  const stringsAt = symbolsAt + (names.length + 1) * SYMBOL_BYTES;
  const relocationAt = aligned(stringsAt + strings.length);
  const codeAt = relocationAt + RELOCATION_BYTES;
  const starts = startsOf(codeAt);
  const dataAt = aligned(starts.end);
  const data = { errnoLocation: dataAt + DATA_SHIFT, begin: dataAt + DATA_SHIFT + 8, next: dataAt + DATA_SHIFT + 16 };
  const dynamicAt = dataAt + 24;

  const symbols = [
    symbol(0, 0, 0),
    ...names.map((name) => {
      const function_ = name === 'mmap64' ? 'mmap' : name;
      return symbol(strings.indexOf(`\0${name}\0`, 0, 'latin1') + 1, 0x12, Object.hasOwn(starts, function_) ? starts[function_]! : 0);
    }),
  ];
  // R_X86_64_GLOB_DAT of the first symbol
  const relocation = longs(BigInt(data.errnoLocation), (1n << 32n) | 6n, 0n);
  const dynamic = longs(
    ...[
      [4, hashAt],
      [5, stringsAt],
      [6, symbolsAt],
      [7, relocationAt],
      [8, RELOCATION_BYTES],
      [9, RELOCATION_BYTES],
      [10, strings.length],
      [11, SYMBOL_BYTES],
      [12, starts['init']!],
      [0, 0],
    ]
      .flat()
      .map(BigInt),
  );
  const end = dynamicAt + dynamic.length;
  const file = Buffer.alloc(end);
  for (const [at, bytes] of [
    [0, fileHeader()],
    [
      FILE_HEADER_BYTES,
      Buffer.concat([
        programHeader(1, 5, 0, 0, dataAt), // loaded: readable, executable
        programHeader(1, 6, dataAt, dataAt + DATA_SHIFT, end - dataAt), // loaded: readable, writable
        programHeader(2, 6, dynamicAt, dynamicAt + DATA_SHIFT, dynamic.length),
        programHeader(0x6474_e551, 6, 0, 0, 0), // a stack that is not executable
      ]),
    ],
    [hashAt, hash],
    [symbolsAt, Buffer.concat(symbols)],
    [stringsAt, strings],
    [relocationAt, relocation],
    [codeAt, assemble(codeAt, data)],
    [dataAt, longs(0n, NO_POOL, 0n)],
    [dynamicAt, dynamic],
  ] as const) {
    bytes.copy(file, at);
  }
  return file;
}

/** Where each function begins, and where the last ends. */
function startsOf(codeAt: number): Readonly<Record<string, number>> & { readonly end: number } {
  const starts: Record<string, number> = {};
  let at = codeAt;
  for (const [name, instructions] of Object.entries(FUNCTIONS)) {
    starts[name] = at;
    for (const instruction of instructions) at += lengthOf(instruction);
  }
  return { ...starts, end: at };
}

function lengthOf([code, datum]: Instruction): number {
  return code.length / 2 + (datum === undefined ? 0 : 4);
}

function assemble(codeAt: number, data: Readonly<Record<Datum, number>>): Buffer {
  let at = codeAt;
  const parts = Object.values(FUNCTIONS)
    .flat()
    .map((instruction) => {
      const [code, datum] = instruction;
      at += lengthOf(instruction);
      const bytes = Buffer.from(code, 'hex');
      return datum === undefined ? bytes : Buffer.concat([bytes, words(data[datum] - at)]);
    });
  return Buffer.concat(parts);
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  // 64 bits, little-endian, version 1.
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(3, 16); // a shared object
  header.writeUInt16LE(62, 18); // x86-64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32);
  header.writeUInt16LE(FILE_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(4, 56); // how many program headers
  return header;
}

function programHeader(type: number, flags: number, offset: number, address: number, size: number): Buffer {
  const alignment = type === 1 ? 0x1000n : 8n;
  return Buffer.concat([
    words(type, flags),
    longs(BigInt(offset), BigInt(address), BigInt(address), BigInt(size), BigInt(size), alignment),
  ]);
}

/** One of no section is one that is looked for elsewhere. */
function symbol(name: number, info: number, address: number): Buffer {
  const bytes = Buffer.alloc(SYMBOL_BYTES);
  bytes.writeUInt32LE(name, 0);
  bytes.writeUInt8(info, 4);
  bytes.writeUInt16LE(address === 0 ? 0 : 1, 6);
  bytes.writeBigUInt64LE(BigInt(address), 8);
  return bytes;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32LE(value | 0, index * 4);
  return bytes;
}

function longs(...values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(value, index * 8);
  return bytes;
}

function aligned(position: number): number {
  return (position + 7) & ~7;
}
