/** systemd as the first process of a container, of the machine's own root: it boots, runs services, and ends when it is told to. */
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { removeNow, sh } from '../host/loaded.ts';

const SYSTEMD = '/lib/systemd/systemd';
const BOOT = { timeout: 60_000, interval: 500 };

describe.skipIf(!canShapeHosts || !existsSync(SYSTEMD))('systemd in a container', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await testHost({ bareUsr: true });
  });
  afterEach(() => removeNow(host, 'booted'));
  afterAll(() => host[Symbol.asyncDispose]());

  const inside = (...argv: readonly string[]) => host.lichen(['exec', 'booted', ...argv]);
  const state = async () => (await inside('systemctl', 'is-system-running')).stdout.trim();
  const boot = (...flags: readonly string[]) =>
    host.succeed(['run', '-d', '--name=booted', '--network=none', ...flags, '--rootfs', '/:O', SYSTEMD]);

  test.each([['--systemd=always'], ['--systemd=true'], ['-t']])('boots with %s, runs services, and stops cleanly', async (flag) => {
    await boot(flag);
    await expect.poll(state, BOOT).toMatch(/^(running|degraded)$/);
    expect((await inside('cat', '/proc/1/comm')).stdout).toBe('systemd\n');
    // A service of type simple counts as started before its program has run: what it writes is waited for.
    const service = await inside(
      ...sh('systemd-run --quiet --unit=one --property=RemainAfterExit=yes sh -c "echo made > /run/by-service"'),
    );
    expect(service).toMatchObject({ stderr: '', exitCode: 0 });
    await expect.poll(() => inside('cat', '/run/by-service')).toMatchObject({ stdout: 'made\n' });
    expect((await inside('systemctl', 'is-active', 'one')).stdout).toBe('active\n');
    expect((await inside('cat', '/run/systemd/container')).stdout.trim()).toBe('podman');
    // By the signal that halts systemd: SIGTERM would have it start anew.
    expect(await host.lichen(['stop', '--time', '60', 'booted'])).toMatchObject({ stdout: 'booted\n', stderr: '', exitCode: 0 });
    expect(await host.succeed(['inspect', '-f', '{{.State.Status}} {{.Config.StopSignal}}', 'booted'])).toBe('exited SIGRTMIN+3');
  });

  test('without, it says what it misses, and ends', async () => {
    await boot('--systemd=false');
    await expect.poll(() => host.succeed(['inspect', '-f', '{{.State.Running}}', 'booted']), BOOT).toBe('false');
  });
});
