/** Secrets: made from files, stdin and variables, kept by each driver, given to containers as files and variables. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const NAME_WORDS = `can not include '=', '/', ',', or the '\\0' (NULL) and be between 1 and 253 characters: invalid secret name`;

let host: TestHost;

const directory = () => host.path(`${host.store}/secrets/filedriver`);
const make = (name: string, data = 'abc\n', ...flags: readonly string[]) =>
  host.succeed(['secret', 'create', ...flags, name, '-'], { input: data });
const run = (flags: readonly string[], script: string) => host.succeed(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);

describe.skipIf(!canRunContainers)('secrets', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox']);
    await host.writeFile('/tmp/data', 'abc\n');
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(async () => {
    await host.succeed(['secret', 'rm', '--all']);
  });

  describe('create', () => {
    test('takes a file, stdin or a variable; only the owner can read what is kept', async () => {
      const id = await host.succeed(['secret', 'create', 'one', '/tmp/data']);
      expect(id).toMatch(/^[0-9a-f]{25}$/);
      await make('two', 'bytes\n');
      await host.succeed(['secret', 'create', '--env', 'three', 'VALUE'], { env: { VALUE: 'of a variable' } });
      const shown = JSON.parse(await host.succeed(['secret', 'inspect', '--showsecret', 'one', 'two', 'three'])) as {
        SecretData: string;
      }[];
      expect(shown.map(({ SecretData }) => SecretData)).toEqual(['abc\n', 'bytes\n', 'of a variable']);
      expect(statSync(`${directory()}/${id}`).mode & 0o777).toBe(0o600);
      expect(statSync(directory()).mode & 0o777).toBe(0o700);
    });

    test('an existing name is refused, ignored or replaced; a replaced one has a new id and keeps its time of creation', async () => {
      const first = await make('one');
      const before = await host.succeed(['secret', 'inspect', '-f', '{{.CreatedAt}}', 'one']);
      expect(await host.lichen(['secret', 'create', 'one', '/tmp/data'])).toMatchObject({
        exitCode: 125,
        stderr: 'Error: one: secret name in use\n',
      });
      expect(await make('one', 'x', '--ignore')).toBe(first);
      const second = await make('one', 'new', '--replace');
      expect(second).not.toBe(first);
      expect(await host.succeed(['secret', 'inspect', '-f', '{{.CreatedAt}}', 'one'])).toBe(before);
      expect(readdirSync(directory())).toEqual([second]);
    });

    test.each([
      [['--replace', '--ignore', 'x', '/tmp/data'], 'cannot use --ignore and --replace flags together'],
      [['x'], 'accepts 2 arg(s), received 1'],
      [['x', '/absent'], 'open /absent: no such file or directory'],
      [['--env', 'x', 'ABSENT'], 'cannot create store secret data: environment variable ABSENT is not set'],
      [['x', '-'], 'secret data must be larger than 0 and less than 512000 bytes'],
      [['x', '/dev/zero'], 'secret data must be larger than 0 and less than 512000 bytes'],
      [['-d', 'nosuch', 'x', '/tmp/data'], 'invalid driver'],
      [['-d', 'shell', 'x', '/tmp/data'], 'missing config value'],
      [['a=b', '/tmp/data'], `secret name "a=b" ${NAME_WORDS}`],
      [['a/b', '/tmp/data'], `secret name "a/b" ${NAME_WORDS}`],
      [['../x', '/tmp/data'], `secret name "../x" ${NAME_WORDS}`],
      [['', '/tmp/data'], `secret name "" ${NAME_WORDS}`],
      [['a'.repeat(254), '/tmp/data'], `secret name "${'a'.repeat(254)}" ${NAME_WORDS}`],
    ])('%j is refused', async (args, message) => {
      expect(await host.lichen(['secret', 'create', ...args])).toMatchObject({ exitCode: 125, stdout: '', stderr: `Error: ${message}\n` });
    });

    test('--driver-opts wants pairs', async () => {
      expect(await host.lichen(['secret', 'create', '--driver-opts', 'bad', 'x', '/tmp/data'])).toMatchObject({
        exitCode: 125,
        stderr:
          'Error: invalid argument "bad" for "--driver-opts" flag: bad must be formatted as key=value\nSee \'lichen secret create --help\'\n',
      });
    });
  });

  test('ls, inspect, exists and rm speak as Podman does', async () => {
    const id = await make('gsecret', 'abc', '-l', 'a=b', '-l', 'c');
    expect(await host.succeed(['secret', 'ls'])).toMatch(
      new RegExp(`^ID {25}NAME {8}DRIVER {6}CREATED {8,}UPDATED\n${id}  gsecret     file        .* ago +.* ago$`),
    );
    expect(await host.succeed(['secret', 'ls', '--format', '{{.Name}} {{.Driver}}', '--filter', 'name=^g'])).toBe('gsecret file');
    // Podman has no such format, and prints the word for every row.
    expect(await host.succeed(['secret', 'ls', '--format', 'json'])).toBe('json');
    expect(await host.succeed(['secret', 'ls', '-q', '--filter', 'id=ffffffffffffffffffffffffff'])).toBe('');
    expect(await host.lichen(['secret', 'ls', '--filter', 'label=a'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: invalid filter "label"\n',
    });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(JSON.parse(await host.succeed(['secret', 'inspect', id.slice(0, 8)]))).toEqual([
      {
        ID: id,
        CreatedAt: time,
        UpdatedAt: time,
        Spec: {
          Name: 'gsecret',
          Driver: { Name: 'file', Options: { path: `${host.store}/secrets/filedriver` } },
          Labels: { a: 'b', c: '' },
        },
      },
    ]);
    expect(await host.succeed(['secret', 'inspect', '--pretty', 'gsecret'])).toMatch(
      new RegExp(
        `^ID: {14}${id}\nName: {14}gsecret\nLabels:\n - a=b\n - c\nDriver: {12}file\nCreated at: {8}.* \\+0000 UTC\nUpdated at: {8}.* \\+0000 UTC$`,
      ),
    );
    expect(await host.lichen(['secret', 'inspect', 'nosuch'])).toMatchObject({
      exitCode: 125,
      stdout: '[]\n',
      stderr: 'Error: inspecting secret: no secret with name or id "nosuch": no such secret\n',
    });
    expect((await host.lichen(['secret', 'exists', 'gsecret'])).exitCode).toBe(0);
    expect((await host.lichen(['secret', 'exists', 'nosuch'])).exitCode).toBe(1);
    expect(await host.lichen(['secret', 'rm', 'nosuch', 'gsecret'])).toMatchObject({
      exitCode: 125,
      stdout: `${id}\n`,
      stderr: 'Error: no secret with name or id "nosuch": no such secret\n',
    });
    expect(await host.succeed(['secret', 'rm', '--ignore', 'nosuch'])).toBe('');
    expect(await host.lichen(['secret', 'rm'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: `lichen secret rm` requires one argument, or the --all flag\n',
    });
    expect(readdirSync(directory())).toEqual([]);
    expect(await host.succeed(['events', '--stream=false', '--filter', 'type=secret', '--format', '{{.Status}} {{.ID}}'])).toContain(
      `create ${id}\nremove ${id}`,
    );
  });

  test('the file driver keeps them where it is told to', async () => {
    const id = await make('one', 'abc', '--driver-opts', 'path=/tmp/own');
    expect(await host.readFile(`/tmp/own/${id}`)).toBe('abc');
    await host.succeed(['secret', 'rm', 'one']);
    expect(existsSync(host.path(`/tmp/own/${id}`))).toBe(false);
  });

  test('the shell driver runs the commands it was given, with SECRET_ID and no data in any argument', async () => {
    await host.run(['mkdir', '-p', '/tmp/kept']);
    const options = [
      'list=ls /tmp/kept',
      'lookup=cat /tmp/kept/$SECRET_ID',
      'store=cat > /tmp/kept/$SECRET_ID; tr "\\0" " " < /proc/$$/cmdline > /tmp/cmdline',
      'delete=rm /tmp/kept/$SECRET_ID',
    ].flatMap((option) => ['--driver-opts', option]);
    const id = await make('one', 'hidden words', '-d', 'shell', ...options);
    expect(await host.readFile(`/tmp/kept/${id}`)).toBe('hidden words');
    expect(await host.readFile('/tmp/cmdline')).not.toContain('hidden');
    expect(await run(['--secret', 'one'], 'cat /run/secrets/one')).toBe('hidden words');
    await host.run(['rm', `/tmp/kept/${id}`]);
    expect(await host.lichen(['run', '--rm', '--secret', 'one', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(`Error: ${id}: no such secret\n$`) as string,
    });
    expect(await host.lichen(['secret', 'rm', 'one'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(`Error: deleting secret one: ${id}: no such secret\n$`) as string,
    });
    await host.writeFile(`/tmp/kept/${id}`, 'again');
    expect(await host.succeed(['secret', 'rm', 'one'])).toBe(id);
  });

  test('a shell command that fails makes no secret', async () => {
    const options = ['list=ls', 'lookup=exit 3', 'store=echo boo >&2; exit 4', 'delete=exit 5'].flatMap((one) => ['--driver-opts', one]);
    expect(await host.lichen(['secret', 'create', '-d', 'shell', ...options, 'one', '/tmp/data'])).toMatchObject({
      exitCode: 125,
      stderr: 'boo\nError: creating secret one: exit status 4\n',
    });
    expect(await host.succeed(['secret', 'ls', '-q'])).toBe('');
  });

  test('the pass driver encrypts with gpg and names what is missing', async () => {
    const { exitCode, stderr } = await host.lichen([
      'secret',
      'create',
      '-d',
      'pass',
      '--driver-opts',
      'root=/tmp/pass,key=nosuch',
      'x',
      '/tmp/data',
    ]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^Error: creating secret x: (exit status 2|gpg: not found)\n/);
    expect(await host.lichen(['secret', 'create', '-d', 'pass', '--driver-opts', 'nosuch=1', 'x', '/tmp/data'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: invalid pass driver option: "nosuch"\n',
    });
  });

  describe('in containers', () => {
    beforeEach(async () => {
      await make('one');
    });

    test('are files below /run/secrets with the owner and mode asked for, or anywhere', async () => {
      expect(
        await run(
          [
            '--secret=one',
            '--secret=one,target=foo,uid=5,gid=6,mode=0440',
            '--secret=one,target=/etc/deep/er',
            '--secret=one,target=sub/x',
          ],
          'cd /run/secrets; cat one; stat -c "%n %a %u %g" one foo /etc/deep/er sub/x .; ls /run/secrets',
        ),
      ).toBe('abc\none 444 0 0\nfoo 440 5 6\n/etc/deep/er 444 0 0\nsub/x 444 0 0\n. 755 0 0\nfoo\none\nsub');
    });

    test('are there for other users, in user namespaces, read-only roots, and over a volume', async () => {
      expect(await run(['--secret=one', '--user=1000'], 'cat /run/secrets/one; id -u')).toBe('abc\n1000');
      expect(
        await run(
          ['--secret=one,uid=1,gid=1', '--uidmap=0:0:100', '--gidmap=0:0:100'],
          'cat /run/secrets/one; stat -c "%u %g" /run/secrets/one',
        ),
      ).toBe('abc\n1 1');
      expect(await run(['--secret=one', '--read-only'], 'cat /run/secrets/one')).toBe('abc');
      expect(await run(['--secret=one', '--volume=/run/secrets'], 'cat /run/secrets/one')).toBe('abc');
    });

    test('are variables, which win over --env and are shown by no inspect', async () => {
      await make('three', 'hidden words');
      expect(await run(['-e', 'FOO=1', '--secret=three,type=env,target=FOO', '--secret=three,type=env'], 'echo "$FOO.$three"')).toBe(
        'hidden words.hidden words',
      );
      await host.succeed(['create', '--name=c', '--secret=three,type=env,target=FOO', '--secret=three', BUSYBOX, ...sh('echo $FOO')]);
      expect(await host.succeed(['start', '-a', 'c'])).toBe('hidden words');
      expect(await host.succeed(['inspect', 'c'])).not.toContain('hidden');
      expect(JSON.parse(await host.succeed(['inspect', '-f', '{{json .Config.Secrets}}', 'c']))).toEqual([
        { Name: 'three', ID: await host.succeed(['secret', 'inspect', '-f', '{{.ID}}', 'three']), UID: 0, GID: 0, Mode: 0o444 },
      ]);
      await removeNow(host, 'c');
    });

    test('stay as they were when the container was made; variables follow the secret', async () => {
      await host.succeed(
        ['create', '--name=c', '--network=none', '--secret=one', '--secret=one,type=env,target=FOO', BUSYBOX].concat(
          sh('cat /run/secrets/one; echo $FOO'),
        ),
      );
      await make('one', 'new\n', '--replace');
      expect(await host.succeed(['start', '-a', 'c'])).toBe('abc\nnew');
      await host.succeed(['secret', 'rm', 'one']);
      expect(await host.lichen(['start', '-a', 'c'])).toMatchObject({
        exitCode: 125,
        stderr: expect.stringContaining('no secret with name or id "one": no such secret\n') as string,
      });
      await removeNow(host, 'c');
    });

    test('go on in a running container when they are removed, and exec sees them', async () => {
      await host.succeed(['run', '-d', '--name=c', '--network=none', '--secret=one', BUSYBOX, 'sleep', '600']);
      await host.succeed(['secret', 'rm', 'one']);
      expect(await host.succeed(['exec', 'c', 'cat', '/run/secrets/one'])).toBe('abc');
      await removeNow(host, 'c');
    });

    test('are in no argument of a process and in no log', async () => {
      await make('two', 'wordsthatarehidden');
      await host.succeed([
        'run',
        '-d',
        '--name=c',
        '--network=none',
        '--secret=two,type=env,target=FOO',
        '--secret=two',
        BUSYBOX,
        'sleep',
        '600',
      ]);
      const { stderr } = await host.lichen(['--log-level=debug', 'exec', 'c', 'true']);
      expect(stderr).not.toContain('wordsthatarehidden');
      expect(host.processes().filter(({ command }) => command.includes('wordsthatarehidden'))).toEqual([]);
      await removeNow(host, 'c');
    });

    test.each([
      ['nosuch', 'no secret with name or id "nosuch": no such secret'],
      ['one,type=foo', 'type foo is invalid: parsing secret'],
      ['one,uid=5000000,gid=5000000', 'unable to chown secret one to 5000000:5000000: there is no such ID here'],
    ])('--secret %s is refused', async (secret, message) => {
      const { exitCode, stderr } = await host.lichen(['run', '--rm', '--network=none', '--secret', secret, BUSYBOX, 'true']);
      expect(stderr).toMatch(`Error: ${message}`);
      expect([125, 126]).toContain(exitCode);
    });
  });
});
