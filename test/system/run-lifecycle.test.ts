/** What `run` leaves and keeps: names, ids, restarts, pulls, and containers in the background. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const NONE = '--network=none';

function field(name: string, format: string): Promise<string> {
  return host.succeed(['inspect', '--format', `{{${format}}}`, name]);
}

/** Lines that the container has printed in all its lives. */
async function lines(name: string): Promise<number> {
  const { stdout } = await host.lichen(['logs', name]);
  return stdout.split('\n').length - 1;
}

describe.skipIf(!canRunContainers)('the life of a container', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'foreign']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('-d prints the id and goes; --cidfile keeps it; --rm removes everything at the end', async () => {
    const id = await host.succeed(['run', '-d', '--rm', '--name=short', '--cidfile=/tmp/short.id', NONE, BUSYBOX, 'sleep', '0.3']);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await host.readFile('/tmp/short.id')).toBe(id);
    expect(await field('short', '.Id')).toBe(id);
    await expect.poll(async () => (await host.lichen(['container', 'exists', 'short'])).exitCode).toBe(1);
    await expect.poll(() => existsSync(host.path(`${host.store}/containers/${id}`))).toBe(false);
    expect(existsSync(host.path('/tmp/short.id'))).toBe(false);
  });

  test('--cidfile is written over where nobody has the id any more, and nowhere else', async () => {
    await host.writeFile('/tmp/stale.id', 'f'.repeat(64));
    await host.succeed(['run', '--rm', '--cidfile=/tmp/stale.id', NONE, BUSYBOX, 'true']);
    expect(existsSync(host.path('/tmp/stale.id'))).toBe(false);
    const first = await host.succeed(['create', '--cidfile=/tmp/stale.id', '--name=filed', NONE, BUSYBOX, 'true']);
    const refused = { exitCode: 125, stdout: '', stderr: expect.stringContaining('container id file exists.') as string };
    expect(await host.lichen(['create', '--cidfile=/tmp/stale.id', NONE, BUSYBOX, 'true'])).toMatchObject(refused);
    const second = await host.succeed(['create', '--replace', '--cidfile=/tmp/stale.id', '--name=filed', NONE, BUSYBOX, 'true']);
    expect(second).not.toBe(first);
    expect(await host.readFile('/tmp/stale.id')).toBe(second);
    const clone = await host.succeed(['container', 'clone', 'filed']);
    await host.succeed(['rm', clone]);
    expect(await host.readFile('/tmp/stale.id')).toBe(second);
    await host.writeFile('/tmp/stale.id', 'a letter');
    expect(await host.lichen(['create', '--cidfile=/tmp/stale.id', NONE, BUSYBOX, 'true'])).toMatchObject(refused);
    await host.succeed(['rm', 'filed']);
    expect(await host.readFile('/tmp/stale.id')).toBe('a letter');
    await host.run(['rm', '/tmp/stale.id']);
  });

  test('a name is taken once; --replace takes it over, even from one that runs', async () => {
    const first = await host.succeed(['run', '-d', '--name=seat', '--stop-timeout=0', NONE, BUSYBOX, 'sleep', '600']);
    expect(await host.lichen(['run', '--name=seat', NONE, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining(`the container name "seat" is already in use by ${first}. You have to remove that container`),
    });
    const second = await host.succeed(['run', '-d', '--name=seat', '--replace', NONE, BUSYBOX, 'sleep', '600']);
    expect(second).not.toBe(first);
    expect(await host.succeed(['ps', '-aq', '--no-trunc'])).toBe(second);
    await removeNow(host, 'seat');
    expect(await host.lichen(['run', '--name=not/allowed', NONE, BUSYBOX, 'true'])).toMatchObject({ exitCode: 125 });
  });

  test('without a name there is a made-up one, two words', async () => {
    const id = await host.succeed(['create', NONE, BUSYBOX, 'true']);
    expect(await field(id, '.Name')).toMatch(/^[a-z]+_[a-z]+$/);
    await host.succeed(['rm', id]);
  });

  test('create makes what start runs, any number of times', async () => {
    await host.succeed(['create', '--name=later', NONE, '-e', 'WORD=kept', BUSYBOX, ...sh('echo $WORD; exit 3')]);
    expect(await field('later', '.State.Status')).toBe('created');
    for (let run = 0; run < 2; run++)
      expect(await host.lichen(['start', '--attach', 'later'])).toMatchObject({ stdout: 'kept\n', exitCode: 3 });
    expect(await field('later', '.State.Status')).toBe('exited');
    await host.succeed(['rm', 'later']);
  });

  test('--restart on-failure:N starts it again N times and no more, and not after success', async () => {
    await host.succeed(['run', '-d', '--name=failing', '--restart=on-failure:2', NONE, BUSYBOX, ...sh('echo life; exit 1')]);
    await expect.poll(() => lines('failing'), { timeout: 15_000 }).toBe(3);
    await expect.poll(() => field('failing', '.State.Status')).toBe('exited');
    expect(await field('failing', '.RestartCount')).toBe('2');
    await host.succeed(['run', '-d', '--name=content', '--restart=on-failure', NONE, BUSYBOX, ...sh('echo life')]);
    expect(await host.succeed(['wait', 'content'])).toBe('0');
    expect(await lines('content')).toBe(1);
    await removeNow(host, 'failing', 'content');
  });

  test('--restart always starts it again until it is stopped', async () => {
    await host.succeed(['run', '-d', '--name=eager', '--restart=always', '--stop-timeout=0', NONE, BUSYBOX, ...sh('echo life; sleep 0.1')]);
    await expect.poll(() => lines('eager'), { timeout: 15_000 }).toBeGreaterThan(2);
    await host.succeed(['stop', 'eager']);
    const lived = await lines('eager');
    expect(await field('eager', '.State.Status')).toBe('exited');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await lines('eager')).toBe(lived);
    await removeNow(host, 'eager');
    expect(await host.lichen(['run', '--rm', '--restart=always', NONE, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"\n',
    });
  });

  test('--pull never takes only what is there; another platform is refused or said', async () => {
    expect(await host.lichen(['run', '--rm', '--pull=never', NONE, BUSYBOX, 'echo', 'there'])).toMatchObject({
      stdout: 'there\n',
      exitCode: 0,
    });
    expect(await host.lichen(['run', '--rm', '--pull=never', NONE, 'localhost/absent', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: localhost/absent: image not known\n',
    });
    expect(await host.lichen(['run', '--rm', '--pull=sometimes', NONE, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unsupported pull policy "sometimes"\n',
    });
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    expect(
      await host.lichen(['run', '--rm', '--pull=never', `--platform=linux/${architecture}`, NONE, BUSYBOX, 'echo', 'ours']),
    ).toMatchObject({
      stdout: 'ours\n',
      exitCode: 0,
    });
    expect((await host.lichen(['run', '--rm', '--pull=never', '--platform=linux/s390x', NONE, BUSYBOX, 'true'])).exitCode).toBe(125);
    expect(await host.lichen(['run', '--rm', '--pull=never', NONE, 'localhost/foreign'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/^WARNING: image platform \(linux\/s390x\) does not match the expected platform \(linux\/\w+\)\n/),
    });
  });

  test('--requires starts another container before, which cannot be removed under it', async () => {
    const needed = await host.succeed(['create', '--name=needed', NONE, BUSYBOX, 'sleep', '600']);
    await host.succeed(['create', '--name=needing', '--requires=needed', NONE, BUSYBOX, 'true']);
    expect(await field('needing', 'json .Dependencies')).toBe(JSON.stringify([needed]));
    await host.succeed(['start', '-a', 'needing']);
    expect(await field('needed', '.State.Status')).toBe('running');
    expect(await host.lichen(['rm', '--force', '--time=0', 'needed'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('has dependent containers which must be removed before it'),
    });
    await removeNow(host, 'needing', 'needed');
    expect(await host.lichen(['run', '--requires=needed', NONE, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr:
        'Error: "needed" is not a valid container, cannot be used as a dependency: no container with name or ID "needed" found: no such container\n',
    });
  });

  test('--rmi takes the image away with the container, unless another one uses it', async () => {
    const images = () => host.succeed(['images', '--format={{.Repository}}:{{.Tag}}']);
    await host.succeed(['create', '--name=source', NONE, BUSYBOX, 'true']);
    await host.succeed(['commit', '--quiet', 'source', 'localhost/passing:1']);
    await removeNow(host, 'source');
    await host.succeed(['create', '--name=other', NONE, 'localhost/passing:1', 'true']);
    expect(await host.lichen(['run', '--rmi', NONE, 'localhost/passing:1', 'true'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('image is in use by a container'),
    });
    expect(await images()).toContain('localhost/passing:1');
    await removeNow(host, 'other');
    await host.succeed(['run', '-d', '--rmi', '--name=passing', NONE, 'localhost/passing:1', 'sleep', '1000']);
    expect(await field('passing', '.HostConfig.AutoRemove')).toBe('true');
    expect(await field('passing', '.HostConfig.AutoRemoveImage')).toBe('true');
    await host.succeed(['kill', 'passing']);
    await expect.poll(images, { timeout: 10_000 }).not.toContain('localhost/passing:1');
    expect((await host.lichen(['container', 'exists', 'passing'])).exitCode).toBe(1);
    expect(await host.lichen(['run', '--rmi', '--restart=always', NONE, BUSYBOX, 'true'])).toMatchObject({ exitCode: 125 });
  });

  test('--pidfile and --conmon-pidfile say who runs; where they cannot be written nothing runs', async () => {
    await host.succeed([
      'run',
      '-d',
      '--name=told',
      '--pidfile=/tmp/told.pid',
      '--conmon-pidfile=/tmp/told.conmon',
      NONE,
      BUSYBOX,
      'sleep',
      '600',
    ]);
    expect(await field('told', '.State.Pid')).toBe(await host.readFile('/tmp/told.pid'));
    expect(await field('told', '.State.ConmonPid')).toBe(await host.readFile('/tmp/told.conmon'));
    expect(await field('told', '.PidFile')).toBe('/tmp/told.pid');
    expect(await field('told', '.ConmonPidFile')).toBe('/tmp/told.conmon');
    const before = await host.readFile('/tmp/told.pid');
    await host.succeed(['restart', '--time=0', 'told']);
    expect(await field('told', '.State.Pid')).toBe(await host.readFile('/tmp/told.pid'));
    expect(await host.readFile('/tmp/told.pid')).not.toBe(before);
    await removeNow(host, 'told');
    for (const flag of ['--pidfile=/tmp/none/pid', '--conmon-pidfile=/tmp/none/pid']) {
      expect(await host.lichen(['run', '--rm', flag, NONE, BUSYBOX, 'touch', '/seen'])).toMatchObject({
        exitCode: 126,
        stderr: 'Error: open /tmp/none/pid for writing: no such file or directory\n',
      });
    }
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('containers do not disturb each other: eight at once', async () => {
    const numbers = Array.from({ length: 8 }, (_, number) => number);
    const results = await Promise.all(
      numbers.map((number) => host.lichen(['run', '--rm', NONE, BUSYBOX, ...sh(`echo ${number}; exit ${number}`)])),
    );
    expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual(numbers.map((number) => [`${number}\n`, number]));
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });
});
