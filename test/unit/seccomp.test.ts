/** The compiler of seccomp filters, whose programs are run by an interpreter of what the kernel runs (bpf.ts). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_CAPABILITIES } from '../../libpod/spec/capabilities.ts';
import { DEFAULTS } from '../../libpod/spec/defaults.ts';
import { defaultSeccompProfile, seccompFilter } from '../../libpod/spec/seccomp.ts';
import { compileSeccomp, type Seccomp } from '../../runtime/seccomp/compile.ts';
import { X86_64 } from '../../runtime/seccomp/numbers.ts';
import { runFilter, type Call } from './bpf.ts';

const AUDIT = { X86_64: 0xc000003e, X86: 0x40000003, AARCH64: 0xc00000b7, ARM: 0x40000028, S390X: 0x80000016 } as const;
const ALLOW = 0x7fff0000;
const KILL_THREAD = 0;
const errno = (number: number): number => 0x00050000 + number;
const ALL = 0xffff_ffff_ffff_ffffn;

/** What a filter says of a call, by default one of x86_64 without arguments. */
function verdictOn(seccomp: Seccomp, call: Partial<Call> & { number: number }, machine = 'x64'): number {
  return runFilter(compileSeccomp(seccomp, machine).filter, { audit: AUDIT.X86_64, args: [0n, 0n, 0n, 0n, 0n, 0n], ...call }).verdict;
}

const rule = (names: string[], action = 'SCMP_ACT_ALLOW') => ({ names, action });
const deny = (...syscalls: NonNullable<Seccomp['syscalls']>): Seccomp => ({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });

test('every action has the value that seccomp(2) gives it, and an errno where it takes one', () => {
  const first = (defaultAction: string, defaultErrnoRet?: number) =>
    verdictOn({ defaultAction, ...(defaultErrnoRet !== undefined && { defaultErrnoRet }) }, { number: 0 });
  expect(first('SCMP_ACT_KILL')).toBe(0);
  expect(first('SCMP_ACT_KILL_THREAD')).toBe(0);
  expect(first('SCMP_ACT_KILL_PROCESS')).toBe(0x80000000);
  expect(first('SCMP_ACT_TRAP')).toBe(0x00030000);
  expect(first('SCMP_ACT_ERRNO')).toBe(errno(1));
  expect(first('SCMP_ACT_ERRNO', 38)).toBe(errno(38));
  expect(first('SCMP_ACT_TRACE', 7)).toBe(0x7ff00007);
  expect(first('SCMP_ACT_LOG')).toBe(0x7ffc0000);
  expect(first('SCMP_ACT_ALLOW')).toBe(ALLOW);
  const rules = deny({ ...rule(['read'], 'SCMP_ACT_ERRNO'), errnoRet: 13 });
  expect([verdictOn(rules, { number: 0 }), verdictOn(rules, { number: 1 })]).toEqual([errno(13), errno(1)]);
});

test('each architecture has its own numbers, and calls of one that is not listed end the thread', () => {
  const seccomp = {
    ...deny(rule(['openat', 'set_tls', 'cachestat', 'no_such_call'])),
    architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_S390X'],
  };
  const on = (audit: number, number: number, machine = 'x64') => verdictOn(seccomp, { audit, number }, machine);
  expect([on(AUDIT.X86_64, 257), on(AUDIT.X86, 295), on(AUDIT.X86_64, 451)]).toEqual([ALLOW, ALLOW, ALLOW]);
  expect([on(AUDIT.X86, 257), on(AUDIT.X86_64, 295), on(AUDIT.S390X, 288)]).toEqual([errno(1), errno(1), KILL_THREAD]);
  expect([on(AUDIT.AARCH64, 56, 'arm64'), on(AUDIT.ARM, 322, 'arm64')]).toEqual([ALLOW, KILL_THREAD]);
  const arm = { ...seccomp, architectures: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] };
  expect(verdictOn(arm, { audit: AUDIT.ARM, number: 322 }, 'arm64')).toBe(ALLOW);
  expect(verdictOn(arm, { audit: AUDIT.ARM, number: 983_045 }, 'arm64')).toBe(ALLOW);
});

test('x32 is let in only where it is listed, with its own numbers; a call that a tracer skips has the default', () => {
  const rules = deny(rule(['readv']));
  const X32_READV = 0x40000000 + 515;
  expect(verdictOn(rules, { number: X32_READV })).toBe(KILL_THREAD);
  expect(verdictOn(rules, { number: 0xffffffff })).toBe(errno(1));
  const listed = { ...rules, architectures: ['SCMP_ARCH_X32'] };
  expect([verdictOn(listed, { number: X32_READV }), verdictOn(listed, { number: 19 })]).toEqual([ALLOW, ALLOW]);
  expect([verdictOn(listed, { number: 0x40000000 + 19 }), verdictOn(listed, { number: 515 })]).toEqual([errno(1), errno(1)]);
});

test('x86 reaches sockets and ipc through one call each, which a rule without conditions covers as well', () => {
  const x86 = { audit: AUDIT.X86 };
  const seccomp: Seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86'],
    syscalls: [rule(['socket', 'msgget'], 'SCMP_ACT_KILL_PROCESS')],
  };
  const through = (number: number, first: bigint) => verdictOn(seccomp, { ...x86, number, args: [first, 0n, 0n, 0n, 0n, 0n] });
  const KILL_PROCESS = 0x80000000;
  expect([through(359, 2n), through(102, 1n), through(399, 5n), through(117, 13n), through(117, 0x1000dn)]).toEqual(
    Array.from({ length: 5 }, () => KILL_PROCESS),
  );
  expect([through(102, 2n), through(117, 14n)]).toEqual([ALLOW, ALLOW]);
});

test('a rule without conditions goes before those with them, and an argument named twice makes two rules', () => {
  const equal = (value: number) => ({ index: 0, value, op: 'SCMP_CMP_EQ' });
  const both = deny({ ...rule(['personality']), args: [equal(8), equal(0x20000)] });
  const on = (seccomp: Seccomp, first: bigint) => verdictOn(seccomp, { number: 135, args: [first, 0n, 0n, 0n, 0n, 0n] });
  expect([on(both, 8n), on(both, 0x20000n), on(both, 9n)]).toEqual([ALLOW, ALLOW, errno(1)]);
  const plain = deny({ ...rule(['personality'], 'SCMP_ACT_TRAP'), args: [equal(8)] }, rule(['personality']));
  expect([on(plain, 8n), on(plain, 9n)]).toEqual([ALLOW, ALLOW]);
});

test('2^64−1 is compared as it is written, as a number and as a bigint', () => {
  for (const value of [Number(ALL), ALL]) {
    const rules = deny({ ...rule(['read']), args: [{ index: 5, value, op: 'SCMP_CMP_EQ' }] });
    expect(verdictOn(rules, { number: 0, args: [0n, 0n, 0n, 0n, 0n, ALL] })).toBe(ALLOW);
    expect(verdictOn(rules, { number: 0, args: [0n, 0n, 0n, 0n, 0n, ALL - 1n] })).toBe(errno(1));
  }
});

test('flags are those of seccomp(2), and a listener brings its own', () => {
  const flagsOf = (seccomp: Partial<Seccomp>) => compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', ...seccomp }, 'x64').flags;
  const notify = { listenerPath: '/run/listener', syscalls: [rule(['chown'], 'SCMP_ACT_NOTIFY')] };
  expect(flagsOf({})).toBe(0);
  expect(flagsOf({ flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'] })).toBe(7);
  expect(flagsOf({ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] })).toBe(0);
  expect(flagsOf({ ...notify, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] })).toBe(8 + 32);
  expect(flagsOf({ ...notify, flags: ['SECCOMP_FILTER_FLAG_TSYNC'] })).toBe(8 + 1 + 16);
});

const args = (arg: object) => [{ ...rule(['read']), args: [{ index: 0, value: 0, op: 'SCMP_CMP_EQ', ...arg }] }];
const BROKEN: readonly (readonly [change: object, words: string, machine?: string])[] = [
  [{ defaultAction: 'SCMP_ACT_MAYBE' }, 'unknown action "SCMP_ACT_MAYBE"'],
  [{ defaultAction: undefined }, 'unknown action undefined'],
  [{ syscalls: [rule(['read'], 'ALLOW')] }, 'unknown action "ALLOW"'],
  [{ syscalls: [{ ...rule(['read']), errnoRet: 1 }] }, 'SCMP_ACT_ALLOW takes no errno, and 1 is given'],
  [{ defaultErrnoRet: 70_000 }, 'errno 70000 of SCMP_ACT_ERRNO is not in the range 0 to 65535'],
  [{ flags: ['SECCOMP_FILTER_FLAG_NEW'] }, 'unknown flag "SECCOMP_FILTER_FLAG_NEW"'],
  [{ architectures: ['x86_64'] }, 'unknown architecture "x86_64"'],
  [{}, 'filters cannot be made for the architecture loong64', 'loong64'],
  [{ syscalls: args({ op: '==' }) }, 'unknown operator "=="'],
  [{ syscalls: args({ index: 6 }) }, 'none of index 6'],
  [{ syscalls: args({ value: -1 }) }, '-1 is no value of an argument'],
  [{ syscalls: args({ value: 0.5 }) }, '0.5 is no value of an argument'],
  [{ syscalls: args({ valueTwo: 2n ** 64n }) }, '18446744073709551616 is no value of an argument'],
  [{ syscalls: [rule(['chown'], 'SCMP_ACT_NOTIFY')] }, 'there is no listenerPath'],
  [{ syscalls: [rule(['write'], 'SCMP_ACT_NOTIFY')], listenerPath: '/l' }, 'neither the default nor the action for write'],
  [{ defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/l' }, 'neither the default nor the action for write'],
  [
    { syscalls: Array.from({ length: 5000 }, (_, value) => args({ value })[0]) },
    /^linux\.seccomp: the rules make \d+ instructions, and a filter has 4096$/.source,
  ],
];

test('a filter that cannot be made is refused with the reason', () => {
  for (const [change, words, machine = 'x64'] of BROKEN) {
    const compile = () => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', ...change }, machine);
    expect(compile).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(compile).toThrow(words.startsWith('^') ? new RegExp(words) : words);
  }
});

test("the engine's own profile takes a fraction of the room, and at most 16 instructions for a call without conditions", async () => {
  for (const [machine, audit] of [
    ['x64', AUDIT.X86_64],
    ['arm64', AUDIT.AARCH64],
  ] as const) {
    for (const capabilities of [DEFAULTS.capabilities, ALL_CAPABILITIES]) {
      const facts = { capabilities, arch: machine, kernel: '6.1.0' };
      const { filter } = compileSeccomp(seccompFilter(await defaultSeccompProfile(), 'built-in', facts), machine);
      expect(filter.length / 8).toBeLessThan(1000);
      // read, write, close, mmap, futex of x86_64; io_setup to lremovexattr and others of aarch64.
      for (const number of [0, 1, 3, 9, 202]) {
        const { verdict, steps } = runFilter(filter, { number, audit, args: [0n, 0n, 0n, 0n, 0n, 0n] });
        expect(verdict).toBe(ALLOW);
        expect(steps).toBeLessThanOrEqual(16);
      }
    }
  }
});

test('a program with more leaves than a comparison can jump over finds each of them', () => {
  const names = X86_64.trim()
    .split(/\s+/)
    .slice(0, 335)
    .filter((word) => !/^\d/.test(word));
  const twice = { index: 0, value: 7, op: 'SCMP_CMP_NE' };
  const syscalls = names.map((name, index) => ({ ...rule([name], 'SCMP_ACT_ERRNO'), errnoRet: index + 2, args: [twice] }));
  const { filter } = compileSeccomp(deny(...syscalls), 'x64');
  const on = (number: number, first: bigint) =>
    runFilter(filter, { number, audit: AUDIT.X86_64, args: [first, 0n, 0n, 0n, 0n, 0n] }).verdict;
  for (const number of names.keys()) expect([on(number, 0n), on(number, 7n)]).toEqual([errno(number + 2), errno(1)]);
});

const OPERATIONS: Readonly<Record<string, (argument: bigint, value: bigint, second: bigint) => boolean>> = {
  SCMP_CMP_NE: (argument, value) => argument !== value,
  SCMP_CMP_LT: (argument, value) => argument < value,
  SCMP_CMP_LE: (argument, value) => argument <= value,
  SCMP_CMP_EQ: (argument, value) => argument === value,
  SCMP_CMP_GE: (argument, value) => argument >= value,
  SCMP_CMP_GT: (argument, value) => argument > value,
  SCMP_CMP_MASKED_EQ: (argument, mask, value) => (argument & mask) === (value & mask),
};

// Few different calls and values, so that rules meet; values whose halves agree and differ.
const CALLS = { read: [0, 3], write: [1, 4], close: [3, 6], mmap: [9, 90], clone: [56, 120], personality: [135, 136] } as const;
const aValue = fc.constantFrom(0n, 1n, 2n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, 0x2_0000_0001n, ALL - 1n, ALL);
const aCondition = fc.record({
  index: fc.integer({ min: 0, max: 2 }),
  op: fc.constantFrom(...Object.keys(OPERATIONS)),
  value: aValue,
  valueTwo: aValue,
});
const aRule = fc.record({
  names: fc.uniqueArray(fc.constantFrom(...Object.keys(CALLS), 'no_such_call'), { minLength: 1 }),
  action: fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'),
  errnoRet: fc.integer({ min: 1, max: 9 }),
  args: fc.uniqueArray(aCondition, { maxLength: 3, selector: ({ index }) => index }),
});
const aCall = fc.record({ name: fc.constantFrom(...Object.keys(CALLS)), args: fc.array(aValue, { minLength: 6, maxLength: 6 }) });

/** The rules as the specification has them. `bits`: how much of an argument there is. */
function expected(seccomp: Required<Pick<Seccomp, 'syscalls'>>, name: string, given: readonly bigint[], bits: bigint): number {
  const cut = (value: number | bigint): bigint => BigInt.asUintN(Number(bits), BigInt(value));
  const mine = seccomp.syscalls.filter((each) => each.names.includes(name) && !(each.action === 'SCMP_ACT_ERRNO' && each.errnoRet === 1));
  const found =
    mine.find((each) => each.args?.length === 0) ??
    mine.find((each) =>
      each.args?.every(({ index, op, value, valueTwo }) => OPERATIONS[op]!(cut(given[index]!), cut(value), cut(valueTwo!))),
    );
  if (!found) return errno(1);
  if (found.action === 'SCMP_ACT_ALLOW') return ALLOW;
  return (found.action === 'SCMP_ACT_TRACE' ? 0x7ff00000 : 0x00050000) + found.errnoRet!;
}

test('whatever the rules, every call is decided as they say, on 64 and on 32 bits', () => {
  fc.assert(
    fc.property(fc.array(aRule, { maxLength: 40 }), fc.array(aCall, { minLength: 1, maxLength: 30 }), (rules, calls) => {
      const syscalls = rules.map(({ errnoRet, ...each }) => (each.action === 'SCMP_ACT_ALLOW' ? each : { ...each, errnoRet }));
      const seccomp = { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'], syscalls };
      const { filter } = compileSeccomp(seccomp, 'x64');
      for (const { name, args: given } of calls) {
        const [wide, narrow] = CALLS[name as keyof typeof CALLS];
        expect(runFilter(filter, { number: wide, audit: AUDIT.X86_64, args: given }).verdict).toBe(expected(seccomp, name, given, 64n));
        const low = given.map((value) => BigInt.asUintN(32, value));
        expect(runFilter(filter, { number: narrow, audit: AUDIT.X86, args: low }).verdict).toBe(expected(seccomp, name, low, 32n));
      }
      expect(runFilter(filter, { number: 7777, audit: AUDIT.X86_64, args: [] }).verdict).toBe(errno(1));
    }),
    { numRuns: 300 },
  );
});
