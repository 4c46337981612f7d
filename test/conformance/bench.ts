/**
 * A test host with one runtime, which is driven by its command line alone, within the user's namespaces of `lichen unshare`:
 * there it is root over the user's subordinate ids, as it is for every rootless engine.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { testHost, type CommandOptions, type CommandResult, type TestHost } from '../host/host.ts';
import { REPOSITORY } from '../host/places.ts';

export type RuntimeName = 'crun' | 'runc' | 'embedded';

interface RuntimeUnderTest {
  readonly name: RuntimeName;
  /** As a host finds it. */
  readonly program: string;
  readonly isThere: boolean;
}

const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'];

/** All of them; a machine need not have each. */
export const RUNTIMES: readonly RuntimeUnderTest[] = [
  { name: 'crun', program: 'crun', isThere: isInstalled('crun') },
  // Nobody has written down what it does otherwise.
  { name: 'runc', program: 'runc', isThere: isInstalled('runc') && process.env['LICHEN_TEST_RUNTIME'] === 'runc' },
  { name: 'embedded', program: '/opt/lichen/bin/lichen-runtime', isThere: existsSync(join(REPOSITORY, 'bin/lichen-runtime')) },
];

function isInstalled(name: string): boolean {
  return SYSTEM_PATH.some((path) => existsSync(join(path, name)));
}

const STATE_TIMEOUT_MS = 15_000;

export class Bench implements AsyncDisposable {
  readonly host: TestHost;
  readonly runtime: RuntimeUnderTest;
  /** A directory of the host that outlives every container. */
  readonly home: string;
  /** Of busybox, for the containers that do not need one of their own. */
  readonly rootfs: string;
  readonly #known = new Map<unknown, Promise<unknown>>();
  /** The process that holds the namespaces. */
  #pause = '';
  #bundles = 0;

  static async open(runtime: RuntimeUnderTest): Promise<Bench> {
    const bench = new Bench(await testHost(), runtime);
    try {
      await bench.host.succeed(['unshare', 'true']);
      const [pause = ''] = (await bench.host.readFile(`${bench.host.runDir}/pause`)).split(' ');
      bench.#pause = pause;
      await bench.#makeRoot();
      return bench;
    } catch (error) {
      await bench[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
  }

  private constructor(host: TestHost, runtime: RuntimeUnderTest) {
    this.host = host;
    this.runtime = runtime;
    this.home = host.user.home;
    this.rootfs = `${this.home}/rootfs`;
  }

  /** What the scenario came to. It is played once, whoever asks first. */
  once<T>(scenario: (bench: Bench) => Promise<T>): Promise<T> {
    const known = this.#known.get(scenario) ?? scenario(this);
    this.#known.set(scenario, known);
    return known as Promise<T>;
  }

  /** A bundle directory with this configuration. */
  async bundle(config: object): Promise<string> {
    const directory = `${this.home}/bundle-${this.#bundles++}`;
    await this.host.writeFile(`${directory}/config.json`, JSON.stringify(config));
    return directory;
  }

  /** Where the container `id` belongs: the user's own part of the cgroups, as a path within them. */
  cgroupOf(id: string): string {
    return `/${this.host.name}/${id}`;
  }

  /** The words that run the runtime within the namespaces. */
  words(args: readonly string[]): readonly string[] {
    return [this.runtime.program, '--root', `${this.host.user.runtimeDir}/oci`, ...args];
  }

  /** The runtime's command line. */
  call(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return this.inside(this.words(args), options);
  }

  /** Any program within the namespaces: what `lichen unshare` does, without the start of lichen. */
  inside(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    const enter = ['nsenter', '--target', this.#pause, '--user', '--mount', '--preserve-credentials', '--'];
    return this.host.run([...enter, ...argv], options);
  }

  /** A shell script within the namespaces, which must exit with 0. `$RUNTIME` are the words of the runtime. Its stdout. */
  async script(text: string, options?: CommandOptions): Promise<string> {
    const result = await this.inside(['sh', '-c', `RUNTIME='${this.words([]).join(' ')}'; ${text}`], options);
    if (result.exitCode !== 0) throw new Error(`exit ${result.exitCode}\n${text}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  /** What `state` says, or undefined where it knows no such container. */
  async state(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { exitCode, stdout } = await this.call(['state', id]);
    return exitCode === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined;
  }

  /** Waits until `state` says so. */
  async reaches(id: string, status: string): Promise<Readonly<Record<string, unknown>>> {
    const deadline = performance.now() + STATE_TIMEOUT_MS;
    for (;;) {
      const state = await this.state(id);
      if (state?.['status'] === status) return state;
      if (performance.now() > deadline) throw new Error(`${id} is ${String(state?.['status'])}, not ${status}`);
      await delay(50);
    }
  }

  /** `create`, whose container keeps the streams that it is given: they are files, and what was said comes as the result. */
  create(id: string, bundle: string, ...args: readonly string[]): Promise<CommandResult> {
    const words = this.words(['create', '--bundle', bundle, ...args, id]);
    const script =
      'said=$1; shift; "$@" < /dev/null > "$said.out" 2> "$said.err"; code=$?; cat "$said.out"; cat "$said.err" >&2; exit $code';
    return this.inside(['sh', '-c', script, 'create', `${this.home}/${id}`, ...words]);
  }

  /** Run a container to its end. Throws with what it said where it fails. */
  async run(id: string, bundle: string): Promise<string> {
    const { stdout, stderr, exitCode } = await this.call(['run', '--bundle', bundle, id]);
    if (exitCode !== 0) throw new Error(`${this.runtime.name} run ${id}: exit ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }

  async #makeRoot(): Promise<void> {
    const made = await this.host.run([
      'sh',
      '-euc',
      `chmod 711 "$HOME"; mkdir -p "$1/bin" "$1/proc" "$1/dev" "$1/sys" "$1/tmp" "$1/etc" "$1/srv/work" "$1/srv/masked"
       echo secret > "$1/srv/masked/inside"; echo secret > "$1/srv/masked-file"; mkdir -p "$2/sub" "$2/locked"; echo given > "$2/file"; echo x > "$2/locked/file"
       cp "$(command -v busybox)" "$1/bin/busybox"
       for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"; done`,
      'root',
      this.rootfs,
      `${this.home}/given`,
    ]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
  }
}

/** What was written to a file of the host; nothing where nobody has written to it. */
export function logged(bench: Bench, path: string): Promise<string> {
  return bench.host.readFile(path).catch(() => '');
}
