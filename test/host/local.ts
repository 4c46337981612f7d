/** The host of an ordinary user: the machine as it is, with a temporary home and runtime directory. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { runCommand } from './command.ts';
import { TestHost, type Place } from './host.ts';
import type { HostProcess } from './leaks.ts';
import type { HostOptions } from './plan.ts';
import { baseDirectory, FIXTURES, REPOSITORY } from './places.ts';

/** Throws when the options want a host that only root can make. */
export function localHost(options: HostOptions): TestHost {
  if (
    (options.without ?? []).length > 0 ||
    options.systemd === true ||
    options.journal === true ||
    (options.user ?? 'ordinary') !== 'ordinary' ||
    options.home !== undefined
  ) {
    throw new Error('only root can make such a test host; guard the test with test.skipIf(!canShapeHosts)');
  }
  return new TestHost(localPlace(), options);
}

function localPlace(): Place {
  const base = mkdtempSync(baseDirectory());
  const { username, uid } = userInfo();
  const user = { name: username, uid, home: join(base, 'home'), runtimeDir: join(base, 'run') };
  for (const directory of [user.home, user.runtimeDir]) mkdirSync(directory, { mode: 0o700 });
  const program = join(REPOSITORY, 'bin/lichen');
  const env = {
    HOME: user.home,
    USER: username,
    LOGNAME: username,
    PATH: `${join(REPOSITORY, 'bin')}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    XDG_RUNTIME_DIR: user.runtimeDir,
  };
  const invoke: Place['invoke'] = (argv, cwd, given, asRoot) => {
    if (asRoot) throw new Error('asRoot: only on a host made by root');
    return { argv: ['/bin/sh', '-c', 'cd -- "$1" || exit 125; shift; exec "$@"', 'enter', cwd, ...argv], env: given, wrapped: false };
  };
  return {
    name: basename(user.home),
    user,
    env,
    program,
    fixtures: FIXTURES,
    path: (inside) => inside,
    invoke,
    processes: () => processesMentioning(base),
    [Symbol.asyncDispose]: async () => {
      // Files of subordinate ids can only be removed from within the user namespace.
      await runCommand(invoke([program, 'unshare', 'rm', '-rf', join(user.home, '.local')], '/', env, false), 'clean up', {});
      for (const { pid } of processesMentioning(base)) process.kill(pid, 'SIGKILL');
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** Processes whose arguments or environment name this host's base directory. */
function processesMentioning(base: string): readonly HostProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        const mentioned = command.includes(base) || readFileSync(`/proc/${name}/environ`, 'latin1').includes(base);
        return mentioned ? [{ pid: Number(name), state: '', command, cgroup: '' }] : [];
      } catch {
        return [];
      }
    });
}
