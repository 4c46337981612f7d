/** Questions at the terminal: a line that is shown as it is typed, and one that is not. */
import { read } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { EngineError } from '../core/errors.ts';
import { hideTyping } from '../host/terminal.ts';
import type { CommandContext } from './command.ts';

/** Undefined for an end of input. Throws INVALID_ARGUMENT where stdin is no terminal: nobody is there to ask. */
export async function askLine({ stdout }: Pick<CommandContext, 'stdout'>, question: string): Promise<string | undefined> {
  refuseWithoutTerminal();
  stdout.write(question);
  return readLine();
}

/** The same for a secret. */
export async function askSecret({ stdout }: Pick<CommandContext, 'stdout'>, question: string): Promise<string | undefined> {
  refuseWithoutTerminal();
  using _hidden = hideTyping();
  stdout.write(question);
  const line = await readLine();
  stdout.write('\n');
  return line;
}

function refuseWithoutTerminal(): void {
  // Not process.stdin: merely looking at it makes the terminal non-blocking.
  if (!isatty(0)) throw new EngineError('INVALID_ARGUMENT', 'no terminal to ask at');
}

/** Not the blocking read: while it waits, no signal would be seen, and a terminal that shows nothing must be put right. */
async function readLine(): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await readSome();
    if (chunk.length === 0 && chunks.length === 0) return undefined;
    chunks.push(chunk);
    if (chunk.length === 0 || chunk.includes(0x0a)) break;
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0]!;
}

async function readSome(): Promise<Buffer> {
  const buffer = Buffer.alloc(4096);
  for (;;) {
    try {
      return await new Promise((resolve, reject) =>
        read(0, buffer, 0, buffer.length, null, (error, length) => (error ? reject(error) : resolve(buffer.subarray(0, length)))),
      );
    } catch (error) {
      // A terminal that another process made non-blocking.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(20);
    }
  }
}
