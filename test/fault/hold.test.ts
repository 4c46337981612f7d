/** What a command holds for its own work (libpod/container/hold.ts), and is killed: the next command takes it back. */
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const PROGRAM = '/opt/lichen/bin/lichen';

describe.skipIf(!canRunContainers)('a container held by a command that is killed', () => {
  let host: TestHost;
  let id: string;
  let pid: string;
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(() => removeNow(host, 'running', 'resting'));

  const held = () => existsSync(host.path(`${host.runDir}/held/${id}`));
  const merged = () => existsSync(host.path(`${host.store}/containers/${id}/merged`));

  /** Start it with an end of a pipe that nobody reads as its output, and kill it as soon as the shell finds the condition true. */
  async function kill(argv: string, condition: string): Promise<void> {
    const script = `rm -f pipe; mkfifo pipe; sleep 60 <pipe & reader=$!
      ${PROGRAM} ${argv} >pipe 2>/dev/null & victim=$!
      until ${condition}; do kill -0 $victim || { kill $reader; exit 1; }; done
      kill -9 $victim; kill $reader; wait`;
    expect(await host.run(sh(script))).toMatchObject({ exitCode: 0 });
    expect(held()).toBe(true);
  }

  const note = () => `[ -s ${host.runDir}/held/${id} ]`;

  test.each([
    ['when it is about to freeze it', note],
    ['when it has frozen it', () => `grep -q 'frozen 1' /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/${pid}/cgroup)/cgroup.events`],
  ])('commit, %s: the processes go on', async (_when, condition) => {
    id = await host.succeed([
      'run',
      '-d',
      '--name',
      'running',
      '--network',
      'none',
      BUSYBOX,
      ...sh('dd if=/dev/zero of=/big bs=1M count=300; sleep 600'),
    ]);
    pid = await host.succeed(['inspect', '--format', '{{.State.Pid}}', 'running']);
    await expect.poll(async () => host.succeed(['exec', 'running', ...sh('stat -c %s /big')])).toBe(String(300 * 2 ** 20));
    await kill('commit --quiet --pause running left', condition());
    expect(await host.succeed(['exec', 'running', 'echo', 'goes on'])).toBe('goes on');
    expect(held()).toBe(false);
    expect(await host.lichen(['image', 'exists', 'left'])).toMatchObject({ exitCode: 1 });
    await host.succeed(['stop', '--time', '0', 'running']);
    await removeNow(host, 'running');
  });

  test.each([
    ['cp', 'cp resting:/ -'],
    ['export', 'export resting'],
  ])('%s of one at rest: its root is unmounted', async (_verb, argv) => {
    id = await host.succeed(['create', '--name', 'resting', BUSYBOX]);
    await kill(argv, `${note()} && [ -e ${host.store}/containers/${id}/merged/bin ] || grep -q ${id} /proc/$victim/mountinfo`);
    await host.succeed(['ps']);
    expect({ held: held(), merged: merged() }).toEqual({ held: false, merged: false });
    await removeNow(host, 'resting');
  });

  test('what is mounted by `mount` stays, and a removed container leaves no note', async () => {
    id = await host.succeed(['create', '--name', 'resting', BUSYBOX]);
    await host.succeed(['unshare', PROGRAM, 'mount', 'resting']);
    await host.succeed(['export', '--output', '/dev/null', 'resting']);
    expect({ held: held(), merged: merged() }).toEqual({ held: false, merged: true });
    await host.succeed(['unshare', PROGRAM, 'unmount', 'resting']);
    await kill('export resting', note());
    await removeNow(host, 'resting');
    expect(held()).toBe(false);
  });
});
