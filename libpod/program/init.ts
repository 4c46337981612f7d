/**
 * What `--init` runs where no such program is installed, called as `init -- COMMAND...`. As catatonit does, it runs the command as its child,
 * in a process group of its own that has the terminal, passes on every signal, reaps what becomes its child, and ends with the status of the
 * command: 128 and the signal where one ended it, 127 where PATH does not lead to it, 126 where it cannot be run.
 * It blocks all signals and takes them with rt_sigtimedwait(2), as the program of infra containers does; blocked SIGTTOU is also what lets
 * the child, which is in the background as yet, take the terminal (tcsetpgrp(3)).
 */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { machineCode, staticExecutable } from '../../core/elf.ts';
import { lockBeside, replaceFile } from '../../host/replace-file.ts';

const LOCK_TIMEOUT_MS = 10_000;
const MODE = 0o755;

const X86_64 = [
  '488b0c24', //           mov rcx, [rsp]          how many words
  '488d6c2418', //         lea rbp, [rsp+24]       the command, behind "init --"
  '4c8d64cc10', //         lea r12, [rsp+rcx*8+16] environment
  '41be7e000000', //       mov r14d, 126           exit status of what cannot be run
  '6aff', //               push -1                 all signals
  '4889e6', //             mov rsi, rsp            set
  '51', //                 push rcx                room for the old set, later for a status
  '4889e2', //             mov rdx, rsp            old set
  '31ff', //               xor edi, edi            SIG_BLOCK
  'e868000000', //         call mask
  '6a39', //               push 57                 fork
  '58', //                 pop rax
  '0f05', //               syscall
  '85c0', //               test eax, eax
  '0f8808010000', //       js fail
  '7463', //               je child
  '89c3', //               mov ebx, eax            the command's pid
  // next: byte 53
  '488d7c2408', //         lea rdi, [rsp+8]        set
  '31f6', //               xor esi, esi            no siginfo
  '31d2', //               xor edx, edx            no limit of time
  '6a08', //               push 8                  bytes of a set
  '415a', //               pop r10
  'b880000000', //         mov eax, 128            rt_sigtimedwait: which signal, or an error
  '0f05', //               syscall
  '83f811', //             cmp eax, 17             SIGCHLD
  '740f', //               je reap
  '85c0', //               test eax, eax
  '7ee3', //               jle next
  '89df', //               mov edi, ebx            pid
  '89c6', //               mov esi, eax            signal
  '6a3e', //               push 62                 kill
  '58', //                 pop rax
  '0f05', //               syscall
  'ebd8', //               jmp next
  // reap: byte 93
  '6aff', //               push -1                 any child
  '5f', //                 pop rdi
  '4889e6', //             mov rsi, rsp            status
  '6a01', //               push 1                  WNOHANG
  '5a', //                 pop rdx
  '4531d2', //             xor r10d, r10d          no usage
  '6a3d', //               push 61                 wait4: a pid, 0 or an error
  '58', //                 pop rax
  '0f05', //               syscall
  '85c0', //               test eax, eax
  '7ec3', //               jle next
  '39d8', //               cmp eax, ebx
  '75e7', //               jne reap
  '8b0424', //             mov eax, [rsp]          status
  '0fb6fc', //             movzx edi, ah           its exit status
  '83e07f', //             and eax, 127            or the signal that ended it
  '7406', //               je end
  '8db880000000', //       lea edi, [rax+128]
  // end: byte 135
  '6a3c', //               push 60                 exit
  '58', //                 pop rax
  '0f05', //               syscall
  // mask: byte 140
  '6a08', //               push 8                  bytes of a set
  '415a', //               pop r10
  '6a0e', //               push 14                 rt_sigprocmask
  '58', //                 pop rax
  '0f05', //               syscall
  'c3', //                 ret
  // child: byte 150
  '31ff', //               xor edi, edi            itself
  '31f6', //               xor esi, esi            a group of its own
  '6a6d', //               push 109                setpgid
  '58', //                 pop rax
  '0f05', //               syscall
  '6a27', //               push 39                 getpid
  '58', //                 pop rax
  '0f05', //               syscall
  '50', //                 push rax
  '4889e2', //             mov rdx, rsp            the group
  'be10540000', //         mov esi, 0x5410         TIOCSPGRP of standard input, an error where that is no terminal; edi is 0
  '6a10', //               push 16                 ioctl
  '58', //                 pop rax
  '0f05', //               syscall
  '58', //                 pop rax
  '4889e6', //             mov rsi, rsp            old set
  '31d2', //               xor edx, edx
  '6a02', //               push 2                  SIG_SETMASK
  '5f', //                 pop rdi
  'e8ccffffff', //         call mask
  '41ffc6', //             inc r14d                127: not found
  '488b7d00', //           mov rdi, [rbp]          path, if it is one
  '4889fe', //             mov rsi, rdi
  // slash: byte 202
  'ac', //                 lodsb
  '3c2f', //               cmp al, 47              "/"
  '7465', //               je whole
  '84c0', //               test al, al
  '75f7', //               jne slash
  '4c89e0', //             mov rax, r12
  // variable: byte 214
  '488b30', //             mov rsi, [rax]          variable
  '4885f6', //             test rsi, rsi
  '745b', //               je fail
  '4883c008', //           add rax, 8
  '813e50415448', //       cmp dword [rsi], 0x48544150 "PATH"
  '75ec', //               jne variable
  '807e043d', //           cmp byte [rsi+4], 61    "="
  '75e6', //               jne variable
  '4883c605', //           add rsi, 5
  '4881ec00000400', //     sub rsp, 0x40000        two words fit: none is longer than 128 KiB, execve(2)
  // directory: byte 251
  '4889e7', //             mov rdi, rsp            path
  // letter: byte 254
  'ac', //                 lodsb
  '3c3a', //               cmp al, 58              ":"
  '7407', //               je part
  '84c0', //               test al, al
  '7403', //               je part
  'aa', //                 stosb
  'ebf4', //               jmp letter
  // part: byte 266
  '4989f7', //             mov r15, rsi            rest of the variable
  '4189c5', //             mov r13d, eax           what ended this directory
  '4839e7', //             cmp rdi, rsp            an empty one is the working directory
  '7403', //               je append
  'b02f', //               mov al, 47              "/"
  'aa', //                 stosb
  // append: byte 280
  '488b7500', //           mov rsi, [rbp]          first word
  // copy: byte 284
  'ac', //                 lodsb
  'aa', //                 stosb
  '84c0', //               test al, al
  '75fa', //               jne copy
  '4889e7', //             mov rdi, rsp            path
  'e857000000', //         call try
  '4c89fe', //             mov rsi, r15
  '4584ed', //             test r13b, r13b
  '75c9', //               jne directory
  'eb05', //               jmp fail
  // whole: byte 308
  'e848000000', //         call try
  // fail: byte 313
  '488d0563000000', //     lea rax, [rip+99]       ": not found\n"
  '6a0c', //               push 12
  '4183fe7f', //           cmp r14d, 127
  '7408', //               je say
  '4883c00c', //           add rax, 12             ": cannot be executed\n"
  'c6042415', //           mov byte [rsp], 21
  // say: byte 336
  '50', //                 push rax
  '488b7500', //           mov rsi, [rbp]
  '31c9', //               xor ecx, ecx
  // length: byte 343
  'ffc1', //               inc ecx
  '803c0e00', //           cmp byte [rsi+rcx], 0
  '75f8', //               jne length
  '51', //                 push rcx
  '56', //                 push rsi
  '6a06', //               push 6
  '488d0533000000', //     lea rax, [rip+51]       "init: "
  '50', //                 push rax
  '6a02', //               push 2                  standard error
  '5f', //                 pop rdi
  '4889e6', //             mov rsi, rsp            three pieces
  '6a03', //               push 3
  '5a', //                 pop rdx
  '6a14', //               push 20                 writev
  '58', //                 pop rax
  '0f05', //               syscall
  '4489f7', //             mov edi, r14d
  'e906ffffff', //         jmp end
  // try: byte 385
  '4889ee', //             mov rsi, rbp            words
  '4c89e2', //             mov rdx, r12            environment
  '6a3b', //               push 59                 execve
  '58', //                 pop rax
  '0f05', //               syscall
  '83f8fe', //             cmp eax, -2             ENOENT
  '740b', //               je absent
  '83f8ec', //             cmp eax, -20            ENOTDIR
  '7406', //               je absent
  '41be7e000000', //       mov r14d, 126           found, but
  // absent: byte 412
  'c3', //                 ret
];

const AARCH64 = [
  0xf94003e9, // ldr x9, [sp]              how many words
  0x910063f3, // add x19, sp, 24           the command, behind "init --"
  0x8b296ff4, // add x20, sp, x9, lsl 3
  0x91004294, // add x20, x20, 16          environment
  0x52800fd6, // mov w22, 126              exit status of what cannot be run
  0x92800009, // mov x9, -1                all signals
  0xa9bf27e9, // stp x9, x9, [sp, -16]!    set, and room for the old set, later for a status
  0xd2800000, // mov x0, 0                 SIG_BLOCK
  0x910003e1, // mov x1, sp                set
  0x910023e2, // add x2, sp, 8             old set
  0x9400002b, // bl mask
  0xd2800220, // mov x0, 17                SIGCHLD
  0xd2800001, // mov x1, 0
  0xd2800002, // mov x2, 0
  0xd2800003, // mov x3, 0
  0xd2800004, // mov x4, 0
  0xd2801b88, // mov x8, 220               clone, which is a fork without flags
  0xd4000001, // svc 0
  0x37f80c20, // tbnz w0, 31, fail
  0x340004c0, // cbz w0, child
  0x2a0003f5, // mov w21, w0               the command's pid
  // next: word 21
  0x910003e0, // mov x0, sp                set
  0xd2800001, // mov x1, 0                 no siginfo
  0xd2800002, // mov x2, 0                 no limit of time
  0xd2800103, // mov x3, 8                 bytes of a set
  0xd2801128, // mov x8, 137               rt_sigtimedwait: which signal, or an error
  0xd4000001, // svc 0
  0x7100441f, // cmp w0, 17                SIGCHLD
  0x54000100, // b.eq reap
  0x7100001f, // cmp w0, 0
  0x54fffeed, // b.le next
  0x2a0003e1, // mov w1, w0                signal
  0x2a1503e0, // mov w0, w21               pid
  0xd2801028, // mov x8, 129               kill
  0xd4000001, // svc 0
  0x17fffff2, // b next
  // reap: word 36
  0x92800000, // mov x0, -1                any child
  0x910023e1, // add x1, sp, 8             status
  0xd2800022, // mov x2, 1                 WNOHANG
  0xd2800003, // mov x3, 0                 no usage
  0xd2802088, // mov x8, 260               wait4: a pid, 0 or an error
  0xd4000001, // svc 0
  0x7100001f, // cmp w0, 0
  0x54fffd4d, // b.le next
  0x6b15001f, // cmp w0, w21
  0x54fffee1, // b.ne reap
  0xb9400be1, // ldr w1, [sp, 8]           status
  0x53083c20, // ubfx w0, w1, 8, 8         its exit status
  0x72001821, // ands w1, w1, 127          or the signal that ended it
  0x54000040, // b.eq end
  0x11020020, // add w0, w1, 128
  // end: word 51
  0xd2800ba8, // mov x8, 93                exit
  0xd4000001, // svc 0
  // mask: word 53
  0xd2800103, // mov x3, 8                 bytes of a set
  0xd28010e8, // mov x8, 135               rt_sigprocmask
  0xd4000001, // svc 0
  0xd65f03c0, // ret
  // child: word 57
  0xd2800000, // mov x0, 0                 itself
  0xd2800001, // mov x1, 0                 a group of its own
  0xd2801348, // mov x8, 154               setpgid
  0xd4000001, // svc 0
  0xd2801588, // mov x8, 172               getpid
  0xd4000001, // svc 0
  0xb90003e0, // str w0, [sp]              the group
  0xd2800000, // mov x0, 0                 standard input
  0xd28a8201, // mov x1, 0x5410            TIOCSPGRP, an error where that is no terminal
  0x910003e2, // mov x2, sp
  0xd28003a8, // mov x8, 29                ioctl
  0xd4000001, // svc 0
  0xd2800040, // mov x0, 2                 SIG_SETMASK
  0x910023e1, // add x1, sp, 8             old set
  0xd2800002, // mov x2, 0
  0x97ffffed, // bl mask
  0x110006d6, // add w22, w22, 1           127: not found
  0xf9400277, // ldr x23, [x19]            first word
  0xaa1703e0, // mov x0, x23               path, if it is one
  0xaa1703e9, // mov x9, x23
  // slash: word 77
  0x3840152a, // ldrb w10, [x9], 1
  0x7100bd5f, // cmp w10, 47               "/"
  0x54000460, // b.eq whole
  0x35ffffaa, // cbnz w10, slash
  0xaa1403e9, // mov x9, x20
  // variable: word 82
  0xf8408538, // ldr x24, [x9], 8          variable
  0xb4000418, // cbz x24, fail
  0xb940030a, // ldr w10, [x24]
  0x52882a0b, // mov w11, 0x4150
  0x72a90a8b, // movk w11, 0x4854, lsl 16  "PATH"
  0x6b0b015f, // cmp w10, w11
  0x54ffff41, // b.ne variable
  0x3940130a, // ldrb w10, [x24, 4]
  0x7100f55f, // cmp w10, 61               "="
  0x54fffee1, // b.ne variable
  0x91001718, // add x24, x24, 5
  0xd14103ff, // sub sp, sp, 64, lsl 12    two words fit: none is longer than 128 KiB, execve(2)
  // directory: word 94
  0x910003e9, // mov x9, sp                path
  // letter: word 95
  0x38401719, // ldrb w25, [x24], 1
  0x7100eb3f, // cmp w25, 58               ":"
  0x54000080, // b.eq part
  0x34000079, // cbz w25, part
  0x38001539, // strb w25, [x9], 1
  0x17fffffb, // b letter
  // part: word 101
  0x910003ea, // mov x10, sp
  0xeb0a013f, // cmp x9, x10               an empty one is the working directory
  0x54000060, // b.eq append
  0x528005ea, // mov w10, 47               "/"
  0x3800152a, // strb w10, [x9], 1
  // append: word 106
  0xaa1703ea, // mov x10, x23
  // copy: word 107
  0x3840154b, // ldrb w11, [x10], 1
  0x3800152b, // strb w11, [x9], 1
  0x35ffffcb, // cbnz w11, copy
  0x910003e0, // mov x0, sp                path
  0x9400001b, // bl try
  0x35fffdd9, // cbnz w25, directory
  0x14000002, // b fail
  // whole: word 114
  0x94000018, // bl try
  // fail: word 115
  0xf9400277, // ldr x23, [x19]
  0xd2800009, // mov x9, 0
  // length: word 117
  0x91000529, // add x9, x9, 1
  0x38696aea, // ldrb w10, [x23, x9]
  0x35ffffca, // cbnz w10, length
  0x500003aa, // adr x10, +118            ": not found\n"
  0xd280018b, // mov x11, 12
  0x7101fedf, // cmp w22, 127
  0x54000060, // b.eq say
  0x9100314a, // add x10, x10, 12          ": cannot be executed\n"
  0xd28002ab, // mov x11, 21
  // say: word 126
  0xa9bf2fea, // stp x10, x11, [sp, -16]!
  0xa9bf27f7, // stp x23, x9, [sp, -16]!
  0x1000028a, // adr x10, +80             "init: "
  0xd28000cb, // mov x11, 6
  0xa9bf2fea, // stp x10, x11, [sp, -16]!
  0xd2800040, // mov x0, 2                 standard error
  0x910003e1, // mov x1, sp                three pieces
  0xd2800062, // mov x2, 3
  0xd2800848, // mov x8, 66                writev
  0xd4000001, // svc 0
  0x2a1603e0, // mov w0, w22
  0x17ffffaa, // b end
  // try: word 138
  0xaa1303e1, // mov x1, x19               words
  0xaa1403e2, // mov x2, x20               environment
  0xd2801ba8, // mov x8, 221               execve
  0xd4000001, // svc 0
  0x3100081f, // cmn w0, 2                 ENOENT
  0x54000080, // b.eq absent
  0x3100501f, // cmn w0, 20                ENOTDIR
  0x54000040, // b.eq absent
  0x52800fd6, // mov w22, 126              found, but
  // absent: word 147
  0xd65f03c0, // ret
];

const TEXT = 'init: : not found\n: cannot be executed\n';

/** Undefined for machines that it is not written for. */
export function initProgram(architecture: string = process.arch): Buffer | undefined {
  const code = machineCode(architecture, { x64: X86_64, arm64: AARCH64 });
  return code && staticExecutable(architecture, Buffer.concat([code, Buffer.from(TEXT, 'latin1')]));
}

/**
 * In the store, for all containers; those that run may have an older version mounted. Idempotent.
 * Returns its path, or undefined on machines that it is not written for.
 */
export async function placeInitProgram(store: string): Promise<string | undefined> {
  const program = initProgram();
  if (program === undefined) return undefined;
  const path = join(store, 'init');
  if (isThere(path, program)) return path;
  using _lock = await lockBeside(path, LOCK_TIMEOUT_MS);
  replaceFile(path, program, MODE);
  // Whatever the umask says: users of containers run it.
  chmodSync(path, MODE);
  return path;
}

function isThere(path: string, program: Buffer): boolean {
  return existsSync(path) && (statSync(path).mode & 0o777) === MODE && readFileSync(path).equals(program);
}
