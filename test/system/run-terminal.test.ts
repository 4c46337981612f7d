/** `--tty`: the container's terminal and the caller's behave as one. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resizeTerminal } from '../../libpod/attach/session.ts';
import type { RunningCommand, TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const RUN = 'lichen run --network none';
const CTRL_C = '\u0003';
const CTRL_P = '\u0010';
const CTRL_Q = '\u0011';

let host: TestHost;

/** A shell on a new terminal that tells its name, does `script`, and then says whether the terminal is as it was before. */
async function onTerminal(script: string, size = { rows: 30, columns: 100 }): Promise<{ shell: RunningCommand; device: string }> {
  const framed = `tty; before=$(stty -g); ${script}; echo "status $?"; [ "$(stty -g)" = "$before" ] && echo restored || echo "left $(stty -g)"`;
  const shell = host.spawn(sh(framed), { tty: size });
  const [device] = await shell.waitForOutput(/\/dev\/pts\/\d+/);
  return { shell, device };
}

describe.skipIf(!canRunContainers || !existsSync('/usr/bin/script'))('a container with a terminal', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('has the caller’s size before its first instruction, and a TERM', async () => {
    const { shell } = await onTerminal(
      `${RUN} --rm -it ${BUSYBOX} sh -c 'stty size; test -t 0 && test -t 1 && test -t 2 && echo $TERM; exit 4'`,
    );
    const { stdout } = await shell.finish();
    expect(stdout).toContain('\r\n30 100\r\nxterm\r\nstatus 4\r\nrestored\r\n');
  });

  test('follows every change of size, and tells its processes', async () => {
    const { shell, device } = await onTerminal(
      `${RUN} --rm -it ${BUSYBOX} sh -c 'trap "echo changed" WINCH; while :; do stty size; sleep 0.05; done'`,
    );
    await shell.waitForOutput(/30 100/);
    for (const [rows, columns] of [
      [41, 121],
      [11, 33],
    ]) {
      await host.run(sh(`stty rows ${rows} cols ${columns} < ${device}`));
      await shell.waitForOutput(new RegExp(`changed[^]*${rows} ${columns}`));
    }
    shell.write(CTRL_C);
    expect((await shell.finish()).stdout).toMatch(/status 130\r\nrestored/);
  });

  test('has the last of several sizes that reach the monitor at once', async () => {
    const { shell } = await onTerminal(`${RUN} --rm -it --name resized ${BUSYBOX} sh -c 'while :; do stty size; sleep 0.05; done'`);
    await shell.waitForOutput(/30 100/);
    const id = await host.succeed(['inspect', '--format', '{{.Id}}', 'resized']);
    const monitor = await host.succeed(['inspect', '--format', '{{.State.ConmonPid}}', 'resized']);
    await host.run(sh(`kill -STOP ${monitor}`));
    const control = host.path(`${host.runDir}/c/${id}/ctl`);
    for (const columns of [101, 102, 103]) resizeTerminal(control, { rows: 41, columns });
    await host.run(sh(`kill -CONT ${monitor}`));
    await shell.waitForOutput(/41 103/);
    shell.write(CTRL_C);
    expect((await shell.finish()).stdout).toContain('status 130');
  });

  test('gets keys as they are typed: the caller’s terminal is raw and does not act on them', async () => {
    const { shell } = await onTerminal(
      `${RUN} --rm -it ${BUSYBOX} sh -c 'trap "echo interrupted; exit 5" INT; echo up; while :; do sleep 0.02; done'`,
    );
    await shell.waitForOutput(/up/);
    shell.write(CTRL_C);
    const { stdout } = await shell.finish();
    expect(stdout).toMatch(/interrupted\r\nstatus 5\r\nrestored/);
  });

  test('a shell can be used in it', async () => {
    const { shell } = await onTerminal(`${RUN} --rm -it ${BUSYBOX}`);
    await shell.waitForOutput(/\/ # /);
    shell.write('echo answer-$((40 + 2))\r');
    await shell.waitForOutput(/answer-42\r\n/);
    shell.write('exit 6\r');
    expect((await shell.finish()).stdout).toMatch(/status 6\r\nrestored/);
  });

  test('^P^Q detaches; the container runs on and can be attached to again', async () => {
    const talk = '(while :; do echo tick; sleep 0.05; done) & while read -r word; do echo "got $word"; done';
    const { shell } = await onTerminal(`${RUN} -it --name leaving ${BUSYBOX} sh -c '${talk}'`);
    await shell.waitForOutput(/tick/);
    shell.write(`${CTRL_P}${CTRL_Q}`);
    expect((await shell.finish()).stdout).toMatch(/status 0\r\nrestored/);
    expect(await host.succeed(['inspect', '--format', '{{.State.Running}}', 'leaving'])).toBe('true');

    const { shell: again } = await onTerminal('lichen attach --detach-keys=ctrl-a,d leaving');
    await again.waitForOutput(/tick/);
    again.write('hello\r');
    await again.waitForOutput(/got hello\r\n/);
    again.write('\u0001d');
    expect((await again.finish()).stdout).toMatch(/status 0\r\nrestored/);
    await removeNow(host, 'leaving');
  });

  test('--detach-keys="" lets no keys detach', async () => {
    const { shell } = await onTerminal(
      `${RUN} --rm -it --detach-keys= ${BUSYBOX} sh -c 'stty raw -echo; echo up; head -c 2 | od -An -tx1'`,
    );
    await shell.waitForOutput(/up/);
    shell.write(`${CTRL_P}${CTRL_Q}`);
    const { stdout } = await shell.finish();
    expect(stdout).toMatch(/10 11\s+status 0/);
  });

  test('is over when the container is ended from elsewhere, and the caller’s is restored', async () => {
    const { shell } = await onTerminal(
      `${RUN} --rm -it --name signalled ${BUSYBOX} sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.02; done'`,
    );
    await shell.waitForOutput(/up/);
    await host.succeed(['kill', '--signal', 'TERM', 'signalled']);
    expect((await shell.finish()).stdout).toMatch(/status 9\r\nrestored/);
  });

  test('without a terminal of the caller -t still gives one, and -it says what that means', async () => {
    const result = await host.lichen(['run', '--rm', '--network=none', '-t', BUSYBOX, ...sh('test -t 1 && echo terminal; echo talk >&2')]);
    expect(result).toMatchObject({ stdout: 'terminal\r\ntalk\r\n', stderr: '', exitCode: 0 });
    const warned = await host.lichen(['run', '--rm', '--network=none', '-it', BUSYBOX, 'true']);
    expect(warned).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('The input device is not a TTY.') });
  });
});
