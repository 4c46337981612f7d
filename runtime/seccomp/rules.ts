/**
 * What a filter decides for each system call of an architecture. As libseccomp and crun have it:
 * a rule without conditions goes before all with them, else the first one in the document whose conditions all hold decides;
 * names that the architecture does not have are left out, and so are rules that say what the default says.
 */
import type { Architecture } from './architectures.ts';
import { readVerdict, wrong, type Seccomp, type SyscallArgument, type SyscallRule, type Verdict } from './document.ts';

/** Tried in order; the last one has no conditions. */
export type Decision = readonly Alternative[];

export interface Alternative {
  readonly conditions: readonly Condition[];
  readonly verdict: Verdict;
}

/** Holds where `(argument & mask) test value`, or where that does not hold if `negated`. */
export interface Condition {
  readonly index: number;
  readonly test: 'EQ' | 'GT' | 'GE';
  readonly negated: boolean;
  readonly mask: Halves;
  readonly value: Halves;
}

/** BPF computes with 32 bits. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** A rule with its words read. */
export interface Rule {
  readonly names: readonly string[];
  readonly verdict: Verdict;
  /** One of these must hold in whole, if there are any. */
  readonly conditions: readonly (readonly Condition[])[];
}

export interface Rules {
  readonly rules: readonly Rule[];
  readonly fallback: Verdict;
}

/** Throws INVALID_ARGUMENT for an unknown action or operator and values out of range. */
export function readRules(seccomp: Seccomp): Rules {
  const fallback = readVerdict(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const rules = (seccomp.syscalls ?? []).map(readRule);
  return { fallback, rules: rules.filter((rule) => rule.verdict !== fallback) };
}

/** Decisions that say the same are the same object, which makes comparing them cheap: there are some four hundred calls and a handful of decisions. */
export class Decisions {
  readonly #plain = new Map<Verdict, Decision>();
  readonly #conditional = new Map<string, Decision>();

  plain(verdict: Verdict): Decision {
    const known = this.#plain.get(verdict);
    if (known) return known;
    const decision = [{ conditions: [], verdict }];
    this.#plain.set(verdict, decision);
    return decision;
  }

  conditional(alternatives: readonly Alternative[], fallback: Verdict): Decision {
    const decision = [...alternatives, { conditions: [], verdict: fallback }];
    const key = JSON.stringify(decision);
    const known = this.#conditional.get(key);
    if (known) return known;
    this.#conditional.set(key, decision);
    return decision;
  }
}

/** What is decided of the calls of an architecture that rules speak of, by number, put into `decided`. */
export function decide(
  { rules, fallback }: Rules,
  { calls, multiplexed }: Architecture,
  decisions: Decisions,
  decided: Map<number, Decision>,
): void {
  const open = new Map<number, Alternative[]>();
  const add = (number: number | undefined, conditions: readonly Condition[], verdict: Verdict): void => {
    if (number === undefined || decided.has(number)) return;
    const alternatives = open.get(number);
    if (alternatives) alternatives.push({ conditions, verdict });
    else open.set(number, [{ conditions, verdict }]);
  };
  for (const { names, verdict, conditions } of rules) {
    for (const name of names) {
      const number = calls.get(name);
      if (conditions.length > 0) {
        for (const each of conditions) add(number, each, verdict);
        continue;
      }
      if (number !== undefined && !decided.has(number)) decided.set(number, decisions.plain(verdict));
      // The arguments of such a call lie in memory, where no filter can read them: a rule with conditions does not speak of it.
      const other = multiplexed.get(name);
      if (other) add(calls.get(other.through), [isCall(other.as)], verdict);
    }
  }
  for (const [number, alternatives] of open) {
    if (!decided.has(number)) decided.set(number, decisions.conditional(alternatives, fallback));
  }
}

function readRule({ names, action, errnoRet, args = [] }: SyscallRule): Rule {
  const conditions = args.map(readCondition);
  // libseccomp compares an argument once in a rule, so crun makes several rules of one that names an argument twice.
  const isTwice = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return {
    names,
    verdict: readVerdict(action, errnoRet),
    conditions: isTwice ? conditions.map((condition) => [condition]) : conditions.length > 0 ? [conditions] : [],
  };
}

function readCondition({ index, value, valueTwo = 0, op }: SyscallArgument): Condition {
  const operator = OPERATORS.get(op);
  if (operator === undefined) throw wrong(`unknown operator ${JSON.stringify(op)}`);
  if (!Number.isInteger(index) || index < 0 || index > 5) throw wrong(`a system call has arguments 0 to 5, and none of index ${index}`);
  const [first, second] = [readValue(value), readValue(valueTwo)];
  if (op !== 'SCMP_CMP_MASKED_EQ') return { index, ...operator, mask: halves(ALL), value: halves(first) };
  return { index, ...operator, mask: halves(first), value: halves(second & first) };
}

const ALL = 0xffff_ffff_ffff_ffffn;

const OPERATORS: ReadonlyMap<string, Pick<Condition, 'test' | 'negated'>> = new Map([
  ['SCMP_CMP_NE', { test: 'EQ', negated: true }],
  ['SCMP_CMP_LT', { test: 'GE', negated: true }],
  ['SCMP_CMP_LE', { test: 'GT', negated: true }],
  ['SCMP_CMP_EQ', { test: 'EQ', negated: false }],
  ['SCMP_CMP_GE', { test: 'GE', negated: false }],
  ['SCMP_CMP_GT', { test: 'GT', negated: false }],
  ['SCMP_CMP_MASKED_EQ', { test: 'EQ', negated: false }],
]);

/** 2^64−1 read as a number is 2^64. */
function readValue(value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) throw wrong(`${value} is no value of an argument`);
  const exact = value === 2 ** 64 ? ALL : BigInt(value);
  if (exact < 0n || exact > ALL) throw wrong(`${value} is no value of an argument: it has 64 bits without a sign`);
  return exact;
}

function halves(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) };
}

/** The upper half of ipc(2)'s first argument is a version. */
function isCall(number: number): Condition {
  return { index: 0, test: 'EQ', negated: false, mask: { high: 0, low: 0xffff }, value: { high: 0, low: number } };
}
