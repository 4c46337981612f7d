/** `logs`: what a container has printed, its ends and its future. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const NAME = 'talker';

async function ran(script: string, ...options: readonly string[]): Promise<void> {
  await host.lichen(['run', '--name', NAME, '--network', 'none', ...options, BUSYBOX, ...sh(script)]);
}

async function runs(script: string, ...options: readonly string[]): Promise<string> {
  return host.succeed(['run', '-d', '--name', NAME, '--network', 'none', ...options, BUSYBOX, ...sh(script)]);
}

function logs(...words: readonly string[]) {
  return host.lichen(['logs', ...words]);
}

describe.skipIf(!canRunContainers)('logs', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(() => removeNow(host, NAME, 'other'));
  afterAll(() => host[Symbol.asyncDispose]());

  test('streams are apart, and a last line without its newline stays without', async () => {
    await ran('echo one; echo two; echo talk >&2; printf part; exit 3');
    expect(await logs(NAME)).toMatchObject({ stdout: 'one\ntwo\npart', stderr: 'talk\n', exitCode: 0 });
  });

  test('a line longer than any buffer comes out whole, with one prefix', async () => {
    await ran('head -c 100000 /dev/zero | tr "\\0" x; echo; echo end');
    await host.succeed(['create', '--name', 'other', BUSYBOX, 'true']);
    expect((await logs('-n', NAME, 'other')).stdout).toBe(`${NAME} ${'x'.repeat(100_000)}\n${NAME} end\n`);
    expect((await logs('-n', NAME)).stdout).toBe(`${'x'.repeat(100_000)}\nend\n`);
    expect((await logs('--tail', '2', NAME)).stdout).toBe(`${'x'.repeat(100_000)}\nend\n`);
  });

  test('bytes that are no text come out as they went in', async () => {
    await ran(String.raw`printf '\377\200\001 \r\n\342\202\254\n'`);
    expect((await logs(NAME)).stdoutBytes).toEqual(Buffer.from([0xff, 0x80, 0x01, 0x20, 0x0d, 0x0a, 0xe2, 0x82, 0xac, 0x0a]));
  });

  test('--tail counts lines from the end', async () => {
    await ran('for i in 1 2 3 4 5; do echo line $i; done');
    expect((await logs('--tail', '2', NAME)).stdout).toBe('line 4\nline 5\n');
    expect((await logs('--tail', '0', NAME)).stdout).toBe('');
    expect((await logs('--tail=-1', NAME)).stdout.split('\n')).toHaveLength(6);
    expect((await logs('--tail', '99', NAME)).stdout.split('\n')).toHaveLength(6);
  });

  test('-t shows times, and --since and --until choose by them', async () => {
    await ran('echo one; sleep 0.1; echo two');
    const stamps = (await logs('-t', NAME)).stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    expect(stamps.map(([, word]) => word)).toEqual(['one', 'two']);
    expect(stamps[0]![0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const second = stamps[1]![0]!;
    expect((await logs('--since', second, NAME)).stdout).toBe('two\n');
    expect((await logs('--until', stamps[0]![0]!, NAME)).stdout).toBe('one\n');
    expect((await logs('--since', '1h', NAME)).stdout).toBe('one\ntwo\n');
    expect((await logs('--since', '2100-01-01', NAME)).stdout).toBe('');
    for (const open of ['', '1h30m', '5', '1700000000.5', '2024-01-02', '2024-01-02Z', '2024-01-02-07:00', '2024-01-02T03:04:05.123456'])
      expect((await logs('--since', open, NAME)).stdout, open).toBe('one\ntwo\n');
    expect((await logs('--since=-1h', NAME)).stdout).toBe('');
    expect((await logs('--until', '1h', NAME)).stdout).toBe('one\ntwo\n');
    expect((await logs('--until=-1h', NAME)).stdout).toBe('');
    for (const bad of [
      'foo',
      '1h30x',
      '2024-01-02T03',
      '2024-01-02T03:04Z',
      '2024-01-02 03:04:05',
      '2024-13-01',
      '2023-02-29',
      '2024-01-01T25:00:00',
    ])
      expect(await logs('--until', bad, NAME)).toMatchObject({
        exitCode: 125,
        stderr: `Error: parsing --until "${bad}": unable to interpret time value\n`,
      });
    expect(await logs('--since', 'foo', 'nosuch')).toMatchObject({
      exitCode: 125,
      stderr: 'Error: parsing --since "foo": unable to interpret time value\n',
    });
  });

  test('of several containers each line says whose it is', async () => {
    await ran('echo mine');
    const other = await host.succeed(['run', '-d', '--name', 'other', '--network', 'none', BUSYBOX, ...sh('echo theirs')]);
    await host.succeed(['wait', 'other']);
    const { stdout } = await logs(NAME, 'other');
    expect(stdout).toMatch(new RegExp(`^[0-9a-f]{12} mine\\n${other.slice(0, 12)} theirs\\n$`));
    expect((await logs('-n', '--color', NAME, 'other')).stdout).toBe(`\x1b[37m${NAME} mine\x1b[0m\n\x1b[31mother theirs\x1b[0m\n`);
    expect(await logs(NAME, 'nosuch')).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: 'Error: no container with name or ID "nosuch" found: no such container\n',
    });
  });

  test('one that never ran has none, one without a log driver says so', async () => {
    await host.succeed(['create', '--name', NAME, BUSYBOX, 'true']);
    expect(await logs('-f', NAME)).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    await removeNow(host, NAME);
    await ran('echo lost', '--log-driver', 'none');
    expect(await logs(NAME)).toMatchObject({
      exitCode: 125,
      stderr: "Error: this container is using the 'none' log driver, cannot read logs: this container is not logging output\n",
    });
  });

  test('-f shows what comes as it comes, pieces of lines too, and ends with the container', async () => {
    await runs('mkfifo /tmp/go; echo early; printf "piece "; read -r word < /tmp/go; echo "$word"; echo bye >&2');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await following.waitForOutput(/early\npiece $/);
    await host.lichen(['exec', NAME, ...sh('echo whole > /tmp/go')]);
    expect(await following.finish()).toMatchObject({ stdout: 'early\npiece whole\n', stderr: 'bye\n', exitCode: 0 });
  });

  test('-f --tail begins near the end and goes on', async () => {
    await runs('mkfifo /tmp/go; for i in 1 2 3; do echo $i; done; read -r word < /tmp/go; echo "$word"');
    await expect.poll(async () => (await logs(NAME)).stdout).toContain('3\n');
    await using following = host.spawnLichen(['logs', '-f', '--tail', '1', NAME]);
    await following.waitForOutput(/3\n/);
    await host.lichen(['exec', NAME, ...sh('echo more > /tmp/go')]);
    expect((await following.finish()).stdout).toBe('3\nmore\n');
  });

  test('-f goes on when the log is begun anew at its greatest size', async () => {
    await runs('sleep 0.5; i=0; while [ $i -lt 400 ]; do echo "line $i"; i=$((i+1)); sleep 0.002; done', '--log-opt', 'max-size=4kb');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    const lines = (await following.finish()).stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('line 399');
    // Between two looks a full file may be gone; what is shown is in order and none of it twice.
    expect(lines).toEqual([...new Set(lines)].toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5))));
    expect(lines.length).toBeGreaterThan(350);
    expect((await logs(NAME)).stdout.length).toBeLessThan(4096);
  });

  test('-f goes on across a restart, and ends with the container', async () => {
    await runs('echo up; exec sleep 1000');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await following.waitForOutput(/up/);
    for (const times of [2, 3]) {
      await host.succeed(['restart', '-t0', NAME]);
      await following.waitForOutput(new RegExp(`^(up\n){${times}}$`));
    }
    await host.succeed(['stop', '-t0', NAME]);
    expect(await following.finish()).toMatchObject({ stdout: 'up\nup\nup\n', exitCode: 0 });
  });

  test('-f --until ends at its time, though the container goes on', async () => {
    await runs('echo up; exec sleep 1000');
    await expect.poll(async () => (await logs(NAME)).stdout).toBe('up\n');
    expect(await logs('-f', '--until', '500ms', NAME)).toMatchObject({ stdout: 'up\n', exitCode: 0 });
    expect(await host.succeed(['ps', '-q', '--filter', `name=${NAME}`])).not.toBe('');
  });

  test('--tail of a log that was begun anew at its greatest size counts in what is kept', async () => {
    await ran('i=0; while [ $i -lt 60 ]; do echo "line number $i"; i=$((i+1)); done', '--log-opt', 'max-size=1kb');
    const kept = (await logs(NAME)).stdout.split('\n').slice(0, -1);
    expect(kept.length).toBeLessThan(30);
    expect((await logs('--tail', '30', NAME)).stdout.split('\n').slice(0, -1)).toEqual(kept);
    expect((await logs('--tail', '2', NAME)).stdout.split('\n').slice(0, -1)).toEqual(kept.slice(-2));
    expect((await logs('-l', '--tail', '1')).stdout).toBe('line number 59\n');
  });

  test('-f ends when the container is removed', async () => {
    await runs('echo up; exec sleep 1000');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await following.waitForOutput(/up/);
    await removeNow(host, NAME);
    expect(await following.finish()).toMatchObject({ stdout: 'up\n', exitCode: 0 });
  });

  test('a terminal’s lines keep their carriage returns', async () => {
    await runs('echo one; echo two >&2', '-t');
    await host.succeed(['wait', NAME]);
    expect(await logs(NAME)).toMatchObject({ stdout: 'one\r\ntwo\r\n', stderr: '' });
  });
});
