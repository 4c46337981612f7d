/**
 * The machine a system test runs on: an ordinary user (or root) with a home, a runtime directory, subordinate ids, cgroups and devices of its own.
 * Made by root it is a private mount and pid namespace, from which parts can be taken away; an ordinary user is his own host, with a temporary home.
 *
 *   await using host = await testHost({ without: ['crun'] });
 *   const { stdout, exitCode } = await host.lichen(['run', '--rm', 'localhost/busybox', 'true']);
 *
 * When it is disposed it throws if the test left a process, mount or staging file behind; then it ends and removes everything.
 */
import { mkdtempSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { giveCompiled, keepCompiled } from './compiled.ts';
import { onTerminal, runCommand, RunningCommand, type CommandOptions, type CommandResult, type Invocation } from './command.ts';
import { Holder } from './holder.ts';
import { findLeaks, processesOf, type HostProcess, type LeakScope } from './leaks.ts';
import { planHost, PROGRAM_PATH, type HostOptions, type HostPlan, type HostUser } from './plan.ts';
import { startJournal } from './journal.ts';
import { chosenMakes } from './makes.ts';
import { baseDirectory, FIXTURES, REPOSITORY } from './places.ts';
import { startServiceManager } from './systemd.ts';

export type { CommandOptions, CommandResult } from './command.ts';
export type { HostOptions, Part } from './plan.ts';
export { RunningCommand } from './command.ts';

/** False for an ordinary user: parts cannot be taken away then. For `test.skipIf(!canShapeHosts)`. */
export const canShapeHosts = process.getuid!() === 0;

/** Make a host. Throws when parts are to be taken away and we are not root. */
export async function testHost(options: HostOptions = {}): Promise<TestHost> {
  if (!canShapeHosts) {
    const { localHost } = await import('./local.ts');
    return localHost(options);
  }
  const base = mkdtempSync(baseDirectory());
  const plan = planHost(base, REPOSITORY, FIXTURES, options);
  const holder = await Holder.start(base, plan);
  const home = join(base, plan.user.home);
  if (options.cold !== true) giveCompiled(home, plan.user);
  const place = namespacePlace(basename(base), plan, holder, options);
  const end = async () => {
    keepCompiled(home, plan.user);
    await holder[Symbol.asyncDispose]();
  };
  const host = new TestHost({ ...place, [Symbol.asyncDispose]: end }, options);
  if (options.journal === true) await startJournal(host);
  if (options.systemd === true) await startServiceManager(host, plan.cgroup);
  return host;
}

/** Where a host's commands run and its files lie: what differs between a private namespace and the user's own machine. */
export interface Place extends AsyncDisposable {
  /** Of its directory and its cgroup on the machine. */
  readonly name: string;
  readonly user: HostUser;
  readonly env: Readonly<Record<string, string>>;
  readonly program: string;
  readonly fixtures: string;
  /** A path of the host as this process can open it. */
  readonly path: (inside: string) => string;
  /** `argv` as the user (or as root) in directory `cwd`. */
  readonly invoke: (argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>, asRoot: boolean) => Invocation;
  readonly processes: () => readonly HostProcess[];
}

export class TestHost implements AsyncDisposable {
  /** Of its directory and its cgroup on the machine. */
  readonly name: string;
  readonly user: HostUser;
  /** Where lichen keeps its store and its run files, as the host names them. */
  readonly store: string;
  readonly runDir: string;
  readonly #place: Place;
  readonly #options: HostOptions;
  readonly #running = new Set<RunningCommand>();
  readonly #own: Set<number>;

  constructor(place: Place, options: HostOptions) {
    this.name = place.name;
    this.user = place.user;
    this.store = options.env?.['LICHEN_ROOT'] ?? (place.user.uid === 0 ? '/var/lib/lichen' : `${place.user.home}/.local/share/lichen`);
    this.runDir = runDirectory(place);
    this.#place = place;
    this.#options = options;
    this.#own = new Set(place.processes().map(({ pid }) => pid));
  }

  /** The command line under test. */
  lichen(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.run([this.#place.program, ...args], options);
  }

  /** `lichen`, which must exit with 0. Returns its stdout without the last newline. */
  async succeed(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await this.lichen(args, options);
    if (exitCode !== 0) throw new Error(`lichen ${args.join(' ')}: exit ${exitCode}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`);
    return stdout.replace(/\r?\n$/, '');
  }

  /** Any program, as the user. */
  run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.#invocation(argv, options, false), argv.join(' '), options);
  }

  /** Any program, as root of the host. */
  asRoot(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.#invocation(argv, { cwd: '/', ...options }, true), argv.join(' '), options);
  }

  /** A program that goes on while the test does other things. The host ends it at the latest when it is disposed. */
  spawn(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
    const command = new RunningCommand(this.#invocation(argv, options, false), argv.join(' '));
    if (options.input !== undefined) command.write(options.input);
    this.#running.add(command);
    const forget = () => this.#running.delete(command);
    command.finished.then(forget, forget);
    return command;
  }

  spawnLichen(args: readonly string[], options: CommandOptions = {}): RunningCommand {
    return this.spawn([this.#place.program, ...args], options);
  }

  /** A path of the host as this process can open it. Absolute symlinks on the way lead to the machine, not the host. */
  path(inside: string): string {
    return this.#place.path(inside);
  }

  /** The path inside of a file that `cached` made (test/fixtures/build/cache.ts). */
  fixture(path: string): string {
    return join(this.#place.fixtures, path.slice(FIXTURES.length));
  }

  /** Write a file that belongs to the user, with its directories. */
  async writeFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const made = await mkdir(this.path(dirname(path)), { recursive: true });
    await writeFile(this.path(path), content, { mode });
    if (!canShapeHosts) return;
    for (let at = this.path(path); ; at = dirname(at)) {
      if (at !== this.path(path) && (made === undefined || !at.startsWith(made))) break;
      await chown(at, this.user.uid, this.user.uid);
    }
  }

  readFile(path: string): Promise<string> {
    return readFile(this.path(path), 'utf8');
  }

  /** Every process of the host except its own init and what came with it. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return this.#place.processes().filter(({ pid }) => !this.#own.has(pid));
  }

  /** What a test would be failed for: one line for each process, mount or staging file that is still there after `settleMs`. */
  leaks(settleMs?: number): Promise<readonly string[]> {
    const scope: LeakScope = {
      path: this.#place.path,
      store: this.store,
      runDir: this.runDir,
      own: this.#own,
      processes: this.#place.processes,
    };
    return findLeaks(scope, settleMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const command of this.#running) await command[Symbol.asyncDispose]();
    const leaks = this.#options.allowLeaks === true ? [] : await this.leaks();
    await this.#place[Symbol.asyncDispose]();
    if (leaks.length > 0) throw new Error(`left behind on the test host:\n${leaks.join('\n')}`);
  }

  #invocation(argv: readonly string[], options: CommandOptions, asRoot: boolean): Invocation {
    const given = { ...this.#place.env, ...this.#options.env, ...options.env };
    const env = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
    return this.#place.invoke(onTerminal(argv, options.tty ?? false), options.cwd ?? this.user.home, env, asRoot);
  }
}

/** A port of loopback that nobody listens on now. Hosts share the machine's network. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The first of `count` ports in a row that nobody listens on, below those that clients get (ip_local_port_range). */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_768 - count);
    const all = await Promise.all(Array.from({ length: count }, (_, offset) => isFree(first + offset)));
    if (!all.includes(false)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
    await server[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}

// The shell joins the delegated cgroup and goes to the working directory before the program takes its place.
const ENTER = '[ -z "$1" ] || echo 0 > "$1"; cd -- "$2" || exit 125; unset OLDPWD; shift 2; exec "$@"';

function namespacePlace(name: string, plan: HostPlan, holder: Holder, options: HostOptions): Omit<Place, keyof AsyncDisposable> {
  const { user } = plan;
  const path = (inside: string) => holder.path(inside);
  const withRuntimeDir = options.without?.includes('runtime-dir') !== true;
  const session = plan.cgroup === undefined ? '' : `/sys/fs/cgroup/${plan.cgroup}/session/cgroup.procs`;
  return {
    name,
    user,
    env: userEnvironment(user, withRuntimeDir),
    program: '/opt/lichen/bin/lichen',
    fixtures: '/opt/fixtures',
    path,
    processes: () => processesOf(path),
    invoke: (argv, cwd, env, asRoot) => ({
      argv: [
        'nsenter',
        '--target',
        String(holder.pid),
        '--mount',
        '--pid',
        '--',
        '/bin/sh',
        '-c',
        ENTER,
        'enter',
        session,
        cwd,
        ...(asRoot ? [] : plan.confined),
        ...credentials(plan, asRoot),
        ...argv,
      ],
      env,
      wrapped: true,
    }),
  };
}

function credentials({ user, dropCapSysResource }: HostPlan, asRoot: boolean): readonly string[] {
  if (user.uid !== 0 && !asRoot) return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.uid}`, '--init-groups', '--'];
  if (dropCapSysResource && !asRoot) return ['setpriv', '--bounding-set=-sys_resource', '--inh-caps=-all', '--'];
  return [];
}

function userEnvironment(user: HostUser, withRuntimeDir: boolean): Readonly<Record<string, string>> {
  return {
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    PATH: PROGRAM_PATH,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    ...chosenMakes(),
    ...(withRuntimeDir ? { XDG_RUNTIME_DIR: user.runtimeDir } : {}),
  };
}

/** As host/paths.ts chooses it. */
function runDirectory({ user, env }: Place): string {
  if (user.uid === 0) return '/run/lichen';
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime === undefined ? `/tmp/lichen-run-${user.uid}` : `${runtime}/lichen`;
}
