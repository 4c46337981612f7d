/** Health checks by timers of a real `systemd --user`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { canRunSystemd } from '../host/systemd.ts';

const LONG = { timeout: 20_000 };
let host: TestHost;

const start = (name: string, flags: readonly string[], command: readonly string[] = ['sleep', '1000']) =>
  host.succeed(['run', '-d', `--name=${name}`, '--network=none', '--stop-timeout=0', ...flags, BUSYBOX, ...command]);
const every = (interval: string, check: string) => [`--health-interval=${interval}`, `--health-cmd=${check}`];
const inspect = (name: string, field: string) => host.succeed(['inspect', '-f', `{{.${field}}}`, name]);
const loops = () => host.processes().filter(({ command }) => command.includes('health-lo'));

async function systemctl(...words: readonly string[]): Promise<string> {
  return (await host.run(['systemctl', '--user', '--no-legend', '--plain', ...words])).stdout.trim();
}

/** Units of health checks that systemd knows, without their random ends. */
async function units(kind: 'timer' | 'service'): Promise<readonly string[]> {
  const lines = (await systemctl('list-units', '--all', `--type=${kind}`)).split('\n').map((line) => line.split(' ')[0]!);
  return lines.flatMap((line) => /^([0-9a-f]{64}.*)-[0-9a-f]{16}\.\w+$/.exec(line)?.[1] ?? []);
}

const timers = () => units('timer');

async function noneLeft(): Promise<void> {
  await expect.poll(timers, LONG).toEqual([]);
  await expect.poll(() => units('service'), LONG).toEqual([]);
}

describe.skipIf(!canRunContainers || !canRunSystemd)('health checks under systemd', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a timer goes with each run, ends with a pause, and follows an update', async () => {
    const id = await start('t', [...every('1s', 'test -f /ok'), '--health-retries=1']);
    expect(await timers()).toEqual([id]);
    expect(loops()).toEqual([]);
    await host.succeed(['wait', '--condition=unhealthy', 't']);
    await host.succeed(['exec', 't', 'touch', '/ok']);
    await host.succeed(['wait', '--condition=healthy', 't']);
    await host.succeed(['pause', 't']);
    expect(await timers()).toEqual([]);
    await host.succeed(['unpause', 't']);
    expect(await timers()).toEqual([id]);
    await host.succeed(['update', '--health-interval=1h', 't']);
    expect(await timers()).toEqual([id]);
    expect(await systemctl('show', '--property=TimersMonotonic', `${id}-*.timer`)).toContain('OnUnitInactiveUSec=1h ;');
    await host.succeed(['update', '--no-healthcheck', 't']);
    expect(await timers()).toEqual([]);
    await host.succeed(['update', ...every('1h', 'true'), 't']);
    await host.succeed(['restart', 't']);
    expect(await timers()).toEqual([id]);
    await host.succeed(['stop', 't']);
    await noneLeft();
    await host.succeed(['start', 't']);
    expect(await timers()).toEqual([id]);
    await removeNow(host, 't');
    await noneLeft();
  });

  test('only what is to be checked by itself has one; it ends when the container ends by itself', async () => {
    await start('d', every('disable', 'true'));
    await host.succeed(['pause', 'd']);
    await host.succeed(['unpause', 'd']);
    expect(await timers()).toEqual([]);
    const id = await start('e', every('1h', 'touch /seen'), sh('while ! test -f /seen; do sleep 0.1; done'));
    await host.succeed(['wait', 'e']);
    await noneLeft();
    expect(await inspect('e', 'Id')).toBe(id);
    await removeNow(host, 'd', 'e');
  });

  test('startup checks have one of their own, which the regular one follows', async () => {
    const startup = ['--health-startup-cmd=test -f "$HOME/up"', '--health-startup-interval=1s'];
    const id = await start('s', ['--env=HOME=/root', ...every('1s', 'test -f /ok'), '--health-retries=1', ...startup]);
    expect(await timers()).toEqual([`${id}-startup`]);
    await host.succeed(['exec', 's', ...sh('mkdir -p /root; touch /root/up')]);
    await expect.poll(timers, LONG).toEqual([id]);
    await host.succeed(['wait', '--condition=unhealthy', 's']);
    await host.succeed(['exec', 's', 'touch', '/ok']);
    await host.succeed(['wait', '--condition=healthy', 's']);
    await removeNow(host, 's');
    await noneLeft();
  });

  test.each([
    ['kill', /^Exited \(137\) .* \(unhealthy\)$/],
    ['stop', /^Exited \(137\) .* \(unhealthy\)$/],
  ])('--health-on-failure %s', async (action, status) => {
    await start('f', [...every('1h', 'false'), '--health-retries=1', `--health-on-failure=${action}`]);
    await expect.poll(() => host.succeed(['ps', '-a', '--format', '{{.Status}}']), LONG).toMatch(status);
    await noneLeft();
    await removeNow(host, 'f');
  });

  test('--health-on-failure restart: the container that is started outlives the check, and has one timer', async () => {
    const once = 'test -f /seen || { touch /seen; false; }';
    const id = await start('r', [...every('1s', once), '--health-retries=1', '--health-on-failure=restart']);
    await host.succeed(['wait', '--condition=healthy', 'r']);
    await expect.poll(() => inspect('r', 'RestartCount'), LONG).toBe('1');
    expect(await timers()).toEqual([id]);
    const cgroup = await host.readFile(`/proc/${await inspect('r', 'State.ConmonPid')}/cgroup`);
    expect(cgroup).toMatch(/\.scope$/m);
    await systemctl('stop', `${id}-*.service`);
    expect(await inspect('r', 'State.Running')).toBe('true');
    await removeNow(host, 'r');
    await noneLeft();
  });

  test('when monitor and container are killed, the next check finds it and ends its timer', async () => {
    await start('k', every('1s', 'true'));
    await host.succeed(['wait', '--condition=healthy', 'k']);
    await host.asRoot(['kill', '-9', await inspect('k', 'State.ConmonPid'), await inspect('k', 'State.Pid')]);
    await expect.poll(timers, LONG).toEqual([]);
    await removeNow(host, 'k');
    await noneLeft();
  });

  test('a store that is gone leaves no timer', async () => {
    await start('g', every('1s', 'true'));
    const pids = [await inspect('g', 'State.ConmonPid'), await inspect('g', 'State.Pid')];
    await host.succeed(['unshare', 'mv', host.store, `${host.store}.away`]);
    await host.asRoot(['kill', '-9', ...pids]);
    await noneLeft();
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd)('where systemd cannot make a timer', () => {
  test.each([
    ['there is no systemd-run', ['systemd-run'], async () => {}],
    [
      'the manager has been killed',
      [],
      async (own: TestHost) => {
        const managers = own.processes().filter(({ command }) => command === '/usr/lib/systemd/systemd --user');
        await own.asRoot(['kill', '-9', ...managers.map(({ pid }) => String(pid))]);
        await expect.poll(() => own.processes().filter(({ command }) => command === '/usr/lib/systemd/systemd --user')).toEqual([]);
      },
    ],
  ] as const)('the loop takes over silently: %s', async (_why, without, prepare) => {
    await using own = await loadedHost(['busybox'], { systemd: true, allowLeaks: true, without });
    await prepare(own);
    const words = [
      'run',
      '-d',
      '--name=c',
      '--network=none',
      '--cgroup-manager=cgroupfs',
      ...every('1s', 'true'),
      BUSYBOX,
      'sleep',
      '1000',
    ];
    expect(await own.lichen(words)).toMatchObject({ exitCode: 0, stderr: '' });
    await own.succeed(['wait', '--condition=healthy', 'c']);
    expect(own.processes().some(({ command }) => command.includes('health-loop'))).toBe(true);
    await removeNow(own, 'c');
  });
});
