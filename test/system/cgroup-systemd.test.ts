/** `--cgroup-manager systemd`: a container is a scope of the user's systemd, whichever runtime makes it. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../host/search.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import type { CommandResult, TestHost } from '../host/host.ts';
import { canRunSystemd } from '../host/systemd.ts';

const NAME = 'scoped';
const SYSTEMD = ['--cgroup-manager', 'systemd'];

let host: TestHost;

const shown = async (unit: string, property: string) =>
  (await host.run(['systemctl', '--user', 'show', '--value', '--property', property, unit])).stdout.trim();
const cgroupOf = async () => {
  const pid = await host.succeed(['inspect', '--format', '{{.State.Pid}}', NAME]);
  return /^0::(.*)$/m.exec(readFileSync(host.path(`/proc/${pid}/cgroup`), 'latin1'))?.[1] ?? '';
};

describe.skipIf(!canRunContainers || !canRunSystemd)('cgroups made by systemd', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true });
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(() => removeNow(host, NAME));

  describe.each(['crun', 'embedded'])('for %s', (runtime) => {
    if (runtime === 'crun' && findProgram('crun') === undefined) return;
    const lichen = (...args: readonly string[]): Promise<CommandResult> => host.lichen([...SYSTEMD, '--runtime', runtime, ...args]);

    test('a container lives in a scope of its name, all its processes do, and the scope ends with it', async () => {
      const { stdout, stderr } = await lichen('run', '-d', '--name', NAME, '--network=none', BUSYBOX, 'sleep', '1000');
      const unit = `libpod-${stdout.trim()}.scope`;
      expect(await cgroupOf(), stderr).toMatch(new RegExp(`/user\\.slice/${unit}/container$`));
      expect([await shown(unit, 'ActiveState'), await shown(unit, 'Delegate'), await shown(unit, 'Slice')]).toEqual([
        'active',
        'yes',
        'user.slice',
      ]);
      expect(await lichen('exec', NAME, ...sh('tail -n1 /proc/self/cgroup'))).toMatchObject({ stdout: '0::/\n' });
      expect(await lichen('pause', NAME)).toMatchObject({ exitCode: 0 });
      expect(await host.succeed(['inspect', '--format', '{{.State.Status}}', NAME])).toBe('paused');
      await host.succeed(['unpause', NAME]);
      expect(await lichen('stop', '-t0', NAME)).toMatchObject({ exitCode: 0 });
      await expect.poll(() => shown(unit, 'ActiveState')).toBe('inactive');
      expect(await lichen('run', '--rm', '--network=none', BUSYBOX, ...sh('exit 3'))).toMatchObject({ exitCode: 3, stderr: '' });
    });

    test('RUN of a build is below --cgroup-parent, and else where the build is', async () => {
      const dockerfile = { input: `FROM ${BUSYBOX}\nRUN tail -n1 /proc/self/cgroup\n` };
      const words = [...SYSTEMD, '--runtime', runtime, 'build', '--no-cache', '--network=none', '--cgroupns=host'];
      const place = async (...flags: readonly string[]) => {
        const { exitCode, stdout, stderr } = await host.lichen([...words, ...flags, '-'], dockerfile);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
        return /^0::.*$/m.exec(stdout)?.[0];
      };
      expect(await place('--cgroup-parent=own.slice')).toMatch(/\/own\.slice\/libpod-[0-9a-f]{64}\.scope/);
      expect(await place()).not.toContain('libpod-');
    });

    test('--cgroup-parent is a slice, annotations set properties of the scope, and wrong ones are errors', async () => {
      const flags = ['--cgroup-parent=own.slice', '--annotation=org.systemd.property.RuntimeMaxUSec=uint64 3600000000'];
      const { stdout } = await lichen('run', '-d', '--name', NAME, '--network=none', ...flags, BUSYBOX, 'sleep', '1000');
      const unit = `libpod-${stdout.trim()}.scope`;
      expect([await shown(unit, 'Slice'), await shown(unit, 'RuntimeMaxUSec')]).toEqual(['own.slice', '1h']);
      await removeNow(host, NAME);
      const refused = await lichen('run', '--rm', '--network=none', '--annotation=org.systemd.property.NoSuch=1', BUSYBOX, 'true');
      expect(refused).toMatchObject({ exitCode: 126, stderr: expect.stringMatching(/^Error: .*NoSuch/) });
      expect(await lichen('create', '--cgroup-parent=own', BUSYBOX)).toMatchObject({
        exitCode: 125,
        stderr: 'Error: did not receive systemd slice as cgroup parent when using systemd to manage cgroups: invalid argument\n',
      });
    });

    test('limits whose controllers are not delegated are an error that names what mends it, in update as well', async ({ skip }) => {
      skip((await host.run(['cat', '/sys/fs/cgroup/cgroup.controllers'])).stdout.includes('memory'), 'the controller is delegated here');
      const limits = ['--memory', '100m'];
      const refused = {
        stderr: expect.stringContaining('--memory cannot be applied: the cgroup controller memory is not available\nAs root: '),
      };
      expect(await lichen('run', '--rm', '--network=none', ...limits, BUSYBOX, 'true')).toMatchObject({ exitCode: 126, ...refused });
      await lichen('run', '-d', '--name', NAME, '--network=none', BUSYBOX, 'sleep', '1000');
      expect(await lichen('update', ...limits, NAME)).toMatchObject({ exitCode: 125, ...refused });
      expect(await host.succeed(['inspect', '--format', '{{.HostConfig.Memory}} {{.State.Status}}', NAME])).toBe('0 running');
    });
  });
});

describe.skipIf(!canRunContainers)('where no systemd answers', () => {
  test.each(['crun', 'embedded'])('a container of %s runs without it, which is said', async (runtime) => {
    await using own = await loadedHost(['busybox']);
    const ran = await own.lichen([...SYSTEMD, '--runtime', runtime, 'run', '--rm', '--network=none', BUSYBOX, 'echo', 'ran']);
    expect(ran).toMatchObject({
      exitCode: 0,
      stdout: 'ran\n',
      stderr: expect.stringMatching(/cgroups are to be made by systemd .*\(cgroupfs\)/),
    });
    expect((await own.lichen([...SYSTEMD, 'info', '--format', '{{.Host.CgroupManager}}'])).stdout).toBe('cgroupfs\n');
    expect(await own.lichen(['--cgroup-manager=cgroupfs', 'create', '--cgroup-parent=own.slice', BUSYBOX])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: systemd slice received as cgroup parent when using cgroupfs: invalid argument\n',
    });
  });
});
