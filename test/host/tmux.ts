/** tmux(1) on a test host: a terminal whose screen can be read, and whose size can be changed, while programs run on it. */
import type { TestHost } from './host.ts';

const DEADLINE_MS = 20_000;
const POLL_MS = 50;

export interface TmuxOptions {
  readonly rows?: number;
  readonly columns?: number;
}

const PROMPT = 'outer$ ';

/** One server with one window, in which an interactive shell runs. Disposal ends the server and all that still runs in the window. */
export class Tmux implements AsyncDisposable {
  readonly #host: TestHost;
  readonly #socket: string;

  private constructor(host: TestHost, socket: string) {
    this.#host = host;
    this.#socket = socket;
  }

  /** Returns when the shell waits for its first line. */
  static async start(host: TestHost, { rows = 24, columns = 80 }: TmuxOptions = {}): Promise<Tmux> {
    const tmux = new Tmux(host, `${host.user.home}/tmux-${crypto.randomUUID().slice(0, 8)}`);
    const size = ['-x', String(columns), '-y', String(rows)];
    // A session of its own, so that the shell's terminal is nobody else's; no configuration of the machine's.
    const server = ['setsid', '--wait', ...tmux.#command('-f', '/dev/null', 'new-session', '-d', ...size, 'sh')];
    const { exitCode, stderr } = await host.run(server, { env: { PS1: PROMPT, ENV: undefined } });
    if (exitCode !== 0) throw new Error(`tmux: ${stderr}`);
    try {
      await tmux.waitForScreen(/^outer\$ ?$/m);
    } catch (error) {
      await tmux[Symbol.asyncDispose]();
      throw error;
    }
    return tmux;
  }

  /** A line and the enter key. */
  async enter(line: string): Promise<void> {
    await this.#tell('send-keys', '-l', '--', line);
    await this.press('Enter');
  }

  /** Keys by tmux's names (`C-c`, `Left`), each as if pressed alone. */
  async press(...keys: readonly string[]): Promise<void> {
    // Sent in one command they would arrive in one read.
    for (const key of keys) await this.#tell('send-keys', key);
  }

  /** As a terminal does it: the bytes as fast as they are taken, each newline as the enter key. */
  async paste(content: string): Promise<void> {
    const path = `${this.#host.user.home}/pasted`;
    await this.#host.writeFile(path, content);
    await this.#tell('load-buffer', path);
    await this.#tell('paste-buffer');
  }

  resize(rows: number, columns: number): Promise<string> {
    return this.#tell('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** As closing the terminal's window does: the terminal is gone, its processes get SIGHUP. It was the last one, so the server ends. */
  async close(): Promise<void> {
    await this.#tell('kill-pane');
  }

  /** The lines that are shown, without blanks at their ends. */
  screen(): Promise<string> {
    return this.#tell('capture-pane', '-p');
  }

  /** Returns what is shown once it matches. */
  async waitForScreen(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (performance.now() > deadline) throw new Error(`the screen never matched ${pattern}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It may have ended with its window.
    await this.#host.run(this.#command('kill-server'));
  }

  async #tell(...words: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.#host.run(this.#command(...words));
    if (exitCode !== 0) throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  }

  #command(...words: readonly string[]): readonly string[] {
    return ['tmux', '-S', this.#socket, ...words];
  }
}
