/** A real systemd-journald on a test host, kept apart from the machine's: it has its own sockets below /run and its own files below /var/log. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestHost } from './host.ts';

export const JOURNALD = '/usr/lib/systemd/systemd-journald';
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';
const START_TIMEOUT_MS = 15_000;

/** For `test.skipIf(!canRunJournal)`. */
export const canRunJournal = process.getuid!() === 0 && existsSync(JOURNALD) && existsSync('/usr/bin/journalctl');

/**
 * On disk and not in /run, so that the user has a file of his own that he may read, as on an ordinary machine. `Audit` is left as the kernel
 * has it, which is the machine's; no limit on the rate, because journald would count all of the host as one sender.
 */
const CONFIGURATION = '[Journal]\nStorage=persistent\nAudit=\nRateLimitIntervalSec=0\nForwardToSyslog=no\nReadKMsg=no\n';

const PREPARE = `set -eu
mount -t tmpfs -o mode=755 lichen-test /var/log
mkdir -p /var/log/journal /run/systemd/journal /run/systemd/system /run/systemd/journald.conf.d
printf '%s' "$1" > /run/systemd/journald.conf.d/test.conf
[ -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
: > /run/systemd/journal/flushed
exec ${JOURNALD} >/tmp/journald.log 2>&1 </dev/null &`;

export async function startJournal(host: TestHost): Promise<void> {
  if (!canRunJournal) throw new Error('a journal needs root and the package systemd');
  await host.asRoot(['/bin/sh', '-c', PREPARE, 'prepare', CONFIGURATION]);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!existsSync(host.path(JOURNAL_SOCKET))) {
    if (performance.now() > deadline) throw new Error(`systemd-journald did not start:\n${await host.readFile('/tmp/journald.log')}`);
    await delay(5);
  }
}
