/** Go's fmt.Sprintf and Sprint over template values. */
import { formatValue, formatVerb, NO_FLAGS, type Flags } from './format.ts';
import { GoStruct, typeName } from './value.ts';

/** Go refuses wider ones too (fmt: tooLarge). */
const WIDEST = 1_000_000;

/** Never fails: what does not fit is told in the text, as Go does (`%!d(MISSING)`, `%!(EXTRA int=2)`). */
export function sprintf(format: string, args: readonly unknown[]): string {
  const state = { format, args, at: 0, argument: 0, reordered: false };
  const out: string[] = [];
  for (;;) {
    const percent = format.indexOf('%', state.at);
    out.push(format.slice(state.at, percent < 0 ? undefined : percent));
    if (percent < 0) break;
    state.at = percent + 1;
    out.push(directive(state));
  }
  if (!state.reordered && state.argument < args.length) out.push(extra(args.slice(state.argument)));
  return out.join('');
}

/** Operands side by side, a space only between two that are no strings. */
export function sprint(args: readonly unknown[]): string {
  return args.map((arg, index) => (index > 0 && !isText(arg) && !isText(args[index - 1]) ? ' ' : '') + formatValue(arg)).join('');
}

interface State {
  readonly format: string;
  readonly args: readonly unknown[];
  at: number;
  argument: number;
  /** `%[2]d` was used: then surplus operands are not complained about. */
  reordered: boolean;
}

/** One `%…` directive; `state.at` is just behind the percent sign. */
function directive(state: State): string {
  let flags: Flags = NO_FLAGS;
  const complaints: string[] = [];
  for (let flag = FLAGS[state.format[state.at] ?? '']; flag !== undefined; flag = FLAGS[state.format[state.at] ?? '']) {
    flags = { ...flags, [flag]: true };
    state.at++;
  }
  let isIndexGood = operandNumber(state);
  const width = amount(state);
  if (width === 'bad') complaints.push('%!(BADWIDTH)');
  else if (width !== undefined) flags = { ...flags, width: Math.abs(width), minus: flags.minus || width < 0 };
  if (state.format[state.at] === '.') {
    state.at++;
    isIndexGood = operandNumber(state) && isIndexGood;
    const precision = amount(state);
    if (precision === 'bad' || (precision !== undefined && precision < 0)) complaints.push('%!(BADPREC)');
    else flags = { ...flags, precision: precision ?? 0 };
  }
  isIndexGood = operandNumber(state) && isIndexGood;
  const point = state.format.codePointAt(state.at);
  if (point === undefined) return `${complaints.join('')}%!(NOVERB)`;
  const verb = String.fromCodePoint(point);
  state.at += verb.length;
  return complaints.join('') + operand(state, verb, flags, isIndexGood);
}

const FLAGS: Readonly<Record<string, keyof Flags>> = { '+': 'plus', '-': 'minus', '#': 'sharp', ' ': 'space', '0': 'zero' };

function operand(state: State, verb: string, flags: Flags, isIndexGood: boolean): string {
  if (verb === '%') return '%';
  if (!isIndexGood) return `%!${verb}(BADINDEX)`;
  if (state.argument >= state.args.length) return `%!${verb}(MISSING)`;
  const value = state.args[state.argument++];
  return (isPointer(value) && verb === 'v' ? '&' : '') + formatVerb(value, verb, flags);
}

/** An explicit operand number `[n]`; false if it is malformed or out of range. */
function operandNumber(state: State): boolean {
  if (state.format[state.at] !== '[') return true;
  state.reordered = true;
  const close = state.format.indexOf(']', state.at);
  const digits = close < 0 ? '' : state.format.slice(state.at + 1, close);
  state.at = close < 0 ? state.at + 1 : close + 1;
  const number = /^\d{1,7}$/.test(digits) ? Number(digits) : 0;
  if (number < 1 || number > state.args.length) return false;
  state.argument = number - 1;
  return true;
}

/** A width or precision: digits, or `*` for the next operand. */
function amount(state: State): number | 'bad' | undefined {
  if (state.format[state.at] === '*') {
    state.at++;
    const value = state.args[state.argument++];
    return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= WIDEST ? value : 'bad';
  }
  const start = state.at;
  while (state.format[state.at]! >= '0' && state.format[state.at]! <= '9') state.at++;
  if (state.at === start) return undefined;
  const value = Number(state.format.slice(start, state.at));
  return value <= WIDEST ? value : 'bad';
}

function extra(args: readonly unknown[]): string {
  const list = args.map((arg) => (arg === null || arg === undefined ? '<nil>' : `${typeName(arg)}=${formatValue(arg)}`));
  return `%!(EXTRA ${list.join(', ')})`;
}

/** A pointer to a struct is marked by printf and not by an action, which dereferences. */
function isPointer(value: unknown): boolean {
  return value instanceof GoStruct && value.type.startsWith('*');
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
