/** What a test host has after its machine went down at once and came up again: no processes, no run directory, another boot. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TestHost } from './host.ts';
import { startServiceManager } from './systemd.ts';

/** The kernel's boot id stays what it is: the store is told that it was last used in another boot. */
const FORGET_BOOT = `const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]); db.exec("UPDATE meta SET value = 'before' WHERE key = 'boot'"); db.close()`;

export interface Reboot {
  /** Start a new `systemd --user`: the machine's user has logged in, or lingers. */
  readonly systemd?: boolean;
  /** Of a store with a place of its own. */
  readonly store?: string;
  readonly runDir?: string;
}

/** For a host made by root. The network of a real machine goes down with it: what is on the host lives in namespaces that end here. */
export async function reboot(host: TestHost, { systemd = false, store = host.store, runDir = host.runDir }: Reboot = {}): Promise<void> {
  for (;;) {
    const pids = host.processes().map(({ pid }) => String(pid));
    if (pids.length === 0) break;
    await host.asRoot(['kill', '-9', ...pids]);
    await delay(10);
  }
  const { runtimeDir } = host.user;
  const forget = [
    `rm -rf ${runDir} ${runtimeDir}/systemd ${runtimeDir}/bus`,
    `find /sys/fs/cgroup/${host.name}/manager -depth -mindepth 0 -type d -exec rmdir {} + 2>/dev/null`,
    `exec setpriv --reuid=${host.user.uid} --clear-groups /opt/lichen/node_modules/node-linux-*/bin/node -e "$1" ${store}/db.sqlite`,
  ];
  const { exitCode, stderr } = await host.asRoot(['/bin/sh', '-c', forget.join('\n'), 'sh', FORGET_BOOT]);
  if (exitCode !== 0) throw new Error(`no reboot: ${stderr}`);
  if (systemd) await startServiceManager(host, host.name);
}
