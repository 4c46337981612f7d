/** The pause process, which holds a user's namespaces, killed, mistaken or lost (D4, R14): nobody notices. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { MONITOR } from '../host/makes.ts';
import { expectNothingLeft } from './remains.ts';

const IMAGE = 'localhost/busybox';
const RUN = ['run', '--rm', '--network', 'none', IMAGE, 'echo', 'inside'];

async function loadedHost(): Promise<TestHost> {
  const host = await testHost();
  await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
  return host;
}

/** As the host counts. */
async function pausePid(host: TestHost): Promise<number> {
  return Number((await host.readFile(`${host.runDir}/pause`)).split(' ')[0]);
}

async function kill(host: TestHost, pid: number): Promise<void> {
  const { exitCode, stderr } = await host.run([
    '/bin/sh',
    '-c',
    'kill -9 "$1"; while [ -e "/proc/$1/exe" ]; do :; done',
    'kill',
    String(pid),
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}

/** Processes that do what a pause process does. */
function pauses(host: TestHost): readonly number[] {
  return host.processes().flatMap(({ pid, command }) => (command === 'sleep infinity' ? [pid] : []));
}

test.skipIf(!canMakeImages)('killed while nothing runs, it is replaced by the next command', async () => {
  await using host = await loadedHost();
  const before = await pausePid(host);
  await kill(host, before);
  expect(await host.succeed(RUN)).toBe('inside');
  const after = await pausePid(host);
  expect(after).not.toBe(before);
  expect(pauses(host)).toEqual([after]);
});

test.skipIf(!canMakeImages)('killed while containers run, their namespaces are found again through a monitor', async () => {
  await using host = await loadedHost();
  await host.succeed([
    'run',
    '--detach',
    '--name',
    'one',
    '--volume',
    'kept:/data',
    IMAGE,
    'sh',
    '-c',
    'echo written > /data/file; sleep 1000',
  ]);
  await host.succeed(['run', '--detach', '--name', 'two', '--network', 'none', IMAGE, 'sleep', '1000']);
  await kill(host, await pausePid(host));

  expect((await host.succeed(['ps', '--format', '{{.Names}}'])).split('\n').toSorted()).toEqual(['one', 'two']);
  expect(await host.succeed(['exec', 'one', 'cat', '/data/file'])).toBe('written');
  // The mounts of what was started before are seen by what is started after.
  await host.succeed(['start', await host.succeed(['create', '--name', 'three', '--network', 'container:one', IMAGE, 'sleep', '1000'])]);
  await host.succeed(['stop', '--time', '0', 'two']);
  expect(await host.succeed(['start', 'two'])).toBe('two');
  expect(await host.succeed(['exec', 'two', 'echo', 'again'])).toBe('again');
  await host.succeed(['rm', '--force', '--time', '0', 'three']);
  await host.succeed(['rm', '--force', '--time', '0', '--all']);
  await host.succeed(['volume', 'rm', 'kept']);
  await expectNothingLeft(host);
});

test.skipIf(!canMakeImages)('killed with a container running, everything is cleaned up when the last monitor goes as well', async () => {
  await using host = await loadedHost();
  await host.succeed(['run', '--detach', '--name', 'one', IMAGE, 'sleep', '1000']);
  await kill(host, await pausePid(host));
  for (const { pid, command } of host.processes()) if (MONITOR.test(command) || /sleep 1000|pasta/.test(command)) await kill(host, pid);
  expect(await host.succeed(['ps', '--quiet'])).toBe('');
  expect(await host.succeed(['ps', '--all', '--format', '{{.Names}} {{.State}}'])).toBe('one exited');
  expect(await host.succeed(['start', 'one'])).toBe('one');
  expect(await host.succeed(['exec', 'one', 'echo', 'alive'])).toBe('alive');
  await expectNothingLeft(host);
});

/** What may stand in the record by accident or malice: it is never entered, and nothing is said about it. */
const RECORDS: Readonly<Record<string, (host: TestHost, boot: string) => string | Promise<string>>> = {
  'a pid that belongs to another process of the user by now': async (host, boot) => `${await livingProcess(host)} 12345 ${boot} Um\n`,
  "a pid that is a stranger's by now": (_host, boot) => `1 1 ${boot} Um\n`,
  "a stranger's process with the right start time": async (host, boot) => `1 ${await startTime(host, 1)} ${boot} Um\n`,
  'a process of the user in no namespaces of ours': async (host, boot) => {
    const pid = await livingProcess(host);
    return `${pid} ${await startTime(host, pid)} ${boot} Um\n`;
  },
  'another boot': async (host) => `${await pausePid(host)} 1 00000000-0000-4000-8000-000000000000 Um\n`,
  'no number': (_host, boot) => `-1 x ${boot} Um\n`,
  'options for nsenter': (_host, boot) => `--all 1 ${boot} Um\n`,
  'bytes that are no text': () => '\0\xff\xfe'.repeat(1000),
  nothing: () => '',
};

for (const [title, record] of Object.entries(RECORDS)) {
  test.skipIf(!canMakeImages || !canShapeHosts)(`R14: a record with ${title} heals itself`, async () => {
    await using host = await loadedHost();
    const boot = (await host.readFile('/proc/sys/kernel/random/boot_id')).trim();
    const content = await record(host, boot);
    await kill(host, await pausePid(host));
    await host.writeFile(`${host.runDir}/pause`, content, 0o600);
    const { stdout, stderr, exitCode } = await host.lichen(RUN);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'inside\n', stderr: '', exitCode: 0 });
    // It is written anew: the next one enters the same namespaces.
    const pid = await pausePid(host);
    await host.succeed(RUN);
    expect(await pausePid(host)).toBe(pid);
  });
}

async function livingProcess(host: TestHost): Promise<number> {
  const sleeper = host.spawn(['sleep', '600']);
  await expect.poll(() => host.processes().some(({ command }) => command === 'sleep 600')).toBe(true);
  expect(sleeper.pid).toBeDefined();
  return host.processes().find(({ command }) => command === 'sleep 600')!.pid;
}

async function startTime(host: TestHost, pid: number): Promise<string> {
  const stat = await host.readFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
}

test.skipIf(!canMakeImages)('two first commands at once make one', async () => {
  for (let round = 0; round < 3; round++) {
    await using host = await testHost();
    const results = await Promise.all(Array.from({ length: 4 }, () => host.lichen(['ps', '--all'])));
    expect(results.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(results.map(() => ({ exitCode: 0, stderr: '' })));
    expect(pauses(host)).toEqual([await pausePid(host)]);
  }
});

test.skipIf(!canMakeImages)('a first command that is killed leaves none behind that nobody knows', async () => {
  for (let afterMs = 40; afterMs <= 130; afterMs += 10) {
    await using host = await testHost();
    await using first = host.spawnLichen(['ps', '--all']);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    first.signal('SIGKILL');
    await first.finish();
    await host.succeed(['ps', '--all']);
    await expect.poll(() => pauses(host), { timeout: 5000 }).toEqual([await pausePid(host)]);
  }
});

test.skipIf(!canMakeImages)('the run directory removed under a session: what is stored is there, what ran can be removed', async () => {
  await using host = await loadedHost();
  await host.succeed(['run', '--detach', '--name', 'one', '--network', 'none', IMAGE, 'sleep', '1000']);
  await host.succeed(['create', '--name', 'two', '--network', 'none', IMAGE, 'echo', 'two']);
  const pause = await pausePid(host);
  removeRunDirectory(host);
  expect((await host.succeed(['ps', '--all', '--format', '{{.Names}}'])).split('\n').toSorted()).toEqual(['one', 'two']);
  // Found again, not made anew: what was mounted is in sight.
  expect(await pausePid(host)).toBe(pause);
  expect(await host.succeed(['start', '--attach', 'two'])).toBe('two');
  await expectNothingLeft(host);
});

/** As a user would, from outside of the namespaces: mounts of theirs are not in the way there. */
function removeRunDirectory(host: TestHost): void {
  const path = host.path(host.runDir);
  for (const name of readdirSync(path)) rmSync(`${path}/${name}`, { recursive: true, force: true });
  expect(existsSync(path)).toBe(true);
}

test.skipIf(!canMakeImages || !canShapeHosts)(
  'R14: whoever has the pids of a dead container and its monitor now is not touched',
  async () => {
    await using host = await loadedHost();
    await host.succeed(['run', '--detach', '--name', 'dead', '--network', 'none', IMAGE, 'sleep', '1000']);
    for (const { pid, command } of host.processes()) if (MONITOR.test(command) || command.includes('sleep 1000')) await kill(host, pid);
    const stranger = host.spawn(['sh', '-c', 'echo $$; trap "echo hurt" TERM INT HUP; while :; do sleep 0.1; done']);
    const [pid] = await stranger.waitForOutput(/\d+/);
    const change = `new (require('node:sqlite').DatabaseSync)('${host.store}/db.sqlite').exec("UPDATE containers SET pid=${pid}, monitor_pid=${pid}")`;
    const node = await host.run(['sh', '-c', 'echo /opt/lichen/node_modules/node-linux-*/bin/node']);
    expect(await host.run([node.stdout.trim(), '-e', change])).toMatchObject({ exitCode: 0 });
    for (const verb of [['kill'], ['stop', '--time', '0'], ['pause'], ['exec'], ['rm', '--force', '--time', '0']])
      await host.lichen([...verb, 'dead', ...(verb[0] === 'exec' ? ['true'] : [])]);
    expect(host.processes().some((process) => String(process.pid) === pid)).toBe(true);
    expect(stranger.stdout).not.toContain('hurt');
    await stranger[Symbol.asyncDispose]();
    await expectNothingLeft(host);
  },
);
