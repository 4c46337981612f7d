/** HEALTHCHECK [--interval=…] CMD …, or NONE. */
import { parseDurationMs } from '../../core/duration.ts';
import type { Healthcheck } from '../../storage/image.ts';
import { failed, flagPlace } from './failure.ts';
import { readFlags } from './flags.ts';
import type { Instruction } from './scan.ts';
import { jsonArray } from './words.ts';

const FLAGS = { interval: 'value', timeout: 'value', 'start-period': 'value', 'start-interval': 'value', retries: 'value' } as const;
const NANOSECONDS = 1_000_000;

type Flag = keyof typeof FLAGS;

/** Throws DOCKERFILE. */
export function parseHealthcheck(instruction: Instruction): Healthcheck {
  const { rest, flags: typed } = instruction;
  const flags = readFlags(instruction, FLAGS);
  const [, kind = '', words = ''] = /^(\S*)\s*([^]*)$/.exec(rest) ?? [];
  const ofRest = (message: string, word = rest): Error => failed(instruction, message, { word, at: instruction.restAt });
  if (kind.toUpperCase() === 'NONE') {
    if (words !== '' || typed.length > 0) throw failed(instruction, 'HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (kind === '') throw failed(instruction, 'HEALTHCHECK requires at least one argument');
  if (kind.toUpperCase() !== 'CMD') throw ofRest(`unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`, kind);
  if (words === '') throw ofRest('missing command after HEALTHCHECK CMD');
  const argv = jsonArray(words);
  const badFlag = (flag: Flag, message: string): Error => failed(instruction, message, { ...flagPlace(instruction, flag) });
  return {
    Test: argv === undefined ? ['CMD-SHELL', words] : ['CMD', ...argv],
    ...Object.fromEntries(
      TIMES.flatMap(([name, flag]) => {
        const text = flags[flag];
        return text === undefined ? [] : [[name, nanoseconds(text, (message) => badFlag(flag, message))]];
      }),
    ),
    ...retries(flags.retries, (message) => badFlag('retries', message)),
  };
}

const TIMES = [
  ['Interval', 'interval'],
  ['Timeout', 'timeout'],
  ['StartPeriod', 'start-period'],
  ['StartInterval', 'start-interval'],
] as const;

function nanoseconds(text: string, bad: (message: string) => Error): number {
  let milliseconds: number;
  try {
    milliseconds = parseDurationMs(text);
  } catch {
    throw bad(`invalid duration ${JSON.stringify(text)} in HEALTHCHECK`);
  }
  if (milliseconds !== 0 && milliseconds < 1) throw bad(`${text} is less than the minimum of 1ms`);
  return milliseconds * NANOSECONDS;
}

function retries(text: string | undefined, bad: (message: string) => Error): object {
  if (text === undefined) return {};
  if (!/^\d+$/.test(text) || Number(text) < 1) throw bad(`--retries must be at least 1 (not ${text})`);
  return { Retries: Number(text) };
}
