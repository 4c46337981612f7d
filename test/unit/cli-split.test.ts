import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EngineError } from '../../core/errors.ts';
import { flagTable } from '../../cli/flag.ts';
import { type Split, splitArguments } from '../../cli/split.ts';

const TABLE = flagTable({
  all: { kind: 'bool', short: 'a', help: '' },
  env: { kind: 'stringArray', short: 'e', help: '' },
  dns: { kind: 'strings', help: '' },
  interactive: { kind: 'bool', short: 'i', help: '' },
  tty: { kind: 'bool', short: 't', help: '' },
  volume: { kind: 'stringArray', short: 'v', help: '' },
  publish: { kind: 'strings', short: 'p', help: '' },
  name: { kind: 'string', help: '' },
  network: { kind: 'stringArray', help: '', aliases: ['net'] },
  pull: { kind: 'string', help: '', bare: 'always' },
  'sig-proxy': { kind: 'bool', help: '', default: true },
  time: { kind: 'int', short: 'T', help: '' },
  weight: { kind: 'uint', help: '' },
  cpus: { kind: 'float', help: '' },
  interval: { kind: 'duration', help: '' },
  fds: { kind: 'uints', help: '' },
  verbose: { kind: 'count', short: 'V', help: '' },
  sort: { kind: 'choice', help: '', choices: ['id', 'names'] },
});

function split(...argv: string[]): Split {
  return splitArguments(TABLE, argv, { interspersed: true, path: 'lichen run' });
}

function failure(...argv: string[]): string {
  try {
    split(...argv);
  } catch (error) {
    if (error instanceof EngineError) return `${error.code} ${error.message} | ${error.hint}`;
    throw error;
  }
  return 'no failure';
}

test.each([
  [['-p80:80'], { publish: ['80:80'] }],
  [['-eFOO=bar'], { env: ['FOO=bar'] }],
  [['-e=FOO=bar'], { env: ['FOO=bar'] }],
  [['-e', 'FOO=bar', '-e', 'A,B=1'], { env: ['FOO=bar', 'A,B=1'] }],
  [['-it'], { interactive: true, tty: true }],
  [['-itv', '/a:/b'], { interactive: true, tty: true, volume: ['/a:/b'] }],
  [['-itv/a:/b'], { interactive: true, tty: true, volume: ['/a:/b'] }],
  [['--name=x'], { name: 'x' }],
  [['--name', '--x'], { name: '--x' }],
  [['--name='], { name: '' }],
  [['--all=false'], { all: false }],
  [['-a=false'], { all: false }],
  [['--sig-proxy=0'], { 'sig-proxy': false }],
  [['--dns', '1.1.1.1,8.8.8.8', '--dns=9.9.9.9'], { dns: ['1.1.1.1', '8.8.8.8', '9.9.9.9'] }],
  [['--dns', '"a,b",c'], { dns: ['a,b', 'c'] }],
  [['--dns', ''], { dns: [] }],
  [['--pull'], { pull: 'always' }],
  [['--pull=never'], { pull: 'never' }],
  [['--net', 'host'], { network: ['host'] }],
  [['-T', '-1'], { time: -1 }],
  [['--time=0x10'], { time: 16 }],
  [['--cpus', '1.5'], { cpus: 1.5 }],
  [['--interval', '1m30s'], { interval: 90_000 }],
  [['--fds', '3,4', '--fds', '5'], { fds: [3, 4, 5] }],
  [['-VV', '--verbose'], { verbose: 3 }],
  [['--sort', 'names'], { sort: 'names' }],
])('%j is read as pflag reads it', (argv, values) => {
  expect(split(...argv).values).toMatchObject(values);
});

test('flags that were not typed have their defaults and are not given', () => {
  const { values, given } = split('--name', 'x');
  expect(values).toMatchObject({ all: false, env: [], 'sig-proxy': true, verbose: 0, time: undefined });
  expect([...given]).toEqual(['name']);
});

test('a double dash ends the flags and disappears', () => {
  expect(split('-a', 'x', '--', '-i', '--').positionals).toEqual(['x', '-i', '--']);
});

test('flags may stand between positionals, unless parsing stops at the first one', () => {
  expect(split('x', '-a', 'y')).toMatchObject({ positionals: ['x', 'y'], values: { all: true } });
  const stopped = splitArguments(TABLE, ['-i', 'image', '-a', '--', '--nosuch'], { interspersed: false, path: 'lichen run' });
  expect(stopped.positionals).toEqual(['image', '-a', '--', '--nosuch']);
  expect(stopped.values).toMatchObject({ interactive: true, all: false });
});

test('a lone dash is a positional', () => {
  expect(split('-').positionals).toEqual(['-']);
});

test('--help is noticed, -h ends parsing where it is no flag of the command', () => {
  expect(split('--help').help).toBe(true);
  expect(split('-h', '--nosuch').help).toBe(true);
  expect(split('--name', '--help').help).toBe(false);
});

test.each([
  [['--nosuch'], 'unknown flag: --nosuch'],
  [['--nosuch=1'], 'unknown flag: --nosuch'],
  [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
  [['-itZ'], "unknown shorthand flag: 'Z' in -Z"],
  [['--name'], 'flag needs an argument: --name'],
  [['-p'], "flag needs an argument: 'p' in -p"],
  [['--=x'], 'bad flag syntax: --=x'],
  [['---x'], 'bad flag syntax: ---x'],
  [['-T', 'abc'], 'invalid argument "abc" for "-T, --time" flag: strconv.ParseInt: parsing "abc": invalid syntax'],
  [['--all=maybe'], 'invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [['--weight', '-1'], 'invalid argument "-1" for "--weight" flag: strconv.ParseUint: parsing "-1": invalid syntax'],
  [['--cpus', 'abc'], 'invalid argument "abc" for "--cpus" flag: strconv.ParseFloat: parsing "abc": invalid syntax'],
  [
    ['--time', '9223372036854775808'],
    'invalid argument "9223372036854775808" for "-T, --time" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range',
  ],
  [['--dns', 'a"b'], 'invalid argument "a\\"b" for "--dns" flag: parse error on line 1, column 2: bare " in non-quoted-field'],
  [['--dns', '"a'], 'invalid argument "\\"a" for "--dns" flag: parse error on line 1, column 3: extraneous or missing " in quoted-field'],
  [['--sort', 'foo'], 'invalid argument "foo" for "--sort" flag: "foo" is not a valid value.  Choose from: "id, names"'],
])("%j fails with Podman's words and a hint at the command's help", (argv, message) => {
  expect(failure(...argv)).toBe(`USAGE ${message} | See 'lichen run --help'`);
});

test('whatever follows the image reaches the container unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const { positionals } = splitArguments(TABLE, ['-it', '-p80:80', 'image', ...words], { interspersed: false, path: '' });
      expect(positionals).toEqual(['image', ...words]);
    }),
  );
});

test('a value survives in every form it can be typed', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (value) => {
      expect(split('--env', value).values['env']).toEqual([value]);
      expect(split(`--env=${value}`).values['env']).toEqual([value]);
      expect(split('-e', value).values['env']).toEqual([value]);
      fc.pre(!value.startsWith('=') || value.length > 1);
      expect(split(`-e=${value}`).values['env']).toEqual([value]);
    }),
  );
});

test('any command line either splits or fails as USAGE', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('-a', '-it', '--', '-', '--time', '-p', '--dns="x', '--pull', '-VVx'))),
      (argv) => {
        try {
          split(...argv);
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE' });
        }
      },
    ),
  );
});
