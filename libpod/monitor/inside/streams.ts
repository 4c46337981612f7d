import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { makePipe } from '../../../host/pipe.ts';
import { neverBlock } from '../../../host/ready-io.ts';
import { Clients } from './clients.ts';
import { Console } from './console.ts';
import type { ContainerLog } from './container-log.ts';
import { Control } from './control.ts';
import { Input } from './input.ts';
import { openLog } from './log.ts';
import type { Loop } from './loop.ts';
import { Output } from './output.ts';
import type { MonitorTask } from './task.ts';

/** All that goes in and out of a container, from before its runtime is started until it is no more. */
export class Streams {
  readonly #loop: Loop;
  readonly #input: Input;
  readonly #clients: Clients;
  readonly #log: ContainerLog | undefined;
  readonly #console: Console | undefined;
  readonly #outputs = new Set<Output>();
  /** To be read once the runtime has done its part: what it says itself is no output of the container. */
  readonly #stdout: number | undefined;
  readonly #stderr: number | undefined;
  /** Of the runtime. */
  readonly stdio: readonly [number | 'null', number | 'null', number | 'null'];

  /** Throws SYSCALL, INVALID_ARGUMENT (the log cannot be opened). */
  constructor(loop: Loop, task: MonitorTask) {
    this.#loop = loop;
    const { terminal, stdin, directory, passesThrough } = task;
    this.#log = openLog(task);
    this.#input = new Input(terminal || stdin);
    loop.add(this.#input);
    this.#clients = new Clients(loop, join(directory, 'attach'), this.#input, stdin && !terminal && !task.keepStdinOpen);
    loop.add(
      new Control(join(directory, 'ctl'), {
        resize: (size) => this.#console?.resize(size),
        reopenLog: () => this.#log?.reopen(),
      }),
    );
    if (terminal) {
      this.#console = new Console(directory, (fd) => {
        this.#listen(fd, 'stdout', true);
        this.#input.open(fd);
      });
      loop.add(this.#console);
    }
    if (passesThrough) {
      this.stdio = [0, 1, 2];
      return;
    }
    const [input, output, errors] = [terminal || !stdin ? undefined : makePipe(), terminal ? undefined : makePipe(), makePipe()];
    this.stdio = [input?.read ?? 'null', output?.write ?? 'null', errors.write];
    this.#stdout = output?.read;
    this.#stderr = errors.read;
    if (input === undefined) return;
    neverBlock(input.write);
    this.#input.open(input.write);
  }

  /** Where the runtime brings the terminal. */
  get consolePath(): string | undefined {
    return this.#console?.path;
  }

  /** What the runtime has made, where it is here. */
  takeConsole(fd: number): void {
    this.#console?.take(fd);
  }

  /** The runtime has its ends. */
  handedOver(): void {
    for (const fd of new Set(this.stdio)) if (typeof fd === 'number' && fd > 2) closeSync(fd);
  }

  /** The container is there. */
  begin(): void {
    if (this.#stdout !== undefined) this.#listen(this.#stdout, 'stdout', false);
    if (this.#stderr !== undefined) this.#listen(this.#stderr, 'stderr', false);
  }

  /** The descriptor at which the runtime said why there is no container. */
  get errors(): number | undefined {
    return this.#stderr;
  }

  get deadlineMs(): number {
    return Math.min(...[...this.#outputs].map(({ deadlineMs }) => deadlineMs));
  }

  /** The container has ended: wait until everything that it left is in the log and with all who are attached. */
  async drain(): Promise<void> {
    for (const output of this.#outputs) {
      this.#loop.remove(output);
      while (!output.drain()) await this.#loop.next();
    }
    this.#log?.end();
  }

  close(): void {
    this.#clients.close();
  }

  #listen(fd: number, stream: 'stdout' | 'stderr', isTerminal: boolean): void {
    const output = new Output(fd, stream, { clients: this.#clients, log: this.#log }, { isTerminal });
    this.#outputs.add(output);
    this.#loop.add(output);
  }
}
