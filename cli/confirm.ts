/** A question whose answer decides whether things are removed. */
import { readSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';

/** Asks on stdout, reads a line from stdin. Throws ABORTED (Podman's `EOF`) when there is none. */
export function confirm(context: CommandContext, warning: string): boolean {
  context.stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = readLine();
  if (answer === undefined) throw new EngineError('ABORTED', 'EOF');
  return answer.toLowerCase().startsWith('y');
}

function readLine(): string | undefined {
  const byte = Buffer.alloc(1);
  let line = '';
  for (;;) {
    const length = readByte(byte);
    if (length === 0) return line === '' ? undefined : line;
    if (byte[0] === 0x0a) return line;
    line += byte.toString('latin1');
  }
}

function readByte(byte: Buffer): number {
  for (;;) {
    try {
      return readSync(0, byte, 0, 1, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      // A terminal that another process made non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
