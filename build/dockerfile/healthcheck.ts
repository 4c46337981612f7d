/** HEALTHCHECK [--interval=…] CMD …, or NONE. */
import { parseDurationMs } from '../../core/duration.ts';
import type { Healthcheck } from '../../storage/image.ts';
import { readFlags } from './flags.ts';
import { dockerfileError } from './source.ts';
import type { Instruction } from './scan.ts';
import { jsonArray } from './words.ts';

const FLAGS = { interval: 'value', timeout: 'value', 'start-period': 'value', 'start-interval': 'value', retries: 'value' } as const;
const NANOSECONDS = 1_000_000;

/** Throws DOCKERFILE. */
export function parseHealthcheck(instruction: Instruction): Healthcheck {
  const { source, place, rest, flags: typed } = instruction;
  const bad = (message: string): Error => dockerfileError(message, { source, place });
  const flags = readFlags(instruction, FLAGS);
  const [, kind = '', words = ''] = /^(\S*)\s*([^]*)$/.exec(rest) ?? [];
  if (kind.toUpperCase() === 'NONE') {
    if (words !== '' || typed.length > 0) throw bad('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (kind.toUpperCase() !== 'CMD')
    throw bad(kind === '' ? 'HEALTHCHECK requires at least one argument' : `unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  if (words === '') throw bad('missing command after HEALTHCHECK CMD');
  const argv = jsonArray(words);
  return {
    Test: argv === undefined ? ['CMD-SHELL', words] : ['CMD', ...argv],
    ...time('Interval', flags.interval, bad),
    ...time('Timeout', flags.timeout, bad),
    ...time('StartPeriod', flags['start-period'], bad),
    ...time('StartInterval', flags['start-interval'], bad),
    ...retries(flags.retries, bad),
  };
}

function time(name: string, text: string | undefined, bad: (message: string) => Error): object {
  if (text === undefined) return {};
  let milliseconds: number;
  try {
    milliseconds = parseDurationMs(text);
  } catch {
    throw bad(`invalid duration ${JSON.stringify(text)} in HEALTHCHECK`);
  }
  if (milliseconds !== 0 && milliseconds < 1) throw bad(`${text} is less than the minimum of 1ms`);
  return { [name]: milliseconds * NANOSECONDS };
}

function retries(text: string | undefined, bad: (message: string) => Error): object {
  if (text === undefined) return {};
  if (!/^\d+$/.test(text) || Number(text) < 1) throw bad(`--retries must be at least 1 (not ${text})`);
  return { Retries: Number(text) };
}
