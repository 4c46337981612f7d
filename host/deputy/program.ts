/**
 * The deputy's program: it reads messages from a socket and makes the system calls that they name, one after another.
 *
 * A message lies at MESSAGE: the number of bytes to answer with, then entries of 72 bytes (the call's number, six arguments, the least result that is
 * no failure, and where to store the result; 0: nowhere), an entry with a negative number as the end, and data that the arguments point to.
 * The answer lies at ANSWER: the last call's result and where its entry is, then what calls have put there. A failure ends the message early.
 * It ends with status 127 when the socket is at its end.
 *
 * Put together instruction by instruction (libpod/program/ does so too). It is one thread and two pages: what Node, with its threads, can
 * not do is open to it (user namespaces, becoming a container's first process), and there is nothing of ours in the process that
 * somebody in a container could take hold of: no Node to overwrite (CVE-2019-5736), no directory of ours, no secret.
 */
import { staticExecutable } from '../../core/elf.ts';
import { EngineError } from '../../core/errors.ts';

export const ANSWER = 0x1000_0000;
export const ANSWER_BYTES = 0x1000;
export const MESSAGE = ANSWER + ANSWER_BYTES;
export const MESSAGE_BYTES = 0x1_0000;
/** For what is too long for a message: arguments and environment of a program. */
export const HEAP = MESSAGE + MESSAGE_BYTES;
export const HEAP_BYTES = 0x80_0000;

/** In hex. Jumps count from the end of their own instruction. */
const X86_64 = [
  '41bc00000010', //    mov  r12d, ANSWER
  '41bd00100010', //    mov  r13d, MESSAGE
  // next message: byte 17
  '31c0', //            xor  eax, eax         read
  '89ef', //            mov  edi, ebp         socket
  '4c89ee', //          mov  rsi, r13
  'ba00000100', //      mov  edx, MESSAGE_BYTES
  '0f05', //            syscall
  '4885c0', //          test rax, rax
  '7e59', //            jle  end
  '498d5d08', //        lea  rbx, [r13+8]
  // entry: byte 40
  '488b03', //          mov  rax, [rbx]
  '4885c0', //          test rax, rax
  '783b', //            js   answer
  '488b7b08', //        mov  rdi, [rbx+8]
  '488b7310', //        mov  rsi, [rbx+16]
  '488b5318', //        mov  rdx, [rbx+24]
  '4c8b5320', //        mov  r10, [rbx+32]
  '4c8b4328', //        mov  r8, [rbx+40]
  '4c8b4b30', //        mov  r9, [rbx+48]
  '0f05', //            syscall
  '49890424', //        mov  [r12], rax
  '49895c2408', //      mov  [r12+8], rbx
  '483b4338', //        cmp  rax, [rbx+56]
  '7c12', //            jl   answer
  '488b4b40', //        mov  rcx, [rbx+64]
  '4885c9', //          test rcx, rcx
  '7403', //            jz   next entry
  '488901', //          mov  [rcx], rax
  // next entry: byte 101
  '4883c348', //        add  rbx, 72
  'ebbd', //            jmp  entry
  // answer: byte 107
  'b801000000', //      mov  eax, 1           write
  '89ef', //            mov  edi, ebp
  '4c89e6', //          mov  rsi, r12
  '498b5500', //        mov  rdx, [r13]
  '0f05', //            syscall
  'eb94', //            jmp  next message
  // end: byte 125
  'bf7f000000', //      mov  edi, 127
  'b8e7000000', //      mov  eax, 231         exit_group
  '0f05', //            syscall
];

/** Little-endian words. */
const AARCH64 = [
  0x52a20015, // mov  w21, ANSWER
  0x914006b4, // add  x20, x21, 4096    MESSAGE
  // next message: word 3
  0xd28007e8, // mov  x8, 63            read
  0x2a1303e0, // mov  w0, w19           socket
  0xaa1403e1, // mov  x1, x20
  0xd2a00022, // mov  x2, MESSAGE_BYTES
  0xd4000001, // svc  0
  0xf100001f, // cmp  x0, 0
  0x540002ed, // b.le end
  0x91002296, // add  x22, x20, 8
  // entry: word 11
  0xf94002c8, // ldr  x8, [x22]
  0xb7f801c8, // tbnz x8, 63, answer
  0xa94086c0, // ldp  x0, x1, [x22, 8]
  0xa9418ec2, // ldp  x2, x3, [x22, 24]
  0xa94296c4, // ldp  x4, x5, [x22, 40]
  0xd4000001, // svc  0
  0xa9005aa0, // stp  x0, x22, [x21]
  0xf9401ec9, // ldr  x9, [x22, 56]
  0xeb09001f, // cmp  x0, x9
  0x540000cb, // b.lt answer
  0xf94022c9, // ldr  x9, [x22, 64]
  0xb4000049, // cbz  x9, next entry
  0xf9000120, // str  x0, [x9]
  // next entry: word 24
  0x910122d6, // add  x22, x22, 72
  0x17fffff2, // b    entry
  // answer: word 26
  0xd2800808, // mov  x8, 64            write
  0x2a1303e0, // mov  w0, w19
  0xaa1503e1, // mov  x1, x21
  0xf9400282, // ldr  x2, [x20]
  0xd4000001, // svc  0
  0x17ffffe4, // b    next message
  // end: word 32
  0xd2800fe0, // mov  x0, 127
  0xd2800bc8, // mov  x8, 94            exit_group
  0xd4000001, // svc  0
];

/** The first instruction names the socket. */
const CODE: Readonly<Record<string, (socket: number) => Buffer>> = {
  // mov ebp, socket
  x64: (socket) => Buffer.concat([Buffer.of(0xbd), word(socket), Buffer.from(X86_64.join(''), 'hex')]),
  // mov w19, socket
  arm64: (socket) => Buffer.concat([word(0x5280_0013 | (socket << 5)), Buffer.from(Uint32Array.from(AARCH64).buffer)]),
};

/** A static executable that serves `socket`. Throws NOT_SUPPORTED. */
export function deputyProgram(socket: number, architecture: string = process.arch): Buffer {
  if (!Object.hasOwn(CODE, architecture)) throw new EngineError('NOT_SUPPORTED', `there is no embedded OCI runtime for ${architecture}`);
  return staticExecutable(architecture, CODE[architecture]!(socket), {
    address: BigInt(ANSWER),
    bytes: ANSWER_BYTES + MESSAGE_BYTES + HEAP_BYTES,
  });
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
