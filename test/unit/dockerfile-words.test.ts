import { expect, test } from 'vitest';
import { expandWord, expandWords } from '../../build/dockerfile/expand.ts';
import { jsonArray, splitFlags, splitWords } from '../../build/dockerfile/words.ts';

const VARIABLES: Readonly<Record<string, string>> = {
  A: 'a',
  EMPTY: '',
  LIST: 'one two',
  PATH: '/usr/bin:/bin',
  FILE: 'foo.tar.gz',
  '1': 'one',
};
const expansion = { escape: '\\', value: (name: string) => VARIABLES[name] } as const;

test.each([
  ['plain', 'plain'],
  ['$A', 'a'],
  ['${A}b', 'ab'],
  ['$Ab', ''],
  ['$A.b', 'a.b'],
  ['\\$A', '$A'],
  ["'$A'", '$A'],
  ['"$A \\"x\\" \\n"', 'a "x" \\n'],
  ['a\\ b', 'a b'],
  ['$', '$'],
  ['$.', '$.'],
  ['$1', 'one'],
  ['${NO:-x}', 'x'],
  ['${NO-x}', 'x'],
  ['${EMPTY:-x}', 'x'],
  ['${EMPTY-x}', ''],
  ['${A:+x}${A+y}', 'xy'],
  ['${EMPTY:+x}${EMPTY+y}', 'y'],
  ['${NO:+x}${NO+y}', ''],
  ['${NO:-${A}-$A}', 'a-a'],
  ['${NO:-"a }"}', 'a }'],
  ['${A:?needed}', 'a'],
  ['${FILE#*.}', 'tar.gz'],
  ['${FILE##*.}', 'gz'],
  ['${FILE%.*}', 'foo.tar'],
  ['${FILE%%.*}', 'foo'],
  ['${FILE#f?o.}', 'tar.gz'],
  ['${FILE#x}', 'foo.tar.gz'],
  ['${FILE/o/0}', 'f0o.tar.gz'],
  ['${FILE//o/0}', 'f00.tar.gz'],
  ['${FILE//./}', 'footargz'],
  ['${FILE/t*z/}', 'foo.'],
  ['${PATH//:/ }', '/usr/bin /bin'],
  ['${FILE//\\*/x}', 'foo.tar.gz'],
  ['', ''],
  ['""', ''],
])('%s becomes %j', (text, wanted) => {
  expect(expandWord(text, expansion)).toBe(wanted);
});

test.each([
  ['${A', 'unsupported modifier (end of the word)'],
  ['${A:-x', 'missing "}" in substitution'],
  ['${}', 'bad substitution'],
  ['${A!x}', 'unsupported modifier (!) in substitution'],
  ['${A:=x}', 'unsupported modifier (:=) in substitution'],
  ['${NO:?}', 'NO: not set'],
  ['${EMPTY:?must be there}', 'EMPTY: must be there'],
  ["'open", 'looking for matching single-quote'],
  ['"open', 'looking for matching double-quote'],
  ['${NO:-'.repeat(200) + 'x' + '}'.repeat(200), 'nested too deeply'],
])('%s is an error', (text, wanted) => {
  expect(() => expandWord(text, expansion)).toThrow(wanted);
});

test('a word that its variables make too long is refused', () => {
  const value = (): string => 'x'.repeat(2 ** 16);
  expect(() => expandWord('$A'.repeat(17), { escape: '\\', value })).toThrow('longer than 1 MiB');
});

test('the escape character may be another', () => {
  expect(expandWord('C:\\dir `$A $A', { escape: '`', value: expansion.value })).toBe('C:\\dir $A a');
});

test('blanks part words, those of variables too, those in quotes not', () => {
  expect(expandWords(`$LIST "$LIST" x\\ y '' "" z$EMPTY $EMPTY`, expansion)).toEqual(['one', 'two', 'one two', 'x y', '', '', 'z']);
});

test('words keep their quotes, and know where they stand', () => {
  expect(splitWords(`a  "b c" d\\ e f='g h'`, '\\')).toEqual([
    { text: 'a', at: 0 },
    { text: '"b c"', at: 3 },
    { text: 'd\\ e', at: 9 },
    { text: "f='g h'", at: 14 },
  ]);
});

test('flags stand before the words, and -- ends them', () => {
  expect(splitFlags(' --a=1 --b c --d', '\\')).toMatchObject({ flags: [{ text: '--a=1' }, { text: '--b' }], restAt: 11 });
  expect(splitFlags('--a -- --b', '\\')).toMatchObject({ flags: [{ text: '--a' }], restAt: 6 });
});

test.each([
  ['["a", "b c"]', ['a', 'b c']],
  [' [ ] ', []],
  ['["a" "b"]', undefined],
  ["['a']", undefined],
  ['[1]', undefined],
  ['a', undefined],
])('%s as an array', (text, wanted) => {
  expect(jsonArray(text)).toEqual(wanted);
});
