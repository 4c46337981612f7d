/** Our terminal and the one in a container, copied to each other until the latter is at its end. */
import { closeSync, read, writeSync } from 'node:fs';
import { onResize, rawMode, setTerminalSize, terminalSize } from '../../host/terminal.ts';
import { printerTo } from '../print.ts';

/** `master` is closed at its end. */
export function relay(master: number): { end(): Promise<void> } {
  const raw = rawMode();
  const size = terminalSize();
  if (size !== undefined) setTerminalSize(master, size);
  const resizes = onResize((changed) => setTerminalSize(master, changed));
  const typed = (bytes: Buffer): void => {
    try {
      writeSync(master, bytes);
    } catch {
      // Nobody reads there any more.
    }
  };
  process.stdin.on('data', typed);
  const shown = show(master);
  return {
    end: async () => {
      await shown;
      process.stdin.off('data', typed);
      process.stdin.pause();
      resizes[Symbol.dispose]();
      raw[Symbol.dispose]();
      closeSync(master);
    },
  };
}

/** Until the last process has closed it, which reads as EIO. */
async function show(master: number): Promise<void> {
  const out = printerTo(1);
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    const length = await new Promise<number>((resolve) =>
      read(master, buffer, 0, buffer.length, null, (error, count) => resolve(error ? 0 : count)),
    );
    if (length === 0) return;
    out.write(buffer.subarray(0, length));
  }
}
