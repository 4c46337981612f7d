/** update, container clone, and the verbs that can only say why they cannot. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;
let id: string;

async function shown(name: string, template: string): Promise<string> {
  return host.succeed(['inspect', '-f', template, name]);
}

async function refused(args: readonly string[], message: string, hint = ''): Promise<void> {
  const result = await host.lichen(args);
  expect(result).toMatchObject({ exitCode: 125, stdout: '' });
  expect(result.stderr.startsWith(`Error: ${message}\n${hint}`), result.stderr).toBe(true);
}

describe.skipIf(!canRunContainers)('update and clone', () => {
  beforeAll(async () => {
    host = await loadedHost();
    const options = ['-e', 'A=1', '-e', 'B=2', '--restart', 'on-failure:3', '-v', 'shared:/data', '--label', 'l=1'];
    id = await host.succeed(['create', '--name', 'c', '--network', 'none', ...options, BUSYBOX, 'sleep', '1000']);
  });
  afterAll(async () => {
    await host.lichen(['rm', '-a', '-f', '-t', '0', '-v']);
    await host.lichen(['volume', 'rm', 'shared']);
    await host[Symbol.asyncDispose]();
  });

  test('update changes restart policy, environment, ulimits and limits; what is not named stays', async () => {
    expect(await host.succeed(['update', '--restart', 'always', '-e', 'A=9', '-e', 'C=3', '--unsetenv', 'B', 'c'])).toBe(id);
    expect(await shown('c', '{{.HostConfig.RestartPolicy.Name}}')).toBe('always');
    const env = JSON.parse(await shown('c', '{{json .Config.Env}}')) as string[];
    expect(env).toEqual(expect.arrayContaining(['A=9', 'C=3']));
    expect(env.some((variable) => variable.startsWith('B='))).toBe(false);
    await host.succeed(['container', 'update', '-m', '64m', '--cpus', '0.5', '--ulimit', 'nofile=5:6', '--pids-limit', '50', '-l']);
    expect(
      await shown(
        'c',
        '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{json .HostConfig.Ulimits}}',
      ),
    ).toBe('67108864 134217728 500000000 50 [{"Name":"RLIMIT_NOFILE","Soft":5,"Hard":6}]');
    await host.succeed(['update', '--cpu-quota', '30000', 'c']);
    expect(await shown('c', '{{.HostConfig.CpuQuota}} {{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}')).toMatch(/^30000 \d+ 67108864$/);
    expect(await shown('c', '{{.HostConfig.RestartPolicy.Name}}')).toBe('always');
    expect(await host.succeed(['events', '--stream=false', '--filter', 'event=update', '--format', '{{.Name}}'])).toMatch(/^c\nc\nc$/);
  });

  test('a running container keeps its limits when one cannot be applied; environment holds from the next start', async () => {
    await host.succeed(['run', '-d', '--name', 'r', '--network', 'none', BUSYBOX, 'sh', '-c', 'echo "A=$A"; exec sleep 1000']);
    await host.succeed(['update', '-e', 'A=new', 'r']);
    const { exitCode, stderr } = await host.lichen(['update', '--memory', '64m', 'r']);
    const memory = await shown('r', '{{.HostConfig.Memory}}');
    if (exitCode === 0) expect(memory).toBe('67108864');
    else {
      expect(stderr).toMatch(/^Error: --memory cannot be applied: the cgroup controller memory is not available\n/);
      expect({ exitCode, memory }).toEqual({ exitCode: 125, memory: '0' });
    }
    await host.succeed(['restart', '-t', '0', 'r']);
    await expect.poll(() => host.succeed(['logs', 'r'])).toBe('A=\nA=new');
    await host.succeed(['rm', '-f', '-t', '0', 'r']);
  });

  test('update, bad input', async () => {
    await refused(['update'], '"lichen update" requires a name, id, or the "--latest" flag');
    await refused(['update', 'a', 'b'], '`lichen update` accepts at most one argument');
    await refused(['update', '-l', 'c'], '--latest and containers cannot be used together');
    await refused(['update', '--restart', 'bad', 'c'], '"bad" is not a valid restart policy: invalid argument');
    await refused(['update', '--memory', 'bad', 'c'], `invalid value for memory: invalid size: 'bad'`);
    await refused(['update', '--memory', '1g', 'nosuch'], 'no container with name or ID "nosuch" found: no such container');
    await refused(['update', '--cpu-rt-period', '1000', 'c'], 'realtime period not supported on cgroupv2');
    await refused(['update', '--cpu-rt-runtime', '1000', 'c'], 'realtime period not supported on cgroupv2');
    await refused(
      ['update', '--device-read-iops', '/dev/null:1mb', 'c'],
      'invalid rate for device: /dev/null:1mb. The correct format is <device-path>:<number>. Number must be a positive integer',
    );
    await refused(['update', '--device-write-iops', '/dev/null:10', 'c'], '/dev/null: not a block device');
  });

  test('clone makes a container of the same configuration under another name, with other limits or another image', async () => {
    const warned = await host.lichen(['container', 'clone', '--cpu-rt-period', '1000', '--name', 'timed', 'c']);
    expect(warned).toMatchObject({ stderr: 'Realtime period not supported on cgroups V2 systems\n', exitCode: 0 });
    await host.succeed(['rm', 'timed']);
    const first = await host.succeed(['container', 'clone', 'c']);
    await host.succeed(['container', 'clone', 'c']);
    expect(await host.succeed(['ps', '-a', '--filter', 'name=clone', '--format', '{{.Names}} {{.Status}} {{.Command}}'])).toBe(
      'c-clone Created sleep 1000\nc-clone1 Created sleep 1000',
    );
    expect(first).not.toBe(id);
    expect(await shown('c-clone', '{{json .Config.Labels}} {{(index .Mounts 0).Name}} {{.HostConfig.RestartPolicy.Name}}')).toBe(
      '{"l":"1"} shared always',
    );
    await host.succeed(['tag', BUSYBOX, 'second']);
    await host.succeed(['container', 'clone', '--memory', '32m', '--cpus', '1', 'c', 'other', 'second']);
    expect(await shown('other', '{{.HostConfig.Memory}} {{.ImageName}}')).toBe('33554432 localhost/second:latest');
    await refused(
      ['container', 'clone', 'c', 'other'],
      `creating container storage: the container name "other" is already in use by ${await shown('other', '{{.Id}}')}. You have to remove that container to be able to reuse that name: that name is already in use, or use --replace to instruct Podman to do so.`,
    ).catch(async () =>
      expect(await host.lichen(['container', 'clone', 'c', 'other'])).toMatchObject({ exitCode: 125, stderr: /already in use/ }),
    );
    await refused(['container', 'clone', '--force', 'c'], 'cannot set --force without --destroy: invalid argument');
    await refused(['container', 'clone', 'nosuch'], 'no container with name or ID "nosuch" found: no such container');
    await refused(
      ['container', 'clone', 'c', 'a/b'],
      'running container create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument',
    );
  });

  test('clone --run starts it, --destroy takes the original, and a running one only with --force', async () => {
    await host.succeed(['create', '--name', 'plain', '--network', 'none', BUSYBOX, 'sleep', '1000']);
    await host.succeed(['container', 'clone', '--run', 'plain', 'twin']);
    expect(await shown('twin', '{{.State.Status}}')).toBe('running');
    expect(await host.lichen(['container', 'clone', '--destroy', 'twin', 'third'])).toMatchObject({ exitCode: 125, stdout: '' });
    expect(await host.lichen(['container', 'exists', 'third'])).toMatchObject({ exitCode: 1 });
    await host.succeed(['stop', '-t', '0', 'twin']);
    await host.succeed(['container', 'clone', '--destroy', 'twin', 'third']);
    expect(await host.lichen(['container', 'exists', 'twin'])).toMatchObject({ exitCode: 1 });
    await host.succeed(['container', 'clone', '--destroy', '--name', 'fourth', 'third']);
    expect(await host.succeed(['logs', 'fourth'])).toBe('');
  });

  test('checkpoint and restore say why not', async () => {
    const rootless = host.user.uid !== 0;
    await refused(
      ['container', 'checkpoint', 'c'],
      rootless ? 'checkpointing a container requires root' : 'checkpointing a container needs CRIU, which lichen does not drive',
    );
    await refused(
      ['container', 'restore', 'c'],
      rootless ? 'restoring a container requires root' : 'restoring a container needs CRIU, which lichen does not drive',
    );
    await refused(['container', 'checkpoint'], 'you must provide at least one name or id');
  });

  test('runlabel runs what a label describes, and only what is a container', async () => {
    const labels = [
      ['run', "podman run --rm --network none --name NAME -e X='a  b' -e IMAGE=IMAGE $IMAGE sh -c"],
      ['other', '/bin/touch /tmp/evil'],
      ['open', 'podman run "IMAGE'],
    ];
    await host.succeed(['commit', '-q', ...labels.flatMap(([name, line]) => ['-c', `LABEL ${name}=${line}`]), 'c', 'labelled']);
    const runlabel = (...args: readonly string[]) => host.lichen(['container', 'runlabel', ...args]);
    const image = 'localhost/labelled:latest';
    expect(await runlabel('--display', 'run', 'labelled', 'x')).toMatchObject({
      stdout: `command: lichen run --rm --network none --name labelled -e X=a  b -e IMAGE=${image} ${image} sh -c x\n`,
    });
    expect(await runlabel('run', 'labelled', 'echo "$X $IMAGE"; exit 7')).toMatchObject({ stdout: `a  b ${image}\n`, exitCode: 7 });
    expect(await runlabel('--quiet', 'run', 'labelled', 'echo no')).toMatchObject({ stdout: '', exitCode: 0 });
    await host.succeed(['create', '--name', 'taken', '--network', 'none', BUSYBOX]);
    expect(await runlabel('-n', 'taken', 'run', 'labelled', 'true')).toMatchObject({ exitCode: 125 });
    expect(await runlabel('-n', 'taken', '--replace', 'run', 'labelled', 'true')).toMatchObject({ stdout: '', exitCode: 0 });
    await refused(['container', 'runlabel', 'other', 'labelled'], 'the label wants to run /bin/touch on this machine, not a container');
    await refused(['container', 'runlabel', 'open', 'labelled'], 'a quote is not closed: podman run "IMAGE');
    await refused(['container', 'runlabel', 'run', BUSYBOX], `cannot find the value of label: run in image: ${BUSYBOX}`);
    await refused(['container', 'runlabel', 'run'], 'requires at least 2 arg(s), only received 1');
    expect(await host.lichen(['container', 'exists', 'taken'])).toMatchObject({ exitCode: 1 });
  });
});
