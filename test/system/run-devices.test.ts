/** Devices of the Container Device Interface, GPUs, and limits and rules for single devices. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const SPEC = {
  cdiVersion: '0.6.0',
  kind: 'vendor.com/class',
  containerEdits: { env: ['ALL=1'] },
  devices: [
    {
      name: 'one',
      containerEdits: {
        env: ['FOO=bar'],
        deviceNodes: [{ path: '/dev/wanted', hostPath: '/dev/zero' }],
        mounts: [{ hostPath: '/tmp/cdi/library', containerPath: '/usr/lib/vendor', options: ['ro', 'bind', 'nosuid'] }],
        hooks: [{ hookName: 'createContainer', path: '/bin/sh', args: ['sh', '-c', 'echo called >> /tmp/hooked'] }],
      },
    },
    { name: 'broken', containerEdits: { mounts: [{ hostPath: '/no/such', containerPath: '/x' }] } },
  ],
};
const YAML = 'cdiVersion: 0.6.0\nkind: other.org/thing\ndevices:\n  - name: "0"\n    containerEdits:\n      env: [THING=0]\n';

let host: TestHost;
const env = { CONTAINERS_CONF_OVERRIDE: '/tmp/cdi.conf' };

function run(flags: readonly string[], script = 'true') {
  return host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)], { env });
}

describe.skipIf(!canRunContainers)('devices', () => {
  beforeAll(async () => {
    host = await loadedHost();
    await host.writeFile('/tmp/cdi.conf', '[engine]\ncdi_spec_dirs = ["/tmp/none", "/tmp/cdi"]\n');
  });
  beforeEach(async () => {
    await host.run(['rm', '-rf', '/tmp/cdi']);
    await host.writeFile('/tmp/cdi/library', 'a library\n');
    await host.writeFile('/tmp/cdi/vendor.json', JSON.stringify(SPEC));
    await host.writeFile('/tmp/cdi/other.yaml', YAML);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a CDI device brings its node, mounts, variables and hooks', async () => {
    const script =
      'echo $ALL $FOO; head -c 3 /dev/wanted | wc -c; cat /usr/lib/vendor; echo x 2>/dev/null > /usr/lib/vendor || echo closed';
    const { stdout, exitCode } = await run(['--device=vendor.com/class=one', '-e', 'FOO=mine'], script);
    expect({ stdout, exitCode }).toEqual({ stdout: '1 bar\n3\na library\nclosed\n', exitCode: 0 });
    expect(await host.readFile('/tmp/hooked')).toBe('called\n');
  });

  test('specifications may be YAML, and several devices add up', async () => {
    const { stdout } = await run(['--device=vendor.com/class=one', '--device', 'other.org/thing=0'], 'echo $ALL $FOO $THING');
    expect(stdout).toBe('1 bar 0\n');
  });

  test('--cdi-spec-dir goes before the directories of containers.conf', async () => {
    const options = ['--cdi-spec-dir=/tmp/cdi'];
    const flags = ['--network=none', '--device=other.org/thing=0'];
    expect(await host.succeed([...options, 'run', '--rm', ...flags, BUSYBOX, ...sh('echo $THING')])).toBe('0');
    expect(await host.lichen(['run', '--rm', ...flags, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('unresolvable CDI devices other.org/thing=0'),
    });
    await host.succeed(['create', '--name=later', ...flags, BUSYBOX, ...sh('echo $THING')]);
    expect(await host.succeed([...options, 'start', '-a', 'later'])).toBe('0');
    await removeNow(host, 'later');
  });

  test('devices that nobody describes are all named; a specification that is no such thing is passed over with a warning', async () => {
    expect(await run(['--device=vendor.com/class=none', '--device=x.com/a=b', '--gpus=all'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(
        /^Error: setting up CDI devices: unresolvable CDI devices vendor\.com\/class=none, x\.com\/a=b, nvidia\.com\/gpu=all\n/,
      ),
    });
    expect(await host.succeed(['ps', '-aq'])).toBe('');
    await host.writeFile('/tmp/cdi/bad.json', '{"kind": "vendor.com/class", "devices": [{"name": 5}]}');
    await host.writeFile('/tmp/cdi/worse.json', '{');
    const odd = await run(['--device=other.org/thing=0'], 'echo $THING');
    expect(odd).toMatchObject({
      stdout: '0\n',
      exitCode: 0,
      stderr: expect.stringContaining('bad.json: devices[0].name must be a string'),
    });
    expect(odd.stderr).toContain('worse.json');
    expect(await run(['--device=vendor.com/class=broken'])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('/no/such') });
    expect(await run(['--gpus=device=0'])).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('nvidia.com/gpu=device=0') });
    expect(await run(['--gpus='])).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ['--device-read-bps=/dev/null', 'bad format: /dev/null'],
    ['--device-write-bps=null:1', 'bad format for device path: null:1'],
    [
      '--device-read-bps=/dev/null:xx',
      'invalid rate for device: /dev/null:xx. The correct format is <device-path>:<number>[<unit>]. Number',
    ],
    ['--device-write-iops=/dev/null:1mb', 'invalid rate for device: /dev/null:1mb. The correct format is <device-path>:<number>. Number'],
    ['--device-read-iops=/dev/null:1', '/dev/null: not a block device'],
    ['--device-write-bps=/dev/none-such:1', 'could not parse device /dev/none-such: no such file or directory'],
    ['--blkio-weight-device=/dev/null:9', 'invalid weight for device: /dev/null:9'],
    ['--blkio-weight-device=/dev/null:x', 'invalid weight for device: /dev/null:x'],
    ['--blkio-weight-device=/dev/none-such:10', "failed to inspect '/dev/none-such' in --blkio-weight-device: no such file or directory"],
    ['--device-cgroup-rule=c 1:3', 'invalid device cgroup rule requires type, major:Minor, and access rules: "c 1:3"'],
    ['--device-cgroup-rule=x 1:3 r', 'invalid device type in device-access-add: x'],
    ['--device-cgroup-rule=c a:3 r', 'strconv.ParseUint: parsing "a": invalid syntax'],
    ['--device-cgroup-rule=c 1:3 q', 'invalid device access in device-access-add: q'],
    ['--cgroup-conf=foo', '--cgroup-conf must be formatted KEY=VALUE'],
  ])('%s is refused', async (flag, words) => {
    expect(await run([flag])).toMatchObject({ exitCode: 125, stderr: expect.stringContaining(`Error: ${words}`), stdout: '' });
  });

  test('rules for devices are for root alone', async () => {
    expect(await run(['--device-cgroup-rule=c 1:3 rwm'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: device cgroup rules are not supported in rootless mode or in a user namespace\n',
    });
  });

  test('inspect shows limits of devices and files of the cgroup', async () => {
    const flags = ['--blkio-weight-device=/dev/null:100', '--cgroup-conf=memory.high=5', '--cgroup-conf', 'pids.max=7'];
    await host.succeed(['create', '--name=limited', '--network=none', ...flags, BUSYBOX, 'true']);
    const fields = '{{json .HostConfig.BlkioWeightDevice}} {{json .HostConfig.BlkioDeviceReadBps}} {{json .HostConfig.CgroupConf}}';
    expect(await host.succeed(['inspect', `--format=${fields}`, 'limited'])).toBe(
      '[{"Path":"/dev/null","Weight":100}] [] {"memory.high":"5","pids.max":"7"}',
    );
    await removeNow(host, 'limited');
  });

  test('a file of a controller that is not there is an error that names it; real-time budgets are passed over with a line', async () => {
    expect(await run(['--cgroup-conf=nothing.max=5'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('the cgroup controller nothing is not available'),
    });
    expect(await run(['--cgroup-conf=odd=5'])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('CONTROLLER.VALUE "odd"') });
    expect(await run(['--cpu-rt-period=1000', '--cpu-rt-runtime=500'])).toMatchObject({
      exitCode: 0,
      stderr: 'Realtime period not supported on cgroups V2 systems\nRealtime runtime not supported on cgroups V2 systems\n',
    });
  });

  test('a class of the resource director that the machine does not have is an error', async () => {
    expect(await run(['--rdt-class=gold'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('--rdt-class gold cannot be applied: /sys/fs/resctrl is not mounted'),
    });
  });
});
