import { closeSync, openSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { exportVolume } from '../../libpod/volume/transfer.ts';
import { defineCommand } from '../command.ts';
import { volumeExportFace } from '../faces/volume-export.ts';
import { type Printer, printerTo } from '../print.ts';

export const command = defineCommand(volumeExportFace, async (context, [name = ''], { output }) => {
  if (output === undefined && context.stdout.isTerminal()) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot write to terminal, use command-line redirection or the --output flag');
  }
  const engine = await context.openEngine();
  const volume = engine.volumes.find(name);
  using target = output === undefined ? toPrinter(context.stdout) : toFile(output);
  await exportVolume(engine, volume, (bytes) => target.printer.write(bytes));
});

interface Target extends Disposable {
  readonly printer: Printer;
}

function toPrinter(printer: Printer): Target {
  return { printer, [Symbol.dispose]: () => undefined };
}

function toFile(path: string): Target {
  try {
    const fd = openSync(path, 'w', 0o666);
    return { printer: printerTo(fd), [Symbol.dispose]: () => closeSync(fd) };
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `unable to create export file ${path}: open ${path}: ${systemWords(cause)}`, { cause });
  }
}
