/** Signals that can be caught, at random moments of a command (reference/hostile.md, R15): nothing is orphaned, no lock sticks, and the status is right. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { killMany } from './killing.ts';

let host: TestHost;
const RUN = ['run', '--rm', '--network', 'none', BUSYBOX, 'sleep', '0.1'] as const;

describe.skipIf(!canRunContainers)('signals', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    test(`R15: ${signal} at any moment of a run: it ends, and nothing is left`, async () => {
      await killMany(host, { argv: RUN, kills: 15, signal, title: `run ${signal}` });
    });
  }

  test('R15: stopped and continued it goes on where it was', async () => {
    const script = `mkfifo in; lichen run --rm -i --network none ${BUSYBOX} sh -c 'echo up; read -r word; echo "got $word"; exit 6' < in > out & pid=$!
      exec 3> in; until grep -q up out; do sleep 0.05; done
      kill -STOP $pid; echo word >&3; lichen ps -q | wc -l; kill -CONT $pid; wait $pid; echo "status $?"; cat out; rm in out`;
    expect((await host.run(sh(script))).stdout).toBe('1\nstatus 6\nup\ngot word\n');
  });

  test('R15: stop, rm --force and a second start while one is starting take their turn', async () => {
    for (const words of [
      ['stop', '--time', '0', 'victim'],
      ['rm', '--force', '--time', '0', 'victim'],
      ['start', 'victim'],
      ['kill', 'victim'],
    ]) {
      await host.succeed(['create', '--name', 'victim', '--network', 'none', BUSYBOX, 'sleep', '1000']);
      for (let round = 0; round < 4; round++) {
        const [start, other] = await Promise.all([host.lichen(['start', 'victim']), host.lichen(words)]);
        for (const { stderr, exitCode } of [start, other]) {
          if (exitCode !== 0)
            expect(stderr).toMatch(/no such container|no container|container state improper|not running|is being removed/);
        }
      }
      await removeNow(host, 'victim');
    }
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });
});
