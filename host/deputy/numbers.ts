/** Numbers of the system calls that a deputy makes (syscalls(2)): x86_64's own table, and the one that newer architectures share. */
import { EngineError } from '../../core/errors.ts';

/** x86_64, then the shared table (asm-generic/unistd.h). */
const NUMBERS = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  ioctl: [16, 29],
  socket: [41, 198],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  clone: [56, 220],
  execve: [59, 221],
  wait4: [61, 260],
  kill: [62, 129],
  fcntl: [72, 25],
  getcwd: [79, 17],
  chdir: [80, 49],
  fchdir: [81, 50],
  umask: [95, 166],
  setsid: [112, 157],
  setgroups: [116, 159],
  setresuid: [117, 147],
  setresgid: [119, 149],
  capset: [126, 91],
  personality: [135, 92],
  fstatfs: [138, 44],
  pivot_root: [155, 41],
  prctl: [157, 167],
  chroot: [161, 51],
  mount: [165, 40],
  umount2: [166, 39],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  exit_group: [231, 94],
  keyctl: [250, 219],
  ioprio_set: [251, 30],
  openat: [257, 56],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  fchownat: [260, 54],
  symlinkat: [266, 36],
  fchmodat: [268, 53],
  unshare: [272, 97],
  dup3: [292, 24],
  prlimit64: [302, 261],
  setns: [308, 268],
  sched_setattr: [314, 274],
  seccomp: [317, 277],
  statx: [332, 291],
  pidfd_open: [434, 434],
  open_tree: [428, 428],
  move_mount: [429, 429],
  close_range: [436, 436],
  openat2: [437, 437],
  faccessat2: [439, 439],
  mount_setattr: [442, 442],
} as const;

export type CallName = keyof typeof NUMBERS;

export function callNumber(name: CallName): number {
  const [x64, shared] = NUMBERS[name];
  if (process.arch === 'x64') return x64;
  if (process.arch === 'arm64') return shared;
  throw new EngineError('NOT_SUPPORTED', `there is no embedded OCI runtime for ${process.arch}`);
}
