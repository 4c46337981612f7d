/** `attach`, and coming back to a container that runs on its own. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const NAME = 'attached';

function start(...words: readonly string[]): Promise<string> {
  return host.succeed(['run', '-d', '--name', NAME, '--network', 'none', ...words]);
}

describe.skipIf(!canRunContainers)('attach', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(() => removeNow(host, NAME));
  afterAll(() => host[Symbol.asyncDispose]());

  test('shows what is printed from now on and ends with an empty line and 0, however the container ended', async () => {
    await start(BUSYBOX, ...sh('mkfifo /tmp/go; read -r line < /tmp/go; echo "got $line"; echo err >&2; exit 3'));
    await using attached = host.spawnLichen(['attach', '--no-stdin', NAME]);
    await expect
      .poll(() => host.succeed(['events', '--stream=false', '--filter', `container=${NAME}`, '--filter', 'event=attach']))
      .toMatch(/attach/);
    // It may end before the one who tells it.
    await host.lichen(['exec', NAME, ...sh('echo word > /tmp/go')]);
    expect(await attached.finish()).toMatchObject({ stdout: 'got word\n\n', stderr: 'err\n', exitCode: 0 });
  });

  test('passes input on to a container that keeps stdin open', async () => {
    await start('-i', BUSYBOX, ...sh('read -r line; echo "read $line"'));
    expect(await host.lichen(['attach', NAME], { input: 'this\n' })).toMatchObject({ stdout: 'read this\n\n', exitCode: 0 });
  });

  test('passes signals on unless told not to', async () => {
    await start(BUSYBOX, ...sh('trap "echo caught; exit 4" TERM; while :; do echo up; sleep 0.05; done'));
    await using deaf = host.spawnLichen(['attach', '--sig-proxy=false', '--no-stdin', NAME]);
    await deaf.waitForOutput(/up/);
    deaf.signal('SIGTERM');
    await deaf.finish();
    expect(await host.succeed(['inspect', '-f', '{{.State.Status}}', NAME])).toBe('running');
    await using passing = host.spawnLichen(['attach', '--no-stdin', NAME]);
    await passing.waitForOutput(/up/);
    passing.signal('SIGTERM');
    const { stdout, exitCode } = await passing.finish();
    expect({ exitCode, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({ exitCode: 0, last: 'caught' });
    expect(await host.lichen(['wait', NAME])).toMatchObject({ stdout: '4\n' });
  });

  test('the detach keys leave the container running, and one can come back', async () => {
    await start('-it', BUSYBOX, 'sh');
    for (const round of ['first', 'second']) {
      await using attached = host.spawnLichen(['attach', NAME], { tty: { rows: 20, columns: 70 } });
      attached.write(`echo ${round}-$((1 + 1)); stty size\n`);
      await attached.waitForOutput(new RegExp(`${round}-2\\r\\n20 70`));
      attached.write('\x10\x11');
      expect((await attached.finish(10_000)).exitCode).toBe(0);
    }
    expect(await host.succeed(['inspect', '-f', '{{.State.Status}}', NAME])).toBe('running');
  });

  test('a container that does not run cannot be attached to', async () => {
    const id = await host.succeed(['create', '--name', NAME, BUSYBOX, 'true']);
    expect(await host.lichen(['attach', NAME])).toMatchObject({
      exitCode: 125,
      stderr: `Error: attaching to container ${id}: you can only attach to running containers\n`,
    });
  });
});
