/** What every make of the monitor keeps (libpod/monitor/monitor.ts). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { resizeTerminal } from '../../libpod/attach/session.ts';
import { findProgram } from '../../host/search.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import type { RunningCommand, TestHost } from '../host/host.ts';

const MAKES = ['conmon', 'embedded'] as const;
/** What one holds at rest. Proportional: what it has in common with other processes of the same program counts in part. */
const MEMORY_KIB = { conmon: 5000, embedded: 20_000 } as const;
const NAME = 'watched';
const RUN = ['run', '--name', NAME, '--network', 'none'] as const;

let host: TestHost;

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const inspected = (field: string): Promise<string> => host.succeed(['inspect', '--format', `{{${field}}}`, NAME]);
/** A file of /proc of the container's monitor. */
const monitorFile = async (path: string): Promise<string> =>
  readFileSync(host.path(`/proc/${await inspected('.State.ConmonPid')}/${path}`), 'latin1');

describe.skipIf(!canRunContainers)('a monitor', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  describe.each(MAKES)('made of %s', (make) => {
    if (make === 'conmon' && findProgram('conmon') === undefined) return;
    const env = { LICHEN_MONITOR: make };
    const lichen = (...args: readonly string[]) => host.lichen(args, { env });
    const succeed = (...args: readonly string[]): Promise<string> => host.succeed(args, { env });
    const spawn = (...args: readonly string[]): RunningCommand => host.spawnLichen(args, { env });
    afterEach(() => removeNow(host, NAME));

    test('is the one that was asked for, and info tells which', async () => {
      await succeed(...RUN, '-d', BUSYBOX, 'sleep', '1000');
      expect(await monitorFile('comm')).toBe(make === 'embedded' ? 'lichen-monitor\n' : 'conmon\n');
      expect(await succeed('info', '--format', '{{.Host.Conmon.Version}}')).toMatch(make === 'embedded' ? /^lichen / : /^conmon /);
    });

    test('50 MB of output and of log lose nothing, input has an end, and the exit status is told', async () => {
      const line = `${'0123456789abcdef'.repeat(6)}abc\n`;
      await using running = spawn(...RUN, '-i', BUSYBOX, ...sh(`read -r line; cat; yes "$line" | head -n 500000; exit 3`));
      running.write(`${line}rest`);
      running.endInput();
      const { stdoutBytes, exitCode } = await running.finish();
      const expected = Buffer.from(`rest${line.repeat(500_000)}`);
      expect({ exitCode, size: stdoutBytes.length, digest: digest(stdoutBytes) }).toEqual({
        exitCode: 3,
        size: expected.length,
        digest: digest(expected),
      });
      expect(digest((await lichen('logs', NAME)).stdoutBytes)).toBe(digest(expected));
    });

    test('lines come to the log whole or marked as parts, each stream for itself', async () => {
      const script = 'printf begun; sleep 0.3; printf "and ended\\n\\n"; echo talk >&2; printf open';
      await succeed(...RUN, BUSYBOX, ...sh(script));
      const log = await host.readFile(await inspected('.HostConfig.LogConfig.Path'));
      const records = log.trimEnd().split('\n');
      for (const record of records) expect(record).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) std(out|err) [FP] /);
      expect(records.map((record) => record.slice(record.indexOf(' ') + 1)).toSorted()).toEqual([
        'stderr F talk',
        'stdout F ',
        'stdout F and ended',
        'stdout P begun',
        'stdout P open',
      ]);
    });

    test('a log does not outgrow its largest size, and goes on', async () => {
      const script = 'i=0; while [ $i -lt 3000 ]; do echo "$i and some more words"; i=$((i+1)); done';
      await succeed(...RUN, '--log-opt', 'max-size=20kb', BUSYBOX, ...sh(script));
      const log = await host.readFile(await inspected('.HostConfig.LogConfig.Path'));
      expect(log.length).toBeLessThanOrEqual(20_480);
      expect(log).toMatch(/stdout F 2999 and some more words\n$/);
    });

    test('several clients see all, and the end of one’s input is that of the container', async () => {
      await succeed(...RUN, '-d', '-i', BUSYBOX, ...sh('cat; echo over; exit 5'));
      await using first = spawn('attach', NAME);
      await using second = spawn('attach', NAME);
      for (const client of [first, second]) {
        const sayOne = () => {
          first.write('one\n');
          return client.stdout;
        };
        await expect.poll(sayOne).toContain('one\n');
      }
      second.write('two\n');
      await expect.poll(() => first.stdout).toContain('two\n');
      first.endInput();
      for (const client of [first, second]) expect((await client.finish()).stdout).toMatch(/two\n[^]*over\n/);
      expect(await succeed('wait', NAME)).toBe('5');
    });

    test('a terminal is as large as was said last, also that of an exec', async () => {
      await using outer = host.spawn(['lichen', ...RUN, '-it', BUSYBOX, 'sh'], { env, tty: { rows: 31, columns: 101 } });
      outer.write('stty size\n');
      await outer.waitForOutput(/31 101\r\n/);
      resizeTerminal(host.path(`${host.runDir}/c/${await inspected('.Id')}/ctl`), { rows: 32, columns: 102 });
      const askSize = () => {
        outer.write('stty size\n');
        return outer.stdout;
      };
      await expect.poll(askSize).toContain('32 102\r\n');
      const inner = host.spawn(['lichen', 'exec', '-it', NAME, 'sh'], { env, tty: { rows: 41, columns: 111 } });
      inner.write('stty size; test -t 2 && exit 6\n');
      expect(await inner.finish()).toMatchObject({ stdout: expect.stringContaining('41 111\r\n'), exitCode: 6 });
      outer.write('exit 7\n');
      expect((await outer.finish()).exitCode).toBe(7);
    });

    test('a detached exec goes on without its caller, and one that cannot begin says why', async () => {
      await succeed(...RUN, '-d', BUSYBOX, 'sleep', '1000');
      await succeed('exec', '-d', NAME, ...sh('sleep 0.2; echo here >/tmp/done'));
      await expect.poll(() => lichen('exec', NAME, 'cat', '/tmp/done')).toMatchObject({ stdout: 'here\n' });
      expect(await lichen('exec', '-d', NAME, '/no/such')).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('/no/such') });
      const failed = await lichen('run', '--rm', '--network', 'none', BUSYBOX, '/no/such');
      expect(failed).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('/no/such') });
      const log = '--log-opt=path=/no/such/file';
      expect((await lichen('run', '--rm', '--network', 'none', log, BUSYBOX, 'true')).exitCode).not.toBe(0);
      expect(await succeed('ps', '--all', '--format', '{{.Names}}')).toBe(NAME);
    });

    test('a signal that ends the container is in its status; one to the monitor is the container’s to hear', async () => {
      await succeed(...RUN, '-d', BUSYBOX, 'sleep', '1000');
      await host.succeed(['kill', '--signal', 'KILL', NAME]);
      expect(await succeed('wait', NAME)).toBe('137');
      await removeNow(host, NAME);
      await succeed(...RUN, '-d', BUSYBOX, ...sh('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'));
      await expect.poll(() => lichen('logs', NAME)).toMatchObject({ stdout: 'ready\n' });
      await host.run(['kill', '-TERM', await inspected('.State.ConmonPid')]);
      expect(await succeed('wait', NAME)).toBe('9');
    });

    test('--timeout ends it', async () => {
      expect((await lichen(...RUN, '--timeout', '1', BUSYBOX, 'sleep', '1000')).exitCode).toBe(255);
      expect(await inspected('.State.Status')).toBe('exited');
    });

    test('waits in little memory, reaps what comes to it, and when it is killed the container can be stopped and removed', async () => {
      await succeed(...RUN, '-d', '--pid', 'host', BUSYBOX, ...sh('(sleep 0.2 &); exec sleep 1000'));
      const [container, monitor] = [await inspected('.State.Pid'), await inspected('.State.ConmonPid')];
      await expect.poll(() => monitorFile(`task/${monitor}/children`)).toBe(`${container} `);
      await expect
        .poll(async () => Number(/^Pss: +(\d+) kB$/m.exec(await monitorFile('smaps_rollup'))?.[1]))
        .toBeLessThan(MEMORY_KIB[make]);
      await host.run(['kill', '-KILL', monitor]);
      expect(await inspected('.State.Status')).toBe('running');
      expect(await succeed('exec', NAME, 'echo', 'up')).toBe('up');
      expect(await succeed('stop', '--time', '0', NAME)).toBe(NAME);
      expect(await succeed('start', NAME)).toBe(NAME);
      expect(await inspected('.State.Status')).toBe('running');
    });
  });
});
