/** stats: the shapes Podman prints, and numbers that move. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;
const HEADING = 'ID            NAME        CPU %       MEM USAGE / LIMIT  MEM %       NET IO';

describe.skipIf(!canRunContainers)('stats', () => {
  beforeAll(async () => {
    host = await loadedHost();
    await host.succeed(['run', '-d', '--name', 'busy', BUSYBOX, 'sh', '-c', 'while :; do :; done']);
    await host.succeed(['create', '--name', 'idle', BUSYBOX, 'true']);
  });
  afterAll(async () => {
    await host.lichen(['rm', '-a', '-f', '-t', '0']);
    await host[Symbol.asyncDispose]();
  });

  test('without names it shows what runs; --all and a name show one at rest, as zeros', async () => {
    const lines = (await host.succeed(['stats', '--no-stream'])).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ID {12}NAME {8}CPU % {7}MEM USAGE \/ LIMIT {2}MEM % {7}NET IO +BLOCK IO +PIDS +CPU TIME +AVG CPU %$/);
    expect(lines[1]).toMatch(/^[0-9a-f]{12} {2}busy +\d+\.\d\d% +\S+B \/ \S+B +\d+\.\d\d% +\S+ \/ \S+ +\S+ \/ \S+ +\d+ +\S+s +\d+\.\d\d%$/);
    const all = await host.succeed(['container', 'stats', '--no-stream', '--all']);
    expect(all.split('\n')).toHaveLength(3);
    const idle = (await host.succeed(['stats', '--no-stream', 'idle'])).split('\n');
    expect(idle[0]!.startsWith(HEADING)).toBe(true);
    expect(idle[1]).toMatch(/ {2}idle +0\.00% +0B \/ 0B +0\.00% +0B \/ 0B +0B \/ 0B +0 +0s +0\.00%$/);
  });

  test('--format json and templates, ids in full', async () => {
    const id = await host.succeed(['inspect', '-f', '{{.Id}}', 'busy']);
    const json = await host.succeed(['stats', '--no-stream', '--no-trunc', '--format', 'json', 'busy']);
    expect(json.startsWith('[\n {\n  "id": ')).toBe(true);
    const [row] = JSON.parse(json) as [Record<string, string>];
    expect(Object.keys(row)).toEqual([
      'id',
      'name',
      'cpu_time',
      'cpu_percent',
      'avg_cpu',
      'mem_usage',
      'mem_percent',
      'net_io',
      'block_io',
      'pids',
    ]);
    expect(row).toMatchObject({ id, name: 'busy', cpu_percent: expect.stringMatching(/^[1-9]\d*\.\d\d%$/) });
    expect(await host.succeed(['stats', '--no-stream', '--format', '{{.ContainerID}} {{.ID}} {{.Name}}', 'busy'])).toBe(
      `${id} ${id.slice(0, 12)} busy`,
    );
    expect(await host.succeed(['stats', '--no-stream', '--format', 'table {{.Name}} {{.PIDS}}', 'idle'])).toMatch(/^NAME +PIDS\nidle +0$/);
    const raw = JSON.parse(await host.succeed(['stats', '--no-stream', '--format', '{{json .}}', 'busy'])) as Record<string, unknown>;
    expect(raw).toMatchObject({ ContainerID: id, MemUsage: expect.any(Number), CPUNano: expect.any(Number) });
  });

  test('a stream looks again and again, and the time of the CPU grows', async () => {
    await using stream = host.spawnLichen(['stats', '-i', '1', '--no-reset', '--format', '{{.CPUNano}};', '-l'], {});
    await stream.waitForOutput(/0;\n0;\n/);
    await using busy = host.spawnLichen(['stats', '-i', '1', '--format', '{{.CPUNano}};', 'busy'], {});
    const [, first, second] = await busy.waitForOutput(/^(\d+);\n(\d+);\n/);
    expect(Number(second)).toBeGreaterThan(Number(first));
  });

  test('bad input', async () => {
    const refused = async (args: readonly string[], message: string): Promise<void> => {
      expect(await host.lichen(['stats', '--no-stream', ...args])).toMatchObject({
        exitCode: 125,
        stdout: '',
        stderr: `Error: ${message}\n`,
      });
    };
    await refused(['-i', '0', 'busy'], 'invalid interval, must be a positive number greater zero');
    await refused(['-a', 'busy'], '--all, --latest and containers cannot be used together');
    await refused(['-a', '-l'], '--all, --latest and containers cannot be used together');
    await refused(
      ['nosuch'],
      'unable to get list of containers: unable to look up container nosuch: no container with name or ID "nosuch" found: no such container',
    );
    expect(await host.lichen(['stats', '--no-stream', '--format', '{{.Foo}}', 'busy'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining(`can't evaluate field Foo in type containers.containerStats`),
    });
  });
});
