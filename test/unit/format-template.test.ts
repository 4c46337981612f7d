import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { CODE_POINT } from '../fixtures/code-point.ts';
import { expect, test } from 'vitest';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { formatVersion } from '../../cli/format/views/version.ts';
import { compileTemplate } from '../../cli/format/template/template.ts';
import { GoFloat } from '../../cli/format/template/value.ts';

interface Recorded {
  readonly format: string;
  readonly out: string;
  readonly error: string;
}

const recorded = JSON.parse(readFileSync(new URL('../fixtures/format/version.json', import.meta.url), 'utf8')) as Recorded[];

const CLIENT = {
  engine: 'Podman Engine',
  labels: {},
  document: {
    APIVersion: '5.8.6',
    Version: '5.8.6',
    GoVersion: 'go1.27.2',
    GitCommit: '',
    BuiltTime: 'Mon Oct 12 00:19:24 2026',
    Built: 1791764364,
    BuildOrigin: 'Debian',
    OsArch: 'linux/amd64',
    Os: 'linux',
  },
};

test.for(recorded.map((entry) => [entry.format, entry] as const))('%j gives what Podman gives', async ([, { format, out, error }]) => {
  // An empty --format is no template here.
  if (format === '') return;
  const result = await formatVersion(CLIENT, format).then(
    (text) => ({ out: text, error: '' }),
    (failure: unknown) => ({ out: '', error: (failure as EngineError).message }),
  );
  expect(result).toEqual({ out, error });
});

test('nothing is reachable through a prototype', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__']) {
    for (const data of [{ A: 1 }, { A: { b: 2 } }, 'text', 5, [1]]) {
      expect(() => compileTemplate('t', `{{.${name}}}`).render(data)).toThrow(`can't evaluate field ${name}`);
    }
    expect(compileTemplate('t', `{{.${name}}}`).render(new Map([['a', 'b']]))).toBe('<no value>');
  }
  const parsed: unknown = JSON.parse('{"__proto__": "data"}');
  expect(compileTemplate('t', '{{.__proto__}}').render(parsed)).toBe('data');
});

test('functions of plain data are methods with as many arguments as they declare', () => {
  const data = { Label: (name: string) => `<${name}>`, Plain: () => 'p' };
  expect(compileTemplate('t', '{{.Label "a"}}{{.Plain}}{{"b" | .Label}}').render(data)).toBe('<a>p<b>');
  expect(() => compileTemplate('t', '{{.Label}}').render(data)).toThrow('wrong number of args for Label: want 1 got 0');
  expect(() => compileTemplate('t', '{{.Label 3}}').render(data)).toThrow('expected string; found 3');
});

test('maps and structs print sorted and in order, floats as Go prints them', () => {
  const data = {
    M: new Map<string, unknown>([
      ['b', [1, null]],
      ['a', new GoFloat(2)],
    ]),
    S: { x: true, y: 1.5, z: 'q' },
  };
  expect(compileTemplate('t', '{{.M}} {{.S}} {{printf "%+v" .S}}').render(data)).toBe(
    'map[a:2 b:[1 <nil>]] {true 1.5 q} {x:true y:1.5 z:q}',
  );
  expect(compileTemplate('t', '{{.}}').render(1e21)).toBe('1000000000000000000000');
  expect(
    compileTemplate('t', '{{.}} {{1e6}} {{1e5}} {{123456789.5}} {{0.00001}} {{printf "%.3g %.10g" 1234567.0 1234567.0}}').render(1.25),
  ).toBe('1.25 1e+06 100000 1.234567895e+08 1e-05 1.23e+06 1234567');
});

test('a template may not nest, call itself, or print without bounds', () => {
  expect(() => compileTemplate('t', `{{${'('.repeat(100_000)}`)).toThrow('max expression depth exceeded');
  expect(() => compileTemplate('t', '{{if 1}}'.repeat(100_000))).toThrow('max expression depth exceeded');
  expect(() => compileTemplate('t', '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}').render({})).toThrow('maximum template depth');
  expect(() => compileTemplate('t', '{{pad "a" 1000000000 1}}').render({})).toThrow('error calling pad');
  expect(compileTemplate('t', '{{printf "%9999999d" 1}}').render({})).toBe('%!(BADWIDTH)1');
});

const word = fc.constantFrom(
  '{{', '}}', '{{-', '-}}', ' ', '\n', '.', '.A', '.B.C', '$', '$x', ':=', '=', '|', '(', ')', ',', '"a"', '"\\', '`b`', "'c'", '1', '-1.5', '0x', '1e9',
  'nil', 'true', 'if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue', 'index', 'len', 'printf', '"%d%[3]*.q"',
  'eq', 'and', 'slice', 'json', 'join', 'split', 'truncate', 'pad', 'call', '/*', '*/', '#', 'é', '\u{1f600}', '\ud800', '__proto__',
); // prettier-ignore

test('any template either renders or throws INVALID_TEMPLATE', () => {
  const data = { A: 'text', B: { C: [1, 2, { D: null }] }, M: new Map([['k', 'v']]), F: (name: string) => name };
  const template = fc.oneof(
    fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
    fc.array(word, { maxLength: 8 }).map((words) => `{{${words.join(' ')}}}`),
    fc.string({ unit: CODE_POINT, maxLength: 60 }),
  );
  fc.assert(
    fc.property(template, (source) => {
      try {
        expect(typeof compileTemplate('t', source).render(data)).toBe('string');
      } catch (error) {
        if (!isEngineError(error, 'INVALID_TEMPLATE')) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

test('text without actions comes out as it went in', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('{{')),
      (text) => {
        expect(compileTemplate('t', text).render({})).toBe(text);
      },
    ),
  );
});

test('a string constant prints as it was before quoting', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(compileTemplate('t', `{{${JSON.stringify(text)}}}`).render({})).toBe(text);
      expect(compileTemplate('t', '{{printf "%s" .}}').render(text)).toBe(text);
    }),
  );
});

test('long hostile input is read once, not again and again', () => {
  const size = 300_000;
  for (const source of [
    '1'.repeat(size),
    '_'.repeat(size),
    `"${'\\'.repeat(size)}`,
    ' '.repeat(size),
    '.A'.repeat(size),
    '-'.repeat(size),
  ]) {
    expect(() => compileTemplate('t', `{{${source}`)).toThrow(EngineError);
  }
  expect(compileTemplate('t', '{'.repeat(size).replaceAll('{{', '{ ')).render({})).toHaveLength(size);
});
