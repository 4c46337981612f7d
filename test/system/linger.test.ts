/** What is said of lingering to who runs a container in the background, on a machine whose systemd-logind knows the user. */
import { expect, test } from 'vitest';
import { BUSYBOX, canRunContainers, loadedHost, removeNow } from '../host/loaded.ts';
import { canShapeHosts } from '../host/host.ts';

const NOTICE = 'Containers of tester end with the last session, unless lingering is enabled: loginctl enable-linger\r\n';

test.skipIf(!canRunContainers || !canShapeHosts)('run -d says once, on a terminal, that containers end with the last session', async () => {
  await using host = await loadedHost();
  let count = 0;
  const run = async (where: { readonly tty: boolean; readonly mode?: string }) => {
    const words = [
      'run',
      where.mode ?? '-d',
      `--name=c${++count}`,
      '--network=none',
      BUSYBOX,
      'sleep',
      where.mode === undefined ? '1000' : '0',
    ];
    const { exitCode, stdout, stderr } = await host.lichen(words, { tty: where.tty });
    expect(exitCode).toBe(0);
    return (stdout + stderr).replace(/[0-9a-f]{64}\r?\n/, '');
  };
  // No logind.
  expect(await run({ tty: true })).toBe('');
  await host.asRoot([
    'sh',
    '-c',
    'mkdir -p /run/systemd/users /var/lib/systemd/linger; echo UID=2000 >/run/systemd/users/2000; touch /var/lib/systemd/linger/tester',
  ]);
  // He lingers.
  expect(await run({ tty: true })).toBe('');
  await host.asRoot(['rm', '/var/lib/systemd/linger/tester']);
  expect(await run({ tty: false })).toBe('');
  expect(await run({ tty: true, mode: '--rm' })).toBe('');
  expect(await run({ tty: true })).toBe(NOTICE);
  expect(await run({ tty: true })).toBe('');
  await removeNow(host, '--all');
});
