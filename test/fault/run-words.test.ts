/** Words of the command line that mean harm to files and helpers (reference/hostile.md, R17 and J04): taken as they are, or refused; never a line or a flag more. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const LONG = 'a'.repeat(10_240);
const RED = '\u001B[31mred';

function run(flags: readonly string[], script = 'echo ran', network = 'none') {
  return host.lichen(['run', '--rm', `--network=${network}`, ...flags, BUSYBOX, ...sh(script)]);
}

describe.skipIf(!canRunContainers)('hostile words', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const NAME = 'names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument';
  test.each([
    ['a name that climbs', ['--name', '../x'], NAME],
    ['a name with a line break', ['--name', 'a\nb'], NAME],
    ['a name that is a flag', ['--name=-x'], NAME],
    ['a name with an escape sequence', ['--name', RED], NAME],
    ['a host name with a line break', ['--hostname', 'a\nb'], 'invalid hostname "a\\nb"'],
    ['a host name with an escape sequence', ['--hostname', RED], 'invalid hostname "\\u001b[31mred"'],
    ['a host name of 10 kB', ['--hostname', LONG], 'invalid hostname "aaaa'],
    ['an added host with a line break', ['--add-host', 'a\nb:1.2.3.4'], 'bad format for add-host: "a\\nb:1.2.3.4"'],
    ['an added host with two names in one', ['--add-host', 'a b:1.2.3.4'], 'bad format for add-host: "a b:1.2.3.4"'],
    ['an address with a line break', ['--add-host', 'a:1.2.3.4\n6.6.6.6 evil'], 'invalid IP address in add-host'],
    ['a resolver with a line break', ['--dns', '1.1.1.1\nsearch evil'], 'is not an ip address'],
    ['a search domain with a line break', ['--dns-search', 'a\nnameserver 6.6.6.6'], 'is not a valid domain'],
    ['a resolver option with a line break', ['--dns-option', 'a\nnameserver 6.6.6.6'], 'invalid DNS option "a\\nnameserver 6.6.6.6"'],
    ['a port with a line break', ['-p', '80\n81'], 'parsing container port'],
    ['an alias with a line break', ['--network-alias', 'a\nb'], '--network-alias'],
    ['a volume name that climbs', ['-v', '../up:/x/../..'], ''],
    ['a volume name with a line break', ['-v', 'a\nb:/x'], NAME],
    ['a sysctl of the host', ['--sysctl', 'kernel.domainname=a\nb'], "sysctl 'kernel.domainname' is not allowed"],
  ])('R17: %s is refused, and nothing runs', async (_, flags, why) => {
    const { stdout, stderr, exitCode } = await run(
      flags,
      'echo ran',
      flags[0]!.startsWith('--dns') || flags[0] === '-p' || flags[0] === '--add-host' ? 'pasta' : 'none',
    );
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 125 });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('\u001B');
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('R17: names, labels, annotations and variables that are odd but right are kept byte for byte, and make no lines elsewhere', async () => {
    const flags = [
      '--name',
      LONG.slice(0, 200),
      '--hostname',
      'plain',
      '--label',
      'a=b\nc',
      '--label',
      `red=${RED}`,
      '--annotation',
      'a\nb=c',
      '-e',
      'LINES=one\ntwo',
      '-e',
      `RED=${RED}`,
    ];
    await host.succeed(['create', '--network=none', ...flags, BUSYBOX, ...sh('env; cat /etc/hosts /etc/hostname')]);
    const name = LONG.slice(0, 200);
    expect(JSON.parse(await host.succeed(['inspect', '--format', '{{json .Config.Labels}}', name]))).toMatchObject({ a: 'b\nc', red: RED });
    const output = await host.succeed(['start', '--attach', name]);
    expect(output).toContain('\nLINES=one\ntwo\n');
    expect(output).toMatch(/127\.0\.0\.1\tplain [a-z0-9 ]*\nplain$/m);
    // A table has a row for each container, whatever its label says.
    expect((await host.succeed(['ps', '-a', '--format', 'table {{.Names}} {{.Labels}}'])).split('\n').length).toBeLessThanOrEqual(3);
    await removeNow(host, name);
  });

  test('J04: words that look like flags are words to every helper', async () => {
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [['run', '--rm', '--', '-image', 'true'], /invalid reference format|short-name/],
      [['exec', '--', '-x', 'true'], /no container with name or ID "-x" found/],
      [['rm', '--', '--all'], /no container with ID or name "--all" found/],
      [['volume', 'create', '--', '-v'], /names must match/],
      [['kill', '--signal', '-9 1', 'nobody'], /invalid signal/],
      [['run', '--rm', '--network', 'pasta:--help', BUSYBOX, 'true'], /./],
      [['load', '--input', '--help'], /no such file or directory/],
      [['login', '--username', 'a', '--password', 'b', '--', '-o'], /./],
    ];
    for (const [words, why] of refused) {
      const { stdout, stderr, exitCode } = await host.lichen(words);
      expect({ words, stdout, failed: exitCode !== 0, stderr }).toEqual({
        words,
        stdout: '',
        failed: true,
        stderr: expect.stringMatching(why),
      });
    }
    // The container's own command line, its host name and where it works are no business of a helper's.
    expect(
      await host.succeed([
        'run',
        '--rm',
        '--network=none',
        '--hostname=-x',
        '--workdir=/--help',
        '-v',
        '/tmp:/--help',
        BUSYBOX,
        ...sh('hostname; pwd'),
      ]),
    ).toBe('-x\n/--help');
    expect(await host.succeed(['run', '--rm', '--network=none', '--entrypoint', 'echo', BUSYBOX, '--help', '$(id)', '`id`', ';id'])).toBe(
      '--help $(id) `id` ;id',
    );
    await host.run(sh('mkdir -p "./-rf" "\'; touch hurt; \'"; echo in > "./-rf/--file"'));
    expect(await host.succeed(['run', '--rm', '--network=none', '-v', './-rf:/x', BUSYBOX, 'cat', '/x/--file'])).toBe('in');
    const quoted = ['--root', "/home/tester/'; touch hurt; '/store", '--runroot', "/home/tester/'; touch hurt; '/run"];
    await host.succeed([...quoted, 'run', '--rm', '--network=none', '--rootfs', '/:O', 'true']);
    await host.succeed([...quoted, 'system', 'migrate']);
    expect((await host.run(sh('test -e hurt && echo hurt; true'))).stdout).toBe('');
    const env = { LD_PRELOAD_FOR_CONMON: 'x', 'EVIL\nNAME': 'y' };
    expect(await host.lichen(['run', '--rm', '--network=none', BUSYBOX, 'echo', 'ran'], { env })).toMatchObject({
      stdout: 'ran\n',
      exitCode: 0,
    });
  });

  test('R13: bytes that are no text, escape sequences, one line of 100 MB, and a rotation in the middle of a line reach the log as they were', async () => {
    const bytes = `printf 'plain\\n\\033[31mred\\033[0m\\n\\377\\200\\n'`;
    await host.succeed(['run', '--network=none', '--name=odd', BUSYBOX, ...sh(bytes)]);
    expect((await host.lichen(['logs', 'odd'])).stdoutBytes).toEqual(
      Buffer.concat([Buffer.from('plain\n\u001B[31mred\u001B[0m\n'), Buffer.of(0xff, 0x80, 0x0a)]),
    );
    const sum = 'head -c 104857600 /dev/zero | tr "\\000" x | md5sum';
    await host.succeed(['run', '--network=none', '-d', '--name=long', BUSYBOX, ...sh('head -c 104857600 /dev/zero | tr "\\000" x')]);
    await host.succeed(['wait', 'long']);
    const expected = (await host.run(sh(sum))).stdout;
    expect((await host.run(sh('lichen logs long | md5sum'))).stdout).toBe(expected);
    expect((await host.run(sh('lichen logs --tail 1 long | md5sum'))).stdout).toBe(expected);
    await host.succeed([
      'run',
      '--network=none',
      '-d',
      '--name=turned',
      '--log-opt=max-size=64kb',
      BUSYBOX,
      ...sh('head -c 1000000 /dev/zero | tr "\\000" x; echo; echo last'),
    ]);
    await host.succeed(['wait', 'turned']);
    const kept = (await host.lichen(['logs', 'turned'])).stdout;
    expect(kept.endsWith('x\nlast\n')).toBe(true);
    expect(kept.replace(/\nlast\n$/, '')).toMatch(/^x+$/);
    await removeNow(host, 'odd', 'long', 'turned');
  });
});
