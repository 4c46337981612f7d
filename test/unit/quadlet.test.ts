/** Quadlet files: what is said of bad ones, what words become, where files are looked for, and what needs a command that is not there. */
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findCommand } from '../../cli/find.ts';
import type { FlagTable } from '../../cli/flag.ts';
import { PERSISTENT_FLAGS, ROOT_FLAGS } from '../../cli/globals.ts';
import { REGISTRY } from '../../cli/registry.ts';
import { splitArguments } from '../../cli/split.ts';
import { convertAll } from '../../libpod/quadlet/convert.ts';
import { generate, problemLine } from '../../libpod/quadlet/generate.ts';
import { GROUP, KINDS, keysOf } from '../../libpod/quadlet/keys.ts';
import { COMMANDS, MISSING, MISSING_KEYS } from '../../libpod/quadlet/missing.ts';
import { dropInDirectories, loadSources, searchDirectories } from '../../libpod/quadlet/search.ts';
import { UnitFile } from '../../libpod/quadlet/unit-file.ts';
import { quoteWord } from '../../core/unit-word.ts';
import { splitWords } from '../../libpod/quadlet/words.ts';
import { quadletCases, unpackCase } from '../fixtures/quadlet/cases.ts';

const USER = { uid: 1000, rootless: true, env: {} };

/** Files by path, in a directory that goes with the disposal. */
function files(texts: Readonly<Record<string, string>>): { readonly directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'quadlet-'));
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

function problemsOf(texts: Readonly<Record<string, string>>): readonly string[] {
  using made = files(texts);
  return generate([made.directory], USER, '/bin/lichen').problems.map((problem) => problemLine(problem).replaceAll(made.directory, '/d'));
}

function unitsOf(texts: Readonly<Record<string, string>>, launcher = '/bin/lichen'): Readonly<Record<string, string>> {
  using made = files(texts);
  const { units } = generate([made.directory], USER, launcher);
  return Object.fromEntries(units.map(({ name, text }) => [name, text.replaceAll(made.directory, '/d')]));
}

test.each([
  [
    '[Container]\nImage=quay.io/x\nPublishPorts=80\n',
    `converting "a.container": unsupported key 'PublishPorts' in group 'Container' in /d/a.container (/d/a.container:3, key PublishPorts). Did you mean PublishPort?`,
  ],
  [
    '[Container]\nImage=quay.io/x\nimage=y\n',
    `converting "a.container": unsupported key 'image' in group 'Container' in /d/a.container (/d/a.container:3, key image). Did you mean Image?`,
  ],
  [
    '[Container]\nImage=quay.io/x\nVolumeName=y\n',
    `converting "a.container": unsupported key 'VolumeName' in group 'Container' in /d/a.container (/d/a.container:3, key VolumeName). VolumeName is a key of [Volume]`,
  ],
  [
    '[Container]\nImage=quay.io/x\n[Quadlet]\nDefaultDependency=no\n',
    `converting "a.container": unsupported key 'DefaultDependency' in group 'Quadlet' in /d/a.container (/d/a.container:4, key DefaultDependency). Did you mean DefaultDependencies?`,
  ],
  [
    '[Container]\nImage quay.io/x\n',
    'error loading "/d/a.container", file contains line 2: “Image quay.io/x” which is not a key-value pair, group, or comment (/d/a.container:2). Write KEY=VALUE; a line that goes on in the next one ends with a backslash',
  ],
  [
    '[Container\n',
    'error loading "/d/a.container", file contains line 1: “[Container” which is not a key-value pair, group, or comment (/d/a.container:1). A group is one word in brackets: [Container]',
  ],
  [
    '\nImage=x\n',
    'error loading "/d/a.container", key file does not start with a group (/d/a.container:2). The first line is the name of a group: [Container]',
  ],
  [
    '[Container]\nImage=x.image\n',
    'converting "a.container": requested Quadlet image x.image was not found (/d/a.container:2, key Image). There is no .image file beside it',
  ],
  [
    '[Container]\nImage=quay.io/x\n\n# why\nVolume=data.volume:/x\n',
    'converting "a.container": requested Quadlet source data.volume was not found (/d/a.container:5, key Volume). There is no .volume file beside it',
  ],
  [
    '[Container]\nImage=quay.io/x\nExec=echo \\\n  a\\qb\n',
    String.raw`converting "a.container": unsupported escape char (/d/a.container:3, key Exec). \q is no escape; write \\ for a backslash`,
  ],
  [
    '[Unit]\nAfter=\\q x.container\n[Container]\nImage=quay.io/x\n',
    String.raw`converting "a.container": unsupported escape char (/d/a.container:2, key After). \q is no escape; write \\ for a backslash`,
  ],
  [
    '[Container]\nImage=quay.io/x\nReadOnly=maybe\n',
    'Warning: maybe is neither true nor false, and taken as false (/d/a.container:3, key ReadOnly). Write true or false',
  ],
  [
    '[Container]\nImage=quay.io/x\nExec=sh "a b\n',
    `Warning: a quote is not closed; it ends with the line (/d/a.container:3, key Exec). Write " or ' at its end`,
  ],
  [
    '[Container]\nImage=quay.io/x\n[Service]\nKillMode=none\n',
    `converting "a.container": invalid KillMode 'none' (/d/a.container:4, key KillMode). Write KillMode=mixed, or leave it out`,
  ],
  [
    '[Container]\nImage=busybox\n',
    'Warning: a.container specifies the image "busybox" which not a fully qualified image name. This is not ideal for performance and security reasons. See the podman-pull manpage discussion of short-name-aliases.conf for details. (/d/a.container:2, key Image). Write the registry in front: docker.io/library/busybox',
  ],
  [
    '[Container]\nImage=quay.io/x\nServiceName=../x\n',
    'converting "a.container": ../x cannot be the name of a service (/d/a.container:3, key ServiceName)',
  ],
  ['[Container]\nImage=quay.io/x\nMount=type=bind,"source=\\"x\\"y"\n', expect.stringContaining('(/d/a.container:3, key Mount)')],
  [
    '[Container]\nImage=quay.io/x\n[Install]\nAlias=../x.service\n',
    'Warning: ../x.service leads out of the directory of units (/d/a.container:4, key Alias)',
  ],
  [
    '[Container]\nImage=quay.io/x\n[Install]\nWantedBy=a/b.target\n',
    'Warning: a/b.target is no name of a unit (/d/a.container:4, key WantedBy)',
  ],
  [
    '[Container]\nImage=quay.io/x\n[Install]\nWantedBy=\\q\n',
    String.raw`Warning: \q is no escape; write \\ for a backslash (/d/a.container:4, key WantedBy)`,
  ],
])('%j is told with line and key', (text, line) => {
  expect(problemsOf({ 'a.container': text })).toEqual([line]);
});

test('a line of a drop-in is told with the name of the drop-in', () => {
  const problems = problemsOf({ 'a.container': '[Container]\nImage=quay.io/x\n', 'a.container.d/10.conf': '[Container]\n\nBogus=1\n' });
  expect(problems).toEqual([
    `converting "a.container": unsupported key 'Bogus' in group 'Container' in /d/a.container (/d/a.container.d/10.conf:3, key Bogus)`,
  ]);
});

test('all unknown keys of a file are told, and what is wrong with one file keeps no other from its unit', () => {
  const texts = {
    'a.container': '[Container]\nA=1\nB=2\n',
    'b.container': 'nonsense\n',
    'c.volume': '[Volume]\nUser=nobody-of-that-name\n',
    'd.container': '[Container]\nImage=quay.io/x\n',
  };
  expect(problemsOf(texts)).toHaveLength(4);
  expect(Object.keys(unitsOf(texts))).toEqual(['d.service']);
});

test('who refers to a file that makes no unit makes none either, in whatever order they come, and a circle is none of that', () => {
  const wrong = '[Volume]\nFoo=1\n';
  const texts = {
    'a.container': '[Container]\nImage=quay.io/x\nVolume=v.volume:/v\n',
    'v.volume': wrong,
    'z.container': '[Container]\nImage=quay.io/x\nNetwork=a.container\n',
  };
  expect(Object.keys(unitsOf(texts))).toEqual([]);
  expect(problemsOf(texts)).toEqual([
    'converting "a.container": v.volume makes no unit (/d/a.container:3, key Volume). What is wrong with it is told as well',
    `converting "v.volume": unsupported key 'Foo' in group 'Volume' in /d/v.volume (/d/v.volume:2, key Foo)`,
    'converting "z.container": a.container makes no unit (/d/z.container:3, key Network). What is wrong with it is told as well',
  ]);
  const circle = {
    'a.container': '[Container]\nImage=quay.io/x\nNetwork=b.container\n',
    'b.container': '[Container]\nImage=quay.io/x\nNetwork=a.container\n',
  };
  expect(Object.keys(unitsOf(circle))).toEqual(['a.service', 'b.service']);
});

test('a file that cannot be read is told, as is one of no use', () => {
  using made = files({ 'b.container': '[Container]\nImage=quay.io/x\n' });
  symlinkSync('nowhere', join(made.directory, 'a.container'));
  const { units, problems } = generate([made.directory], USER, '/bin/lichen');
  expect(units.map(({ name }) => name)).toEqual(['b.service']);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^error loading ".*a\.container", open .*: no such file or directory$/),
  ]);
});

test("a volume's owner is a user of this machine", () => {
  const units = unitsOf({ 'v.volume': '[Volume]\nUser=root\nGroup=0\n' });
  expect(units['v-volume.service']).toContain('--opt o=uid=0,gid=0 systemd-v\n');
});

test('every kind that lacks its command says so, also to those that refer to it, and no other kind does', () => {
  const missing = KINDS.filter((kind) => !COMMANDS[kind].every(isThere));
  expect(Object.keys(MISSING).toSorted()).toEqual(missing.toSorted());
  for (const kind of missing) {
    expect(problemsOf({ [`x.${kind}`]: `[${GROUP[kind]}]\n` })).toEqual([
      `converting "x.${kind}": .${kind} files need \`${MISSING[kind]}\`, which is not there yet (/d/x.${kind})`,
    ]);
    const [, problem] = problemsOf({
      'w.container': `[Unit]\nAfter=x.${kind}\n[Container]\nImage=quay.io/x\n`,
      [`x.${kind}`]: `[${GROUP[kind]}]\n`,
    }).toReversed();
    expect(problem).toBe(
      `converting "w.container": x.${kind} needs \`${MISSING[kind]}\`, which is not there yet (/d/w.container:2, key After)`,
    );
  }
});

test('a key whose flag is refused is told', () => {
  const keys = Object.entries(MISSING_KEYS).flatMap(([kind, byKey]) =>
    Object.entries(byKey).map(([key, why]) => [kind, key, why] as const),
  );
  expect(keys.length).toBeGreaterThan(0);
  for (const [kind, key, why] of keys) {
    const [head = ''] = problemsOf({
      [`x.${kind}`]: `[${GROUP[kind as 'image']}]\n${kind === 'image' ? 'Image' : 'Artifact'}=quay.io/x\n${key}=1\n`,
    });
    expect(head).toBe(`converting "x.${kind}": ${key} ${why} (/d/x.${kind}:3, key ${key})`);
  }
});

function isThere(path: string): boolean {
  try {
    return findCommand(REGISTRY, path.split(' '), 'lichen').kind === 'command';
  } catch {
    return false;
  }
}

test('any word comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const word = text.replaceAll('\0', '');
      expect(splitWords(quoteWord(word))).toEqual([/^\$(?!\w+$|[{$])/.test(word) ? `$${word}` : word]);
      expect(quoteWord(word)).not.toContain('\n');
    }),
  );
});

test('any text is a unit file or one error with its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('[', ']', '=', '\\', '\n', ' ', '#', ';', 'a', '"', 'Image', 'Container') }), (text) => {
      try {
        const once = UnitFile.parse(text, '/x').toString();
        expect(UnitFile.parse(once, '/x').toString()).toBe(once);
      } catch (error) {
        expect(error).toMatchObject({ name: 'UnitSyntaxError', place: { path: '/x', line: expect.any(Number) as number } });
      }
    }),
  );
});

/** C15 of the hostile list. What systemd itself makes of them: test/system/quadlet.test.ts. */
const HOSTILE = [
  '$(touch /tmp/x)',
  '`id`',
  '; rm -rf /',
  'a"b',
  "a'b",
  '%n%%%i',
  'a\\x3bb',
  '[Service]',
  '=x',
  '--privileged',
  '{}',
  'é\u202e',
];

test.each(KINDS)('hostile values in every key of a .%s file make no line of their own', (kind) => {
  for (const key of keysOf(kind, GROUP[kind])!) {
    for (const value of HOSTILE) {
      const path = `/d/x.${kind}`;
      const text = `[${GROUP[kind]}]\nImage=quay.io/x\n`.replace(
        'Image=',
        kind === 'artifact' ? 'Artifact=' : kind === 'kube' ? 'Yaml=' : kind === 'build' ? 'ImageTag=' : 'Image=',
      );
      using made = files({
        [`x.${kind}`]: `${['network', 'pod', 'volume'].includes(kind) ? `[${GROUP[kind]}]\n` : text}${key}=${value}\n[Service]\nRestart=no\n`,
      });
      const { sources } = loadSources([made.directory], USER);
      const { units, problems } = convertAll({
        sources,
        rootless: true,
        program: '/bin/lichen',
        missing: {},
        missingKeys: {},
        account: () => 1,
        deviceExists: () => false,
      });
      expect(units.length + problems.filter(({ severity }) => severity === 'error').length, `${key}=${value}`).toBeGreaterThan(0);
      for (const { text: unit } of units) {
        const read = UnitFile.parse(unit, path);
        const own = [
          'Environment',
          'KillMode',
          'ExecStart',
          'ExecStartPre',
          'ExecStop',
          'ExecStopPost',
          'ExecReload',
          'Delegate',
          'Type',
          'NotifyAccess',
          'SyslogIdentifier',
          'RemainAfterExit',
          'Restart',
          'PIDFile',
          'WorkingDirectory',
        ];
        expect(read.entries('Service').filter((entry) => !own.includes(entry.key))).toEqual([]);
        for (const entry of read.entries('Service').filter((one) => one.key.startsWith('Exec'))) {
          expect(splitWords(entry.value)[0]).toMatch(/^-?\/bin\/lichen$/);
          expect(entry.value.split(/\s+/)).not.toContain(';');
        }
      }
    }
  }
});

test('the path of lichen and of the files holds nothing that systemd would read', () => {
  using made = files({ '100%n/a.container': '[Container]\nImage=quay.io/x\nVolume=./v:/v\n' });
  const { units } = generate([join(made.directory, '100%n')], USER, '/opt/$HOME %i/lichen');
  expect(units[0]!.text).toContain(String.raw`ExecStart="/opt/$HOME\x20%%i/lichen" run `);
  expect(units[0]!.text).toContain(`SourcePath=${made.directory}/100%%n/a.container\n`);
  expect(units[0]!.text).toContain(` -v ${made.directory}/100%%n/v:/v `);
});

test.each([
  [{ uid: 0, rootless: false, env: {} }, ['/run/containers/systemd', '/etc/containers/systemd', '/usr/share/containers/systemd']],
  [
    { uid: 7, rootless: true, env: { HOME: '/h', XDG_RUNTIME_DIR: '/r' } },
    ['/r/containers/systemd', '/h/.config/containers/systemd', '/etc/containers/systemd/users', '/etc/containers/systemd/users/7'],
  ],
  [
    { uid: 7, rootless: true, env: { HOME: '/h', XDG_CONFIG_HOME: '/c' } },
    ['/c/containers/systemd', '/etc/containers/systemd/users', '/etc/containers/systemd/users/7'],
  ],
  [{ uid: 7, rootless: true, env: { QUADLET_UNIT_DIRS: '/a:relative:/b' } }, ['/a', '/b']],
])('%j looks in %j', (user, directories) => {
  const complaints: string[] = [];
  expect(searchDirectories(user, (message) => complaints.push(message))).toEqual(directories);
  expect(complaints).toEqual(!('QUADLET_UNIT_DIRS' in user.env) ? [] : ['relative not a valid file path']);
});

test('the first directory wins, links are followed, and a circle ends', () => {
  using made = files({
    'one/a.container': '[Container]\nImage=quay.io/first\n',
    'two/a.container': '[Container]\nImage=quay.io/second\n',
    'other/b.container': '[Container]\nImage=quay.io/linked\n',
    'two/a.container.d/x.conf': '[Container]\nExec=dropped-in\n',
  });
  symlinkSync('.', join(made.directory, 'one/circle'));
  symlinkSync('../other', join(made.directory, 'one/link'));
  const { units } = generate(
    ['one', 'two'].map((name) => join(made.directory, name)),
    USER,
    '/bin/lichen',
  );
  expect(units.map(({ name, text }) => [name, / (quay.*)$/m.exec(text)?.[1]])).toEqual([
    ['a.service', 'quay.io/first dropped-in'],
    ['b.service', 'quay.io/linked'],
  ]);
});

test.each([
  ['foo-bar', ['foo-bar.container.d', 'foo-.container.d', 'container.d']],
  ['a-b@c-d', ['a-b@c-d.container.d', 'a-b@.container.d', 'a-.container.d', 'container.d']],
  ['t@', ['t@.container.d', 'container.d']],
])('drop-ins of %s are in %j', (stem, directories) => {
  expect(dropInDirectories(stem, 'container')).toEqual(directories);
});

test('the commands of units have all of the flags that they are called with', async () => {
  const unknown: string[] = [];
  let count = 0;
  for (const one of quadletCases()) {
    using unpacked = unpackCase(one);
    for (const { text } of generate([unpacked.directory], USER, '/bin/lichen').units) {
      for (const { key, value } of UnitFile.parse(text, '/x').entries('Service')) {
        const words = splitWords(value);
        if (!/^-?\/bin\/lichen$/.test(words[0] ?? '') || !key.startsWith('Exec')) continue;
        count++;
        try {
          await checkCommand(words.slice(1).filter((word) => !MADE_UP.has(word)));
        } catch (error) {
          unknown.push(`${one.name}: ${(error as Error).message}`);
        }
      }
    }
  }
  expect(count).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});

/** What PodmanArgs and GlobalArgs of the cases say. */
const MADE_UP = new Set(['--x', '--y z', '--g', '--foo', '--bar baz', '--pa', '--ga', 'open', 'ab cd', 'ef', '--privileged']);

async function checkCommand(words: readonly string[]): Promise<void> {
  const root = splitArguments(ROOT_FLAGS, words, { interspersed: false, path: 'lichen' });
  const found = findCommand(REGISTRY, root.positionals, 'lichen');
  if (found.kind !== 'command') throw new Error(`${words.join(' ')} is no command`);
  const { command } = await found.load();
  const table: FlagTable = { ...PERSISTENT_FLAGS, ...command.flags };
  const split = splitArguments(table, found.rest, { interspersed: command.interspersed ?? true, path: found.path });
  const refused = [...split.given].filter((name) => table[name]?.unsupported === true);
  if (refused.length > 0) throw new Error(`--${refused.join(', --')} of ${found.path} is refused`);
}
