/**
 * `linux.seccomp` compiled to the program that seccomp(2) takes. The program looks which architecture a call is of, then searches its number
 * in a balanced tree of ranges that share a decision, so a call costs some ten comparisons however many rules there are.
 */
import { architecturesOf, AUDIT_X86_64, X32_BIT, type Architecture } from './architectures.ts';
import { filterFlags, isNotify, KILL_THREAD, wrong, type Seccomp } from './document.ts';
import { Program, type Label } from './program.ts';
import { decide, Decisions, readRules, type Condition, type Decision, type Rules } from './rules.ts';

export type { Seccomp } from './document.ts';

export interface SeccompFilter {
  /** An array of struct sock_filter. */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_… */
  readonly flags: number;
}

/**
 * Compile the filter for a machine (`process.arch`). Calls of an architecture that is not listed end the thread, as with libseccomp.
 * Throws INVALID_ARGUMENT for words that are not known, an errno where the action has none, and NOTIFY without a listener.
 */
export function compileSeccomp(seccomp: Seccomp, machine: string): SeccompFilter {
  const read = readRules(seccomp);
  const { rules, fallback } = read;
  const architectures = architecturesOf(seccomp.architectures ?? [], machine);
  const notifies = rules.some((rule) => isNotify(rule.verdict));
  if (isNotify(fallback) || rules.some(({ verdict, names }) => isNotify(verdict) && names.includes('write'))) {
    throw wrong('SCMP_ACT_NOTIFY can be neither the default nor the action for write: the listener could not be told of');
  }
  if (notifies && (seccomp.listenerPath ?? '') === '') throw wrong('SCMP_ACT_NOTIFY is used, and there is no listenerPath');

  const program = new Program();
  const decisions = new Decisions();
  let start = program.give(KILL_THREAD);
  // The machine's own comes first, so it is written last.
  for (const audit of [...new Set(architectures.map((each) => each.audit))].toReversed()) {
    const here = architectures.filter((each) => each.audit === audit);
    const section = writeSection(program, rangesOf(here, read, decisions), here[0]!.bits);
    start = program.branch('EQ', audit, section, start);
  }
  program.load(ARCHITECTURE_AT, start);
  return { filter: program.encode(), flags: filterFlags(seccomp.flags ?? [], notifies) };
}

/** Numbers of calls from `from` up to the next range, decided alike. */
interface Range {
  readonly from: number;
  readonly decision: Decision;
}

/** Places in struct seccomp_data, little-endian. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const argumentAt = (index: number): number => 16 + 8 * index;
const HIGH_HALF = 4;

/** What a tracer sets to skip a call. */
const NO_CALL = 0xffff_ffff;

/** The ranges of one value of AUDIT_ARCH, over all numbers there can be. */
function rangesOf(here: readonly Architecture[], rules: Rules, decisions: Decisions): readonly Range[] {
  const decided = new Map<number, Decision>();
  for (const each of here) decide(rules, each, decisions, decided);
  const others = decisions.plain(rules.fallback);
  const ranges: Range[] = [];
  let next = 0;
  const add = (from: number, decision: Decision): void => {
    if (from > next && ranges.at(-1)?.decision !== others) ranges.push({ from: next, decision: others });
    if (ranges.at(-1)?.decision !== decision) ranges.push({ from, decision });
    next = from + 1;
  };
  for (const number of [...decided.keys()].toSorted((a, b) => a - b)) add(number, decided.get(number)!);
  if (here[0]!.audit === AUDIT_X86_64 && here.length === 1) {
    add(X32_BIT, decisions.plain(KILL_THREAD));
    next = NO_CALL;
  }
  add(next, others);
  return ranges;
}

function writeSection(program: Program, ranges: readonly Range[], bits: Architecture['bits']): Label {
  const written = new Map<Decision, Label>();
  const leaf = (decision: Decision): Label => {
    const label = written.get(decision) ?? writeDecision(program, decision, bits);
    written.set(decision, label);
    return label;
  };
  const tree = (from: number, to: number): Label => {
    if (to - from === 1) return leaf(ranges[from]!.decision);
    const middle = (from + to) >>> 1;
    const upper = tree(middle, to);
    const lower = tree(from, middle);
    return program.branch('GE', ranges[middle]!.from, upper, lower);
  };
  return program.load(NUMBER_AT, tree(0, ranges.length));
}

function writeDecision(program: Program, decision: Decision, bits: Architecture['bits']): Label {
  const [last, ...conditional] = decision.toReversed();
  let otherwise = program.give(last!.verdict);
  for (const { conditions, verdict } of conditional) {
    let holds = program.give(verdict);
    for (const condition of conditions.toReversed()) holds = writeCondition(program, condition, bits, holds, otherwise);
    otherwise = holds;
  }
  return otherwise;
}

function writeCondition(program: Program, condition: Condition, bits: Architecture['bits'], holds: Label, otherwise: Label): Label {
  const { index, test, mask, value, negated } = condition;
  const [yes, no] = negated ? [otherwise, holds] : [holds, otherwise];
  const at = argumentAt(index);
  if (test === 'EQ') {
    const low = writeHalf(program, at, mask.low, value.low, yes, no);
    return bits === 32 ? low : writeHalf(program, at + HIGH_HALF, mask.high, value.high, low, no);
  }
  const low = program.load(at, program.branch(test, value.low, yes, no));
  if (bits === 32) return low;
  const alike = program.branch('EQ', value.high, low, no);
  return program.load(at + HIGH_HALF, program.branch('GT', value.high, yes, alike));
}

function writeHalf(program: Program, at: number, mask: number, value: number, yes: Label, no: Label): Label {
  if (mask === 0 || yes === no) return yes;
  const compared = program.branch('EQ', value, yes, no);
  return program.load(at, mask === 0xffff_ffff ? compared : program.and(mask, compared));
}
