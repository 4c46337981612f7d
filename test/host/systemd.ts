/** A real `systemd --user` on a test host: units, timers, sd_notify and socket activation for the test user. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestHost } from './host.ts';

const MANAGER = '/usr/lib/systemd/systemd';
const START_TIMEOUT_MS = 15_000;

/** For `test.skipIf(!canRunSystemd)`. */
export const canRunSystemd =
  process.getuid!() === 0 && existsSync(MANAGER) && existsSync('/usr/lib/systemd/user/dbus.socket') && existsSync('/usr/bin/dbus-daemon');

/** It wants a delegated cgroup of its own, and /run/systemd/system as the sign that systemd runs this machine. */
export async function startServiceManager(host: TestHost, cgroup: string | undefined): Promise<void> {
  if (!canRunSystemd || cgroup === undefined)
    throw new Error('systemd --user needs root, the packages systemd and dbus-user-session, and cgroup2');
  const { uid, runtimeDir } = host.user;
  const manager = `/sys/fs/cgroup/${cgroup}/manager`;
  const prepare = `mkdir -p /run/systemd/system ${manager}; chown -R ${uid}:${uid} ${manager}; echo 0 > ${manager}/cgroup.procs
    exec setpriv --reuid=${uid} --regid=${uid} --init-groups env XDG_RUNTIME_DIR=${runtimeDir} setsid ${MANAGER} --user >/tmp/systemd.log 2>&1 </dev/null &`;
  await host.asRoot(['/bin/sh', '-c', prepare]);
  const sockets = [`${runtimeDir}/systemd/private`, `${runtimeDir}/bus`];
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!sockets.every((socket) => existsSync(host.path(socket)))) {
    if (performance.now() > deadline) throw new Error(`systemd --user did not start:\n${await host.readFile('/tmp/systemd.log')}`);
    await delay(20);
  }
}
