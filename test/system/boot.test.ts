/** Restart policies across a boot: started by the user's systemd, or by the next command. */
import { expect, test, describe } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canShapeHosts } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { reboot } from '../host/reboot.ts';
import { canRunSystemd } from '../host/systemd.ts';

const LONG = { timeout: 20_000 };
const UNIT = 'lichen-restart.service';

const start = (host: TestHost, name: string, ...flags: readonly string[]) =>
  host.lichen(['run', '-d', `--name=${name}`, '--network=none', '--stop-timeout=0', ...flags, BUSYBOX, 'sleep', '1000']);
const running = async (host: TestHost, ...globals: readonly string[]) =>
  (await host.succeed([...globals, 'ps', '--format', '{{.Names}}'])).split('\n').toSorted().join(' ');
const unitFile = (host: TestHost) => `${host.user.home}/.config/systemd/user/${UNIT}`;
const systemctl = async (host: TestHost, ...words: readonly string[]) => {
  const { stdout, stderr } = await host.run(['systemctl', '--user', ...words]);
  return (stdout + stderr).trim();
};

/** One for each policy, running, and three that somebody stopped. */
async function startAll(host: TestHost): Promise<void> {
  for (const policy of ['always', 'unless-stopped', 'on-failure', 'no']) {
    await start(host, policy, `--restart=${policy}`);
    await start(host, `stopped-${policy}`, `--restart=${policy}`);
    await host.succeed(['stop', '-t0', `stopped-${policy}`]);
  }
  await host.succeed(['create', '--name=never', '--restart=always', BUSYBOX, 'true']);
}

const STARTED = 'always stopped-always unless-stopped';

describe.skipIf(!canRunContainers || !canShapeHosts)('without systemd, the first command after the boot', () => {
  test('has started what is to run again, once, whatever it was asked for and however many they are', async () => {
    await using host = await loadedHost();
    await startAll(host);
    await host.run(['mkdir', '/tmp/gone']);
    await start(host, 'broken', '--restart=always', '--volume=/tmp/gone:/gone');
    await host.asRoot(['rm', '-rf', '/tmp/gone']);
    await reboot(host);
    const first = await Promise.all([1, 2, 3].map(() => host.lichen(['volume', 'ls', '-q'])));
    expect(first.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(first.map(() => ({ exitCode: 0, stderr: '' })));
    await expect.poll(() => running(host), LONG).toBe(STARTED);
    const state = '{{.State.Status}} {{.State.Error}}';
    await expect.poll(() => host.succeed(['inspect', '-f', state, 'broken']), LONG).toMatch(/^exited .*\/tmp\/gone/);
    await expect.poll(() => host.processes().filter(({ command }) => command.includes('--after-boot')), LONG).toEqual([]);
    const events = await host.succeed([
      'events',
      '--stream=false',
      '--filter=event=start',
      '--filter=event=refresh',
      '--format={{.Status}} {{.Name}}',
    ]);
    const since = events.split('\n');
    expect(since.slice(since.lastIndexOf('refresh ') + 1).toSorted()).toEqual(STARTED.split(' ').map((name) => `start ${name}`));
    // What is done is done.
    await host.succeed(['stop', '-t0', 'always', 'unless-stopped']);
    expect(await running(host)).toBe('stopped-always');
    await removeNow(host, '--all');
  });

  test('begins again what a killed one has left', async () => {
    await using host = await loadedHost();
    await start(host, 'c', '--restart=always');
    await reboot(host);
    // While somebody holds the lock, he is at it.
    await host.run(['mkdir', '-m', '700', host.runDir]);
    const holder = host.spawn(sh(`exec 9>${host.runDir}/after-boot; flock 9; echo held; read line`));
    await holder.waitForOutput(/held/);
    expect(await running(host)).toBe('');
    await holder[Symbol.asyncDispose]();
    await expect.poll(() => running(host), LONG).toBe('c');
    await removeNow(host, 'c');
  });

  test('does nothing where nothing is to run again', async () => {
    await using host = await loadedHost();
    await start(host, 'c', '--restart=unless-stopped');
    await host.succeed(['kill', 'c']);
    await reboot(host);
    const { stderr } = await host.lichen(['--log-level=debug', 'ps']);
    expect(stderr).not.toContain('after-boot');
    expect(await host.succeed(['ps', '-a', '--format', '{{.Names}} {{.State}}'])).toBe('c exited');
    await removeNow(host, 'c');
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd)('with systemd', () => {
  test('one unit starts them with the session and stops them with it', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    expect(await start(host, 'first', '--restart=on-failure')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await start(host, 'second', '--restart=always')).toMatchObject({
      exitCode: 0,
      stderr: `Containers with a restart policy start again after a reboot: ${unitFile(host)}\n`,
    });
    expect(await host.run(['systemd-analyze', '--user', 'verify', unitFile(host)])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    await removeNow(host, 'first', 'second');
    await startAll(host);
    expect(await systemctl(host, 'is-enabled', UNIT)).toBe('enabled');
    expect(await systemctl(host, 'is-active', UNIT)).toBe('inactive');
    await reboot(host, { systemd: true });
    await expect.poll(() => systemctl(host, 'is-active', UNIT), LONG).toBe('active');
    expect(await running(host)).toBe(STARTED);
    await systemctl(host, 'stop', UNIT);
    expect(await running(host)).toBe('');
    // The machine's going down is nobody's stop.
    await systemctl(host, 'start', UNIT);
    expect(await running(host)).toBe(STARTED);
    await removeNow(host, '--all');
  });

  test('a command that comes first leaves it to the unit', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await start(host, 'c', '--restart=always');
    await host.run(['mv', unitFile(host), '/tmp/kept']);
    await reboot(host, { systemd: true });
    await host.run(['mv', '/tmp/kept', unitFile(host)]);
    expect(await systemctl(host, 'is-active', UNIT)).toBe('inactive');
    expect(await running(host)).toBe('');
    await expect.poll(() => systemctl(host, 'is-active', UNIT), LONG).toBe('active');
    expect(await running(host)).toBe('c');
    await removeNow(host, 'c');
  });

  test('a unit that is disabled or somebody’s own is obeyed; one of a lichen that has moved is written anew', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await start(host, 'c', '--restart=always');
    const ours = await host.readFile(unitFile(host));
    await host.writeFile(unitFile(host), ours.replaceAll('/opt/lichen', '/old'));
    await systemctl(host, 'disable', UNIT);
    expect(await host.lichen(['restart', '-t0', 'c'])).toMatchObject({ exitCode: 0, stderr: '' });
    await host.succeed(['stop', '-t0', 'c']);
    expect(await host.lichen(['start', 'c'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await host.readFile(unitFile(host))).toBe(ours);
    expect(await systemctl(host, 'is-enabled', UNIT)).toBe('disabled');
    await reboot(host, { systemd: true });
    expect(await running(host)).toBe('');
    await host.succeed(['start', 'c']);
    expect(await systemctl(host, 'is-active', UNIT)).toBe('inactive');
    await host.writeFile(unitFile(host), '[Service]\nExecStart=/bin/true\n');
    await removeNow(host, 'c');
    expect(await start(host, 'c', '--restart=always')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await host.readFile(unitFile(host))).toBe('[Service]\nExecStart=/bin/true\n');
    await host.succeed(['system', 'reset', '--force']);
    expect(await host.readFile(unitFile(host))).toBe('[Service]\nExecStart=/bin/true\n');
  });

  test('system reset removes it; a store with a place of its own has none and is started by its next command', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await start(host, 'c', '--restart=always');
    await host.succeed(['system', 'reset', '--force']);
    expect((await host.run(['ls', '-R', `${host.user.home}/.config/systemd`])).stdout).not.toContain(UNIT);
    const own = { store: '/tmp/own', runDir: '/tmp/own-run' };
    const globals = [`--root=${own.store}`, `--runroot=${own.runDir}`];
    await host.run(sh('mkdir -m 700 /tmp/own /tmp/own-run'));
    await host.run(sh(`tar -C / -c bin/busybox | lichen ${globals.join(' ')} import - own`));
    const { stderr } = await host.lichen([
      ...globals,
      'run',
      '-d',
      '--name=c',
      '--network=none',
      '--restart=always',
      'own',
      '/bin/busybox',
      'sleep',
      '1000',
    ]);
    expect(stderr).toBe('');
    await reboot(host, { ...own, systemd: true });
    expect(await running(host, ...globals)).toBe('');
    await expect.poll(() => running(host, ...globals), LONG).toBe('c');
    const monitor = await host.succeed([...globals, 'inspect', '-f', '{{.State.ConmonPid}}', 'c']);
    expect(await host.readFile(`/proc/${monitor}/cgroup`)).toMatch(/\.scope$/m);
    await host.succeed([...globals, 'rm', '-f', '-t0', 'c']);
  });

  test('a home that cannot be written is no failure', async () => {
    await using host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await host.writeFile(`${host.user.home}/.config/systemd`, '');
    expect(await start(host, 'c', '--restart=always')).toMatchObject({ exitCode: 0, stderr: '' });
    await removeNow(host, 'c');
  });
});
