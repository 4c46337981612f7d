import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launcherLines, rememberCommands } from '../../network/early.ts';

describe('the lines that the launcher reads', () => {
  const root = mkdtempSync(join(tmpdir(), 'lichen-early-'));
  const netns = '/run/it/netns/0';
  // nsenter is a program that notes what it was started with, each word on a line of its own.
  beforeAll(() => {
    mkdirSync(join(root, 'netns'));
    writeFileSync(join(root, 'nsenter'), `#!/bin/sh\nprintf '%s\\n' "$@" >${root}/noted\nmv ${root}/noted ${root}/started\n`, {
      mode: 0o755,
    });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  /** What was begun for a command line: the words of nsenter, and the variable that tells Node. */
  function begin(
    words: readonly string[],
    namespaces = 'Um',
    portsBeside = false,
  ): { readonly words: readonly string[]; readonly variable: string } | undefined {
    rmSync(join(root, 'started'), { force: true });
    const lines = launcherLines(
      { netns, make: ['make', netns, '$(touch "$HOME")'], connect: ['con nect', `--pid`, `${netns}.pid`, "it's"], portsBeside },
      'abc',
    );
    const script = `${lines}\nprintf '%s' "$LICHEN_BEGUN_NETWORK"; [ -z "$LICHEN_BEGUN_NETWORK" ] || until [ -e ${root}/started ]; do :; done`;
    const env = { PATH: `${root}:${process.env['PATH']}`, run: root, pid: '42', namespaces };
    const variable = execFileSync('sh', ['-c', script, 'sh', ...words], { env, encoding: 'utf8' });
    if (variable === '') return undefined;
    return { variable, words: readFileSync(join(root, 'started'), 'utf8').split('\n') };
  }

  test('begin a network of a new id, in the namespaces of the pause process, with every word as it was', () => {
    const begun = begin(['run', '--rm', 'busybox', 'true'])!;
    const [, path = ''] = /^abc (.*)$/.exec(begun.variable)!;
    expect(path).toMatch(new RegExp(`^${root}/netns/[0-9a-f]{64}$`));
    expect(begun.words.slice(0, 7)).toEqual(['-t', '42', '-U', '-m', '--preserve-credentials', '--', '/bin/sh']);
    const [, script = '', name = ''] = begun.words.slice(7);
    expect(name).toBe(path);
    expect(
      execFileSync('sh', ['-c', script.replace('; echo', ' && : ; echo'), join(root, 'status'), join(root, 'status.status')], {
        env: { PATH: programs() },
      }).toString(),
    ).toBe(`make|${root}/status|$(touch "$HOME")|\ncon nect|--pid|${root}/status.pid|it's|\n`);
    expect(readFileSync(join(root, 'status.status'), 'utf8')).toBe('0\n');
    expect(Number(readFileSync(`${path}.begun`, 'utf8'))).toBeGreaterThan(1);
    expect(begin(['run', 'busybox'], 'UmC')!.words.slice(2, 5)).toEqual(['-U', '-m', '-C']);
  });

  test('stay as they are while the commands do: whoever has just read them is not told that others were meant', () => {
    const commands = { netns: join(root, 'netns', 'x'), make: ['make'], connect: ['connect'] };
    const lines = () => readFileSync(join(root, 'netns-begin'), 'utf8');
    rememberCommands(commands);
    const first = lines();
    rememberCommands({ ...commands, netns: join(root, 'netns', 'y') });
    expect(lines()).toBe(first);
    rememberCommands({ ...commands, connect: ['connect', 'otherwise'] });
    expect(lines()).not.toBe(first);
  });

  /** `make` and `con nect`: print their own name and their words. */
  function programs(): string {
    const directory = join(root, 'bin');
    mkdirSync(directory, { recursive: true });
    for (const name of ['make', 'con nect']) {
      writeFileSync(join(directory, name), `#!/bin/sh\nprintf '%s|' '${name}' "$@"; echo\n`, { mode: 0o755 });
    }
    return `${directory}:${process.env['PATH']}`;
  }

  test.each([
    [['run', '--network', 'none', 'busybox']],
    [['run', '--net=host', 'busybox']],
    [['run', '-p', '80:80', 'busybox']],
    [['run', '-itp80:80', 'busybox']],
    [['run', '-dP', 'busybox']],
    [['run', '--publish-all', 'busybox']],
    [['run', '--pod', 'x', 'busybox']],
    [['run', '--help']],
    [['run', '-h', 'name', 'busybox']],
  ])('leave %j alone', (words) => {
    expect(begin(words)).toBeUndefined();
  });

  test('begin it for TCP ports as well where somebody else forwards them, and not for UDP', () => {
    const beside = (...words: readonly string[]) => begin(['run', ...words, 'busybox'], 'Um', true);
    for (const word of ['-p80:80', '-itP', '--publish=80:80/tcp', '--publish-all']) expect(beside(word), word).toBeDefined();
    for (const words of [['-p', '53:53/udp'], ['--publish=53:53/udp'], ['--network=host', '-p', '80:80'], ['-h', 'name', '-p', '80:80']])
      expect(beside(...words), words.join(' ')).toBeUndefined();
  });
});
