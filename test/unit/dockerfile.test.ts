import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDockerfile } from '../../build/dockerfile/parse.ts';
import { readSource } from '../../build/dockerfile/source.ts';
import { findTarget, neededStages, planStages } from '../../build/dockerfile/stages.ts';
import { EngineError } from '../../core/errors.ts';

const NO_ARGS = { buildArgs: new Map<string, string>(), platformArgs: new Map<string, string>() };

function parsed(text: string) {
  return parseDockerfile(readSource('Dockerfile', Buffer.from(text)));
}

function planned(text: string, facts = NO_ARGS) {
  return planStages(parsed(text), facts);
}

function kinds(text: string): string[] {
  return parsed(text).statements.map(({ kind, at }) => `${kind} ${at.place.line} ${at.rest}`);
}

describe('lines', () => {
  test('comments, empty lines and continued lines', () => {
    const text = `\uFEFF# a comment\r\n\r\nfrom a\r\n  RUN one \\\r\n# between\r\n\r\n    two \\  \r\n    # also between\r\n  three\r\nCMD x\\\\\r\n`;
    expect(kinds(text)).toEqual(['from 3 a', 'run 4 one     two   three', 'cmd 10 x\\\\']);
  });

  test('a continuation at the end of the file ends there', () => {
    expect(kinds('FROM a\nRUN b \\')).toEqual(['from 1 a', 'run 2 b']);
  });

  test('the escape character can be chosen, by the first lines alone', () => {
    expect(kinds('# escape=`\nFROM a\nRUN b `\n c\\')).toEqual(['from 2 a', 'run 3 b  c\\']);
    expect(kinds('# nothing\n# escape=`\nFROM a\nRUN b \\\n c')).toEqual(['from 3 a', 'run 4 b  c']);
  });

  test('directives', () => {
    const { directives } = parsed('# syntax = docker/dockerfile:1\n# check=skip=JSONArgsRecommended,StageNameCasing;error=true\nFROM a');
    expect(directives).toEqual({
      escape: '\\',
      syntax: 'docker/dockerfile:1',
      skippedChecks: ['JSONArgsRecommended', 'StageNameCasing'],
      checksAreErrors: true,
    });
  });
});

describe('here-documents', () => {
  test('several in one instruction, quoted ones and with tabs', () => {
    const text = `FROM a\nCOPY <<one.txt <<-"two" /to/\nfirst $A\none.txt\n\tsecond\n\ttwo\nRUN <<EOF\n# no comment\necho \\\nEOF\nCMD b`;
    const [, copy, run, cmd] = parsed(text).statements;
    expect(copy).toMatchObject({
      kind: 'copy',
      rawSources: [],
      rawDestination: '/to/',
      heredocs: [
        { name: 'one.txt', expand: true, chomp: false, content: 'first $A\n' },
        { name: 'two', expand: false, chomp: true, content: 'second\n' },
      ],
    });
    expect(run).toMatchObject({ kind: 'run', command: { line: '<<EOF' }, heredocs: [{ content: '# no comment\necho \\\n' }] });
    expect(cmd).toMatchObject({ kind: 'cmd', command: { line: 'b' } });
  });

  test.each(['CMD <<EOF', 'RUN echo "<<EOF"', 'RUN cat <<<EOF', 'RUN x<<EOF'])('%s begins none', (line) => {
    expect(parsed(`FROM a\n${line}\nUSER b`).statements).toHaveLength(3);
  });
});

describe('instructions', () => {
  test.each([
    [
      'ENV a=b "c d"=e f=\'g h\'',
      {
        kind: 'env',
        pairs: [
          { rawName: 'a', raw: 'b' },
          { rawName: '"c d"', raw: 'e' },
          { rawName: 'f', raw: "'g h'" },
        ],
      },
    ],
    ['ENV a  b c ', { kind: 'env', pairs: [{ rawName: 'a', raw: 'b c' }] }],
    ['ARG a b=c', { kind: 'arg', args: [{ name: 'a' }, { name: 'b', raw: 'c' }] }],
    ['CMD ["a", "b"]', { kind: 'cmd', command: { argv: ['a', 'b'] } }],
    ["CMD ['a']", { kind: 'cmd', command: { line: "['a']" } }],
    [
      'COPY --from=x --chown=1:2 --chmod=u+x --link --parents --exclude=a --exclude=b s d',
      {
        kind: 'copy',
        rawFrom: 'x',
        rawChown: '1:2',
        rawChmod: 'u+x',
        link: true,
        parents: true,
        rawExcludes: ['a', 'b'],
        rawSources: ['s'],
        rawDestination: 'd',
      },
    ],
    ['COPY ["a b", "c"]', { kind: 'copy', rawSources: ['a b'], rawDestination: 'c', literal: true }],
    [
      'ADD --checksum=sha256:0 --keep-git-dir --unpack=false u d',
      { kind: 'add', rawChecksum: 'sha256:0', keepGitDir: true, unpack: false },
    ],
    [
      'RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --network=none --security=insecure x',
      {
        kind: 'run',
        rawMounts: ['type=cache,target=/c', 'type=tmpfs,target=/t'],
        rawNetwork: 'none',
        rawSecurity: 'insecure',
        command: { line: 'x' },
      },
    ],
    [
      'HEALTHCHECK --interval=1m --timeout=5s --start-period=1s --start-interval=2s --retries=3 CMD ["a"]',
      {
        kind: 'healthcheck',
        check: { Test: ['CMD', 'a'], Interval: 6e10, Timeout: 5e9, StartPeriod: 1e9, StartInterval: 2e9, Retries: 3 },
      },
    ],
    ['HEALTHCHECK NONE', { kind: 'healthcheck', check: { Test: ['NONE'] } }],
    ['SHELL ["/bin/sh", "-ec"]', { kind: 'shell', words: ['/bin/sh', '-ec'] }],
    ['ONBUILD RUN a', { kind: 'onbuild', text: 'RUN a' }],
    ['VOLUME ["/a", "/b c"]', { kind: 'volume', raws: ['/a', '/b c'], literal: true }],
    ['EXPOSE 80 $P/udp', { kind: 'expose', raws: ['80', '$P/udp'] }],
    ['MAINTAINER a <b>', { kind: 'maintainer', text: 'a <b>' }],
  ])('%s', (line, wanted) => {
    expect(parsed(`FROM a\n${line}`).statements[1]).toMatchObject(wanted);
  });
});

describe('errors name file, line, column and the word', () => {
  test.each([
    ['FROM a\n  RUNN x', '2:3: unknown instruction: RUNN\n  2 |   RUNN x\n    |   ^^^^', 'Did you mean RUN?'],
    ['FROM a\nwhatever x', '2:1: unknown instruction: whatever', undefined],
    [
      'FROM a\nCOPY --chwon=1 a b',
      '2:6: unknown flag: --chwon for COPY\n  2 | COPY --chwon=1 a b\n    |      ^^^^^^^^^',
      'Did you mean --chown?',
    ],
    ['FROM a\nCOPY --from= a b', '2:6: missing a value on flag: --from', undefined],
    ['FROM a\nCOPY --link=x a b', '2:6: expecting boolean value for flag --link, not: x', undefined],
    ['FROM a\nCOPY --from=b --from=c a b', '2:15: duplicate flag specified: --from', undefined],
    ['FROM a\nCOPY a', '2:1: COPY requires at least two arguments', undefined],
    ['FROM a b', '1:1: FROM requires either one argument, or three: FROM <source> [AS <name>]', undefined],
    ['FROM a AS -b', '1:11: invalid name for build stage: "-b"', undefined],
    ['FROM a\nENV x', '2:5: ENV must have two arguments', undefined],
    ['FROM a\nENV a=b \\\n  c', `3:3: Syntax error - can't find = in "c"`, undefined],
    ['FROM a\nENV =b', '2:5: ENV names can not be blank', undefined],
    ['FROM a\nARG 1=2', '2:5: ARG needs the name of a variable', undefined],
    ['FROM a\nRUN', '2:1: RUN requires at least one argument', undefined],
    ['FROM a\nRUN echo \\\n <<EOF\nno end', '3:2: unterminated heredoc: no line says EOF\n  3 |  <<EOF\n    |  ^^^^^', undefined],
    ['FROM a\nSHELL sh', '2:1: SHELL requires the arguments to be in JSON form', undefined],
    ['FROM a\nONBUILD ONBUILD RUN a', '2:9: Chaining ONBUILD', undefined],
    ['FROM a\nONBUILD FROM b', "2:9: FROM isn't allowed as an ONBUILD trigger", undefined],
    ['FROM a\nONBUILD COPY a', '2:9: COPY requires at least two arguments', undefined],
    [
      'FROM a\nHEALTHCHECK --timeout=1s --interval=x CMD y',
      '2:26: invalid duration "x" in HEALTHCHECK\n  2 | HEALTHCHECK --timeout=1s --interval=x CMD y\n    |                          ^^^^^^^^^^^^',
      undefined,
    ],
    ['FROM a\nHEALTHCHECK --retries=0 CMD y', '2:13: --retries must be at least 1 (not 0)', undefined],
    ['FROM a\nHEALTHCHECK foo', '2:13: unknown type "foo" in HEALTHCHECK (try CMD)', undefined],
    ['FROM a\nHEALTHCHECK NONE x', '2:1: HEALTHCHECK NONE takes no arguments', undefined],
    ['FROM a\nUSER --x y', '2:6: unknown flag: --x for USER', undefined],
    ['# escape=x\nFROM a', "1:3: invalid escape token 'x' does not match ` or \\", undefined],
    [
      '# syntax=x\n#  check=skip=all;errorr=true\nFROM a',
      '2:4: invalid check option "errorr": it is skip=RULE,… or error=true\n  2 | #  check=skip=all;errorr=true\n    |    ^',
      undefined,
    ],
    ['# check=error=yes\nFROM a', '1:3: invalid check option "error": yes is neither true nor false', undefined],
    ['# escape=`\n# escape=`\nFROM a', '2:3: only one escape parser directive can be used', undefined],
  ])('%j', (text, wanted, hint) => {
    const failing = (): unknown => parsed(text);
    expect(failing).toThrow(`Dockerfile:${wanted}`);
    expect(caught(failing)).toMatchObject({ code: 'DOCKERFILE', hint });
  });

  test('nothing, no text, and too much', () => {
    expect(() => parsed(' \n')).toThrow('no contents in "Dockerfile"');
    expect(() => readSource('D', Buffer.from([0xff, 0xfe]))).toThrow('D: not a text in UTF-8');
    expect(() => readSource('D', Buffer.alloc(100 * 2 ** 20, 'x'))).toThrow('has at most 4 MiB');
  });

  test('whatever the text, it is read or it is an error of the Dockerfile', () => {
    const word = fc.constantFrom(
      'FROM',
      'RUN',
      'COPY',
      'ENV',
      'ARG',
      '--from=x',
      '<<EOF',
      'EOF',
      '\\',
      '\n',
      '# c',
      '"',
      "'",
      '[',
      '$A',
      '${',
      '`',
      'a=b',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }), (words) => {
        const error = caught(() => planned(words.join(' ')));
        expect(error === undefined || (error instanceof EngineError && error.code === 'DOCKERFILE')).toBe(true);
      }),
    );
  });
});

describe('stages', () => {
  const TEXT = `ARG BASE=base\nARG TAG\nFROM \${BASE}:\${TAG:-latest} AS One\nFROM scratch AS unused\nFROM one AS two\nCOPY --from=0 a b\nFROM --platform=$BUILDPLATFORM other\nCOPY --from=TWO a b\nRUN --mount=type=bind,from=one,target=/x y`;

  test('bases, names, and what is needed', () => {
    const plan = planned(TEXT, { buildArgs: new Map([['TAG', 'v1']]), platformArgs: new Map([['BUILDPLATFORM', 'linux/amd64']]) });
    expect(plan.stages.map(({ name, base, platform, uses }) => ({ name, base, platform, uses }))).toEqual([
      { name: 'one', base: 'base:v1', platform: undefined, uses: [] },
      { name: 'unused', base: 'scratch', platform: undefined, uses: [] },
      { name: 'two', base: 0, platform: undefined, uses: [0] },
      { name: undefined, base: 'other', platform: 'linux/amd64', uses: [2, 0] },
    ]);
    expect(neededStages(plan, findTarget(plan, undefined)).map(({ index }) => index)).toEqual([0, 2, 3]);
    expect(neededStages(plan, findTarget(plan, 'Two')).map(({ index }) => index)).toEqual([0, 2]);
    expect(findTarget(plan, '1').name).toBe('unused');
    expect(() => findTarget(plan, 'no')).toThrow('the target "no" was not found in the provided Dockerfile');
  });

  test.each([
    ['RUN x', '1:1: no build stage in current context'],
    ['ARG A\nRUN x', '2:1: no build stage in current context'],
    ['FROM $NO', '1:6: base name ($NO) should not be blank'],
    ['FROM ${A', '1:6: unsupported modifier'],
  ])('%j', (text, wanted) => {
    expect(() => planned(text)).toThrow(`Dockerfile:${wanted}`);
  });

  test('a stage cannot begin with one below it', () => {
    expect(planned('FROM b AS a\nFROM a AS b').stages.map(({ base }) => base)).toEqual(['b', 0]);
  });

  test('a stage may take files from one below it, and not from one that waits for it', () => {
    const plan = planned('FROM x AS one\nCOPY --from=two a b\nFROM x\nFROM one AS two\nFROM y AS two\nFROM one');
    expect(plan.stages.map(({ uses }) => uses)).toEqual([[2], [], [], [], []]);
    const needed = (text: string): unknown => {
      const read = planned(text);
      return neededStages(read, findTarget(read, undefined)).map(({ index }) => index);
    };
    expect(() => neededStages(plan, findTarget(plan, undefined))).toThrow(
      'Dockerfile:4:6: circular dependency detected on stage: one\n  4 | FROM one AS two\n    |      ^^^',
    );
    expect(needed('FROM x AS one\nRUN --mount=from=two,target=/m c\nFROM y AS two\nFROM one')).toEqual([1, 0, 2]);
    expect(needed('FROM x AS two\nFROM y\nCOPY --from=two a b\nFROM z AS two\nFROM 1\nCOPY --from=1 a b')).toEqual([0, 1, 3]);
    expect(() => needed('FROM x AS one\nCOPY --from=ONE a b')).toThrow(
      'Dockerfile:2:13: circular dependency detected on stage: one\n  2 | COPY --from=ONE a b\n    |             ^^^',
    );
    expect(() => needed('FROM x AS one\nCOPY --from=0 a b')).toThrow('circular dependency detected on stage: one');
  });

  test('a hundred thousand stages are read', () => {
    const text = Array.from({ length: 1e5 }, (_, index) => `FROM a AS s${index}`).join('\n');
    expect(planned(text).stages).toHaveLength(1e5);
    expect(planned('FROM a AS s\n'.repeat(1e5)).stages).toHaveLength(1e5);
  });

  test('only ARGs: there is no FROM', () => {
    expect(() => planned('ARG A=1')).toThrow('file with no instructions: it has no FROM');
  });
});

function caught(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
