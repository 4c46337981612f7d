import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeJson, COMPACT, COMPACT_ESCAPED, FIVE_SPACES, LOOSE } from '../../cli/format/json.ts';
import { alignColumns, formatTable } from '../../cli/format/table.ts';
import { GoTime } from '../../cli/format/template/time.ts';
import { encodeYaml } from '../../cli/format/yaml.ts';

test('columns are twelve wide, or two wider than their widest cell', () => {
  expect(
    formatTable([
      ['A', 'B', 'C'],
      ['a long name', 'x', 'y'],
      ['ü'.repeat(11), '\u{1f600}', ''],
    ]),
  ).toBe([`A            B           C`, `a long name  x           y`, `${'ü'.repeat(11)}  \u{1f600}           `, ''].join('\n'));
});

test('a line without tabs ends the columns', () => {
  expect(alignColumns('very long first cell\tx\nplain\na\tb\n')).toBe('very long first cell  x\nplain\na           b\n');
  expect(alignColumns('a\tbbbbbbbbbbbbbbbb\tc\nd\te\nf\tg\th\n')).toBe(
    'a           bbbbbbbbbbbbbbbb  c\nd           e\nf           g           h\n',
  );
});

test('every cell of a table starts at the same place in all rows and none is lost', () => {
  const cell = fc.stringMatching(/^[a-z0-9 ]{0,30}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 30 }), (rows) => {
      const lines = formatTable(rows).split('\n').slice(0, -1);
      const starts = [0, 1].map((place) => Math.max(12, ...rows.map((row) => row[place]!.length + 2)));
      for (const [index, row] of rows.entries()) {
        expect(lines[index]).toBe(row[0].padEnd(starts[0]!) + row[1].padEnd(starts[1]!) + row[2]);
      }
    }),
  );
});

test('JSON of any plain data reads back the same in every style', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const style of [COMPACT, COMPACT_ESCAPED, FIVE_SPACES, LOOSE]) {
        expect(JSON.stringify(JSON.parse(encodeJson(value, style)))).toBe(JSON.stringify(value));
      }
    }),
  );
});

test('JSON keeps digits of large integers, sorts maps, leaves undefined and functions out', () => {
  const value = { big: 1795325732617731256n, gone: undefined, call: () => 1, map: new Map([['b', 1], ['a', 2]]), tag: '<&>\u2028' }; // prettier-ignore
  expect(encodeJson(value, COMPACT)).toBe('{"big":1795325732617731256,"map":{"a":2,"b":1},"tag":"<&>\\u2028"}');
  expect(encodeJson({ tag: '<&>' }, COMPACT_ESCAPED)).toBe('{"tag":"\\u003c\\u0026\\u003e"}');
});

test('YAML quotes what would be read as something else', () => {
  const value = {
    s: ['', 'true', '1', '1.5', '1.2.3', '- x', 'a: b', 'x #y', "it's", '0x1f', '2026-11-22', 'null', '@x', 'a:b'],
    t: 'a\n\nb\n',
    e: {},
    l: [],
  };
  expect(encodeYaml(value)).toBe(
    [
      'e: {}',
      'l: []',
      's:',
      '- ""',
      '- "true"',
      '- "1"',
      '- "1.5"',
      '- 1.2.3',
      `- '- x'`,
      `- 'a: b'`,
      `- 'x #y'`,
      `- it's`,
      '- "0x1f"',
      '- "2026-11-22"',
      '- "null"',
      `- '@x'`,
      '- a:b',
      't: |',
      '  a',
      '',
      '  b',
    ].join('\n'),
  );
});

test('times print, format and count as Go has them', () => {
  const time = GoTime.parse('2026-11-22T05:04:03.120Z')!;
  expect(String(time)).toBe('2026-11-22 05:04:03.12 +0000 UTC');
  expect(time.toJSON()).toBe('2026-11-22T05:04:03.12Z');
  expect(time.format('Mon Jan _2 15:04:05 2006 | 3:04PM 06-1-2 .000 MST Z07:00 Monday January')).toBe(
    'Sun Nov 22 05:04:03 2026 | 5:04AM 26-11-22 .120 UTC Z Sunday November',
  );
  expect(String(GoTime.zero())).toBe('0001-01-01 00:00:00 +0000 UTC');
  const east = GoTime.parse('2026-11-22T05:04:03+05:30')!;
  expect(String(east)).toBe('2026-11-22 05:04:03 +0530 +0530');
  expect(String(east.inUtc())).toBe('2026-11-21 23:34:03 +0000 UTC');
  expect(GoTime.parse('yesterday')).toBeUndefined();
});
