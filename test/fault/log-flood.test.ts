/** A container that prints 200 MB as fast as it can: no line is lost, and nobody's memory grows with it. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { onOwnMonitor } from '../host/makes.ts';
import { peakMemoryMib } from '../host/memory.ts';

const LINES = 100_000;
const LINE_BYTES = 2000;
const MAX_SIZE = 10_000_000;
/** A Node process: what it takes for nothing, and a few blocks. */
const WRITER_MIB = 90;
/** conmon takes 2 MiB. */
const MONITOR_MIB = onOwnMonitor ? WRITER_MIB : 16;
/** What `logs` may take for the last nine tenths of a log beyond what it took for the first. */
const GROWTH_MIB = 40;

const FLOOD = `awk 'BEGIN { pad = sprintf("%${LINE_BYTES - 8}s", ""); for (i = 0; i < ${LINES}; i++) printf "%07d%s\\n", i, pad }'
touch /tmp/done; exec sleep 1000`;
const PAD = ' '.repeat(LINE_BYTES - 8);
const line = (number: number) => `${String(number).padStart(7, '0')}${PAD}\n`;

/** Reads all lines from a FIFO, a tenth first and the rest when it is told to, and tells their digest. */
const READER = `exec 3< /tmp/fifo
take() { dd bs=${LINE_BYTES * 5} count="$1" iflag=fullblock <&3 2>/dev/null; }
{ take ${LINES / 50}; echo paused >&2; read -r go; take ${(LINES / 50) * 9}; } | sha256sum`;

function digestOfAll(): string {
  const digest = createHash('sha256');
  for (let number = 0; number < LINES; number++) digest.update(line(number));
  return digest.digest('hex');
}

describe.skipIf(!canRunContainers)('a flood of output', () => {
  let host: TestHost;
  const flood = (...options: readonly string[]) =>
    host.succeed(['run', '-d', '--name=flood', '--network=none', ...options, BUSYBOX, ...sh(FLOOD)]);
  const ended = () =>
    expect
      .poll(async () => (await host.lichen(['exec', 'flood', 'test', '-e', '/tmp/done'])).exitCode, { timeout: 60_000, interval: 100 })
      .toBe(0);
  const writers = () => host.processes().filter(({ command }) => command.includes('json-log-main'));
  const inspected = (format: string) => host.succeed(['inspect', '-f', format, 'flood']);
  const monitorMib = async () => peakMemoryMib(host.path(`/proc/${await inspected('{{.State.ConmonPid}}')}`));

  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(() => removeNow(host, 'flood'));
  afterAll(() => host[Symbol.asyncDispose]());

  test('is kept whole, and streams to a reader who is slower', async () => {
    await flood('--log-driver=k8s-file');
    await host.run(['mkfifo', '/tmp/fifo']);
    await using reader = host.spawn(['sh', '-c', READER]);
    await using following = host.spawn(['sh', '-c', 'exec lichen logs -f flood > /tmp/fifo']);
    const readerMib = () => peakMemoryMib(`/proc/${following.pid}`);
    await reader.waitForOutput(/paused/, { timeoutMs: 60_000 });
    const early = readerMib();
    await ended();
    reader.write('go\n');
    expect((await reader.finish()).stdout).toBe(`${digestOfAll()}  -\n`);
    expect(early).toBeGreaterThan(20);
    expect(readerMib() - early).toBeLessThan(GROWTH_MIB);
    expect(await monitorMib()).toBeGreaterThan(0.5);
    expect(await monitorMib()).toBeLessThan(MONITOR_MIB);
    await removeNow(host, 'flood');
    expect((await following.finish()).exitCode).toBe(0);
  });

  test.each(['k8s-file', 'json-file'])('with --log-driver %s and --log-opt max-size keeps its end, without a gap', async (driver) => {
    await flood(`--log-driver=${driver}`, '--log-opt', `max-size=${MAX_SIZE}`);
    await ended();
    for (const { pid } of writers()) expect(peakMemoryMib(host.path(`/proc/${pid}`))).toBeLessThan(WRITER_MIB);
    expect(writers()).toHaveLength(driver === 'json-file' && !onOwnMonitor ? 1 : 0);
    expect(await monitorMib()).toBeLessThan(MONITOR_MIB);
    await host.succeed(['stop', '-t', '0', 'flood']);
    expect(statSync(host.path(await inspected('{{.HostConfig.LogConfig.Path}}'))).size).toBeLessThanOrEqual(MAX_SIZE);
    const kept = (await host.lichen(['logs', 'flood'])).stdout;
    const count = kept.length / LINE_BYTES;
    expect(count).toBeGreaterThan(0);
    expect(kept === Array.from({ length: count }, (_, index) => line(LINES - count + index)).join('')).toBe(true);
  });
});
