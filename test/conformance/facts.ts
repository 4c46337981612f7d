/** Requirements that a container can tell of itself: its shell runs a command for each, and one container serves all of a sheet. */
import { expect } from 'vitest';
import type { Bench, RuntimeName } from './bench.ts';
import { requirement, type Requirement } from './requirement.ts';

/** What a command must print: all of it (lines joined by `|`), or something that matches. */
type Words = string | RegExp;

export type ToldDeviations = Readonly<Partial<Record<RuntimeName, { readonly does: string; readonly tells: Words }>>>;

export class Sheet {
  readonly rows: Requirement[] = [];
  readonly #commands: string[] = [];
  readonly #tell: (bench: Bench) => Promise<readonly string[]>;

  /** `run` starts the container with a script and gives its stdout. */
  constructor(run: (bench: Bench, script: string) => Promise<string>) {
    this.#tell = async (bench) => readFacts(await run(bench, factScript(this.#commands)));
  }

  /** A row whose command must print `expected`. */
  row(section: string, must: string, command: string, expected: Words, deviations: ToldDeviations = {}): void {
    this.#add(section, must, `{ ${command}\n} 2>&1 | tr '\\n' '|'`, expected, deviations);
  }

  /** The same with a command of one line that the shell runs without a pipe, for that would be one of its descriptors. */
  plainRow(section: string, must: string, command: string, expected: Words): void {
    this.#add(section, must, command, expected, {});
  }

  #add(section: string, must: string, command: string, expected: Words, deviations: ToldDeviations): void {
    const index = this.#commands.push(command) - 1;
    const tells = (words: Words) => async (bench: Bench) => {
      const told = (await bench.once(this.#tell))[index];
      if (typeof words === 'string') expect(told).toBe(words);
      else expect(told).toMatch(words);
    };
    const known = Object.entries(deviations).map(([name, { does, tells: words }]) => [name, { does, holds: tells(words) }] as const);
    this.rows.push(requirement(section, must, tells(expected), Object.fromEntries(known)));
  }
}

function factScript(commands: readonly string[]): string {
  return [...commands.map((command) => `echo; printf '=\\t'; ${command}`), 'exit 0'].join('\n');
}

function readFacts(output: string): readonly string[] {
  const lines = output.split('\n').filter((line) => line.startsWith('=\t'));
  return lines.map((line) => line.slice(2).replace(/\|$/, ''));
}
