/**
 * The program of infra containers: it sleeps, reaps what becomes its child where the process namespace is shared, and ends on SIGTERM or SIGINT.
 * As the first process of its namespace it would not get signals that it does not handle; so it blocks them all, which keeps them
 * (signal(7), pid_namespaces(7)), and takes them one by one with rt_sigtimedwait(2).
 */
import { machineCode, staticExecutable } from '../../core/elf.ts';
import { EngineError } from '../../core/errors.ts';

const X86_64 = [
  '6aff', //            push -1               all signals: the set that rsp points to from here on
  '4889e6', //          mov  rsi, rsp         set
  '31ff', //            xor  edi, edi         SIG_BLOCK
  '31d2', //            xor  edx, edx         no old set
  '6a08415a', //        mov  r10, 8           bytes of a set
  '6a0e58', //          mov  rax, 14          rt_sigprocmask
  '0f05', //            syscall
  // wait: byte 18
  '4889e7', //          mov  rdi, rsp         set
  '31f6', //            xor  esi, esi         no siginfo
  '31d2', //            xor  edx, edx         no limit of time
  '6a08415a', //        mov  r10, 8
  'b880000000', //      mov  eax, 128         rt_sigtimedwait: which signal, or an error
  '0f05', //            syscall
  '83f80f', //          cmp  eax, SIGTERM
  '7420', //            je   end
  '83f802', //          cmp  eax, SIGINT
  '741b', //            je   end
  '83f811', //          cmp  eax, SIGCHLD
  '75df', //            jne  wait
  // reap: byte 51
  '6aff5f', //          mov  rdi, -1          any child
  '31f6', //            xor  esi, esi         no status
  '6a015a', //          mov  rdx, 1           WNOHANG
  '4531d2', //          xor  r10d, r10d       no usage
  '6a3d58', //          mov  rax, 61          wait4: a pid, 0 or an error
  '0f05', //            syscall
  '85c0', //            test eax, eax
  '7fec', //            jg   reap
  'ebc9', //            jmp  wait
  // end: byte 73
  '31ff', //            xor  edi, edi
  '6a3c58', //          mov  rax, 60          exit
  '0f05', //            syscall
];

const AARCH64 = [
  0xd10043ff, // sub  sp, sp, 16
  0x92800009, // mov  x9, -1           all signals
  0xf90003e9, // str  x9, [sp]
  0xd2800000, // mov  x0, 0            SIG_BLOCK
  0x910003e1, // mov  x1, sp           set
  0xd2800002, // mov  x2, 0            no old set
  0xd2800103, // mov  x3, 8            bytes of a set
  0xd28010e8, // mov  x8, 135          rt_sigprocmask
  0xd4000001, // svc  0
  // wait: word 9
  0x910003e0, // mov  x0, sp           set
  0xd2800001, // mov  x1, 0            no siginfo
  0xd2800002, // mov  x2, 0            no limit of time
  0xd2800103, // mov  x3, 8
  0xd2801128, // mov  x8, 137          rt_sigtimedwait: which signal, or an error
  0xd4000001, // svc  0
  0x71003c1f, // cmp  w0, SIGTERM
  0x540001c0, // b.eq end
  0x7100081f, // cmp  w0, SIGINT
  0x54000180, // b.eq end
  0x7100441f, // cmp  w0, SIGCHLD
  0x54fffea1, // b.ne wait
  // reap: word 21
  0x92800000, // mov  x0, -1           any child
  0xd2800001, // mov  x1, 0            no status
  0xd2800022, // mov  x2, 1            WNOHANG
  0xd2800003, // mov  x3, 0            no usage
  0xd2802088, // mov  x8, 260          wait4: a pid, 0 or an error
  0xd4000001, // svc  0
  0x7100001f, // cmp  w0, 0
  0x54ffff2c, // b.gt reap
  0x17ffffec, // b    wait
  // end: word 30
  0xd2800000, // mov  x0, 0
  0xd2800ba8, // mov  x8, 93           exit
  0xd4000001, // svc  0
];

/** Throws NOT_SUPPORTED. */
export function infraProgram(architecture: string = process.arch): Buffer {
  const code = machineCode(architecture, { x64: X86_64, arm64: AARCH64 });
  if (code !== undefined) return staticExecutable(architecture, code);
  throw new EngineError('NOT_SUPPORTED', `there is no infra container for ${architecture}`, {
    hint: 'Name an image with --infra-image, or use --infra=false.',
  });
}
