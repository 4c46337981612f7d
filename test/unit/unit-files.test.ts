/** Words of unit files, and command lines that become services. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { argumentWord, assignmentWord, pathWord, wrapWords } from '../../core/unit-word.ts';
import { flagTable } from '../../cli/flag.ts';
import { runCommand } from '../../cli/units/run-command.ts';
import { allValues, lastValue, typedFlags, without } from '../../cli/units/typed.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { readUnitWords } from '../fixtures/build/unit-words.ts';

describe('words', () => {
  test.each([
    ['plain', 'plain'],
    ['-e=A', '-e=A'],
    ['', '""'],
    [';', '";"'],
    ['a;b', 'a;b'],
    ['a b', '"a b"'],
    ["it's", `"it's"`],
    ['say "x"', String.raw`"say \"x\""`],
    ['back\\slash', String.raw`"back\\slash"`],
    ['a\nb\tc\r', String.raw`"a\nb\tc\r"`],
    ['\u0001\u007f', String.raw`"\x01\x7f"`],
    ['100%', '100%%'],
    ['$HOME', '$$HOME'],
    ['ü', 'ü'],
  ])('%j is %s', (word, text) => {
    expect(argumentWord(word)).toBe(text);
  });

  test('a variable of Environment= keeps its dollars', () => {
    expect(assignmentWord('A=$b %c')).toBe('"A=$b %%c"');
  });

  test('a path of a list has quotes, and of escapes those that systemd reads there', () => {
    expect([pathWord('/a'), pathWord('/a b%i'), pathWord('/a"b\\c'), pathWord("/it's"), pathWord('/a\nExecStart=x')]).toEqual([
      '/a',
      '"/a b%i"',
      String.raw`"/a\"b\\c"`,
      `"/it's"`,
      undefined,
    ]);
  });

  test('each word is read back as it was', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')),
          { minLength: 1 },
        ),
        (words) => {
          const line = wrapWords(['/bin/x', ...words.map(argumentWord)]);
          expect(
            readUnitWords(line)
              .slice(1)
              .map((word) => word.replaceAll('$$', '$')),
          ).toEqual(words);
        },
      ),
    );
  });
});

const TABLE = flagTable({
  detach: { kind: 'bool', short: 'd', help: '' },
  interactive: { kind: 'bool', short: 'i', help: '' },
  env: { kind: 'stringArray', short: 'e', help: '' },
  network: { kind: 'stringArray', help: '', aliases: ['net'] },
  pull: { kind: 'string', help: '', bare: 'always' },
  verbose: { kind: 'count', short: 'v', help: '' },
});

describe('typed flags', () => {
  const read = (...words: readonly string[]) => typedFlags(TABLE, words);

  test('values stand in the word, behind it, or are left out', () => {
    const typed = read('-die', 'A=1', '--env=B=2', '-eC', '-e=D', '--net', 'none', '--pull', '-v', 'image', '-d', '--env', 'x');
    expect(allValues(typed, 'env')).toEqual(['A=1', 'B=2', 'C', 'D']);
    expect(lastValue(typed, 'network')).toBe('none');
    expect(lastValue(typed, 'pull')).toBe('always');
    expect(lastValue(typed, 'verbose')).toBe('+1');
    expect(typed.rest).toEqual(['image', '-d', '--env', 'x']);
  });

  test.each([
    [
      ['--', 'image'],
      ['--', 'image'],
    ],
    [
      ['-', 'image'],
      ['-', 'image'],
    ],
    [['-d'], []],
  ])('%j ends the flags', (words, rest) => {
    expect(read(...words).rest).toEqual(rest);
  });

  test('what is left out leaves the other words as they were, and takes a cluster apart', () => {
    const { flags } = read('-di', '--detach=false', '-id=true', '-ieA', '--env', 'B');
    expect(without(flags, new Set(['detach'])).flatMap(({ words }) => words)).toEqual(['-i', '-i', '-ieA', '--env', 'B']);
    expect(without(flags, new Set(['interactive'])).flatMap(({ words }) => words)).toEqual([
      '-d',
      '--detach=false',
      '-d=true',
      '-eA',
      '--env',
      'B',
    ]);
  });
});

describe('the command of a service', () => {
  const of = (createCommand: readonly string[], more: Partial<ContainerConfig> = {}) =>
    runCommand({ id: 'f'.repeat(64), name: 'web', createCommand, env: [], ...more } as unknown as ContainerConfig, undefined);
  const SETTLED = ['run', '--cidfile=%t/%n.ctr-id', '--cgroups=no-conmon', '--rm', '--sdnotify=conmon'];

  test('what a service settles itself is left out; global flags stay', () => {
    const words = [
      '--root=/x',
      'create',
      '--rm',
      '--cidfile',
      '/c',
      '--cgroups=split',
      '--restart',
      'always',
      '--name',
      'old',
      'image',
      '--rm',
    ];
    expect(of(['podman', ...words])).toEqual({
      globals: ['--root=/x'],
      words: ['--root=/x', ...SETTLED, '-d', '--replace', '--name', 'web', 'image', '--rm'],
      restart: 'always',
      variables: [],
    });
  });

  test('a group, a global flag behind it, and a value that is a verb', () => {
    const { globals, words } = of(['lichen', '--root', 'run', 'container', '--log-level=error', 'run', '-d', 'image']);
    expect(globals).toEqual(['--root', 'run', '--log-level=error']);
    expect(words).toEqual(['--root', 'run', 'container', '--log-level=error', ...SETTLED, '-d', 'image']);
  });

  test('what the caller turned off is turned on', () => {
    const { words } = of(['lichen', 'run', '--detach=false', '--replace=false', '--name=web', '--sdnotify', 'healthy', 'image']);
    expect(words).toEqual([...SETTLED.slice(0, -1), '-d', '--replace', '--name=web', '--sdnotify', 'healthy', 'image']);
  });

  test('variables that the caller had are taken along', () => {
    const env = ['A=1', 'AB=2', 'C=3', 'D=4'];
    expect(of(['lichen', 'create', '-eA', '--env=C*', '--env', 'D=5', '-e', 'NONE', 'image'], { env }).variables).toEqual(['A=1', 'C=3']);
  });

  test.each([
    [[], 'cannot use --new on container "ffffffff'],
    [['lichen'], 'cannot use --new on container "ffffffff'],
    [['lichen', 'start', 'web'], "container's create command is too short or invalid: [lichen start web]"],
    [['lichen', 'container'], "container's create command is too short or invalid: [lichen container]"],
  ])('%j cannot be done again', (createCommand, message) => {
    expect(() => of(createCommand)).toThrow(message);
  });
});
