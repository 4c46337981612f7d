/** Run one program and keep what it says, with a limit on time. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { constants } from 'node:os';
import { childrenOf } from './holder.ts';

const DEFAULT_TIMEOUT_MS = 60_000;

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  /** 128 + n when a signal ended it, as a shell counts. */
  readonly exitCode: number;
}

export interface CommandOptions {
  /** Written to stdin, which is then closed (with `tty`: left open; send \x04 for end of file). Without it stdin is empty. */
  readonly input?: string | Uint8Array;
  /** `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the user's home. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Give it a terminal as stdin, stdout and stderr (all output then comes as stdout, with \r\n). `true` is 24 × 80. */
  readonly tty?: boolean | { readonly rows: number; readonly columns: number };
}

/** How a host turns a command into a program to spawn on the machine. `wrapped`: the real program is that program's child. */
export interface Invocation {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly wrapped: boolean;
}

/** A program that runs while the test goes on. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #wrapped: boolean;
  readonly #title: string;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  /** Resolves when it has ended and its streams are closed. */
  readonly finished: Promise<CommandResult>;

  constructor(invocation: Invocation, title: string) {
    const [program, ...args] = invocation.argv;
    this.#child = spawn(program, args, { env: invocation.env, detached: true });
    this.#wrapped = invocation.wrapped;
    this.#title = title;
    this.#child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    // A program that ends before it has read all its input is no fault of the test's.
    this.#child.stdin.on('error', () => {});
    this.finished = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => resolve(this.#result(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))));
    });
    this.finished.catch(() => {});
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** The program's pid as the machine counts; undefined when it has ended. */
  get pid(): number | undefined {
    return this.#wrapped ? childrenOf(this.#child.pid ?? 0)[0] : this.#child.pid;
  }

  write(input: string | Uint8Array): void {
    this.#child.stdin.write(input);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Send a signal to the program itself, not to its children. */
  signal(name: NodeJS.Signals): void {
    const { pid } = this;
    if (pid !== undefined && this.#child.exitCode === null) process.kill(pid, name);
  }

  /** Wait until stdout and stderr together match. Rejects when the program ends first or after `timeoutMs`. */
  async waitForOutput(pattern: RegExp, { timeoutMs = 15_000 } = {}): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) resolve(match);
    };
    const fail = (why: string) => reject(new Error(`${this.#title}: ${why} before output matched ${pattern}${this.#said()}`));
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    this.#child.stdout.on('data', look);
    this.#child.stderr.on('data', look);
    void this.finished.then(() => fail('it ended'));
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#child.stdout.off('data', look);
      this.#child.stderr.off('data', look);
    }
  }

  /** `finished`, or kill it after `timeoutMs` and throw what it had said. */
  async finish(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<CommandResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#kill();
        reject(new Error(`${this.#title}: still running after ${timeoutMs} ms${this.#said()}`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([this.finished, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.finished.catch(() => {});
  }

  /**
   * The wrapper is left to reap its program and to end by itself: were it killed, the zombie would go to the machine's init, which may take its time.
   * The streams are closed, too: a process that outlives the program may hold their other ends.
   */
  #kill(): void {
    if (this.pid === undefined) this.#child.kill('SIGKILL');
    this.signal('SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #result(exitCode: number): CommandResult {
    return { stdout: this.stdout, stderr: this.stderr, stdoutBytes: Buffer.concat(this.#stdout), exitCode };
  }

  #said(): string {
    return `\n--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }
}

/** Start it, feed it, wait for it. A failing exit code is a result, not an error. */
export async function runCommand(invocation: Invocation, title: string, options: CommandOptions): Promise<CommandResult> {
  const command = new RunningCommand(invocation, title);
  if (options.input !== undefined) command.write(options.input);
  if (options.tty === undefined || options.tty === false) command.endInput();
  return command.finish(options.timeoutMs);
}

/** The argv that runs `argv` on a new terminal, by script(1). */
export function onTerminal(argv: readonly string[], tty: NonNullable<CommandOptions['tty']>): readonly string[] {
  if (tty === false) return argv;
  const { rows, columns } = tty === true ? { rows: 24, columns: 80 } : tty;
  const command = `stty rows ${rows} cols ${columns}; exec ${argv.map(shellQuoted).join(' ')}`;
  return ['script', '--quiet', '--flush', '--return', '--command', command, '/dev/null'];
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
