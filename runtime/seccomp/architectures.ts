/** The system call interfaces of a machine: a 64-bit kernel also answers the calls of its 32-bit programs, with numbers of their own. */
import { wrong } from './document.ts';
import { AARCH64, ARM, X32, X86, X86_64 } from './numbers.ts';

export interface Architecture {
  /** AUDIT_ARCH_… of linux/audit.h, which the filter reads. x32 has that of x86_64, and a bit in its numbers. */
  readonly audit: number;
  /** Bits of an argument: the kernel reads no more of it. */
  readonly bits: 32 | 64;
  /** Number of a call by its name. */
  readonly calls: ReadonlyMap<string, number>;
  /** Calls that are reached through another one as well, whose first argument says which: that call and its number there. */
  readonly multiplexed: ReadonlyMap<string, { readonly through: string; readonly as: number }>;
}

/** Set in the number of every call of x32, and of no other's. */
export const X32_BIT = 0x4000_0000;
export const AUDIT_X86_64 = 0xc000_003e;

/**
 * Of the architectures that a filter names those which this machine has, its own first whether it is named or not.
 * `machine` is `process.arch`. Throws INVALID_ARGUMENT for a name that libseccomp does not have, and for a machine without a table.
 */
export function architecturesOf(named: readonly string[], machine: string): readonly Architecture[] {
  const unknown = named.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw wrong(`unknown architecture ${JSON.stringify(unknown)}`);
  const [own, ...others] = MACHINES[machine] ?? [];
  if (own === undefined) throw wrong(`filters cannot be made for the architecture ${machine}`);
  return [own, ...others.filter((name) => named.includes(`SCMP_ARCH_${name}`))].map((name) => ARCHITECTURES[name]());
}

type Name = 'X86_64' | 'X86' | 'X32' | 'AARCH64' | 'ARM';

const MACHINES: Readonly<Record<string, readonly Name[]>> = {
  x64: ['X86_64', 'X86', 'X32'],
  ia32: ['X86'],
  arm64: ['AARCH64', 'ARM'],
  arm: ['ARM'],
};

const NONE: Architecture['multiplexed'] = new Map();

const ARCHITECTURES: Readonly<Record<Name, () => Architecture>> = {
  X86_64: () => ({ audit: AUDIT_X86_64, bits: 64, calls: numbered(X86_64), multiplexed: NONE }),
  X86: () => ({ audit: 0x4000_0003, bits: 32, calls: numbered(X86), multiplexed: MULTIPLEXED_X86 }),
  X32: () => ({ audit: AUDIT_X86_64, bits: 64, calls: numbered(X32, X32_BIT), multiplexed: NONE }),
  AARCH64: () => ({ audit: 0xc000_00b7, bits: 64, calls: numbered(AARCH64), multiplexed: NONE }),
  ARM: () => ({ audit: 0x4000_0028, bits: 32, calls: numbered(ARM), multiplexed: NONE }),
};

function numbered(table: string, bit = 0): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  let next = 0;
  for (const word of table.trim().split(/\s+/)) {
    if (word < ':') next = Number(word);
    else calls.set(word, bit + next++);
  }
  return calls;
}

/** linux/net.h and linux/ipc.h: the numbers of these calls within socketcall(2) and ipc(2). */
const MULTIPLEXED_X86: Architecture['multiplexed'] = new Map([
  ...within(
    'socketcall',
    `1 socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt
    sendmsg recvmsg accept4 recvmmsg sendmmsg`,
  ),
  ...within('ipc', '1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl'),
]);

function within(through: string, table: string): readonly (readonly [string, { readonly through: string; readonly as: number }])[] {
  return [...numbered(table)].map(([name, as]) => [name, { through, as }] as const);
}

/** Every architecture that libseccomp 2.6 has. Those of other machines are no error: their calls do not come up here. */
const KNOWN: ReadonlySet<string> = new Set(
  `X86_64 X86 X32 AARCH64 ARM LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PARISC PARISC64 PPC PPC64 PPC64LE
  RISCV64 S390 S390X SH SHEB`
    .split(/\s+/)
    .map((name) => `SCMP_ARCH_${name}`),
);
