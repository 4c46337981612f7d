import { Writable } from 'node:stream';
import { EngineError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { OutputClosed } from './print.ts';

/**
 * Where an archive goes: the file of `--output`, or stdout.
 * Throws INVALID_ARGUMENT for a terminal (in the words of `refusal`) and for a name that would be taken for PATH:NAME.
 */
export function archiveOutput(context: CommandContext, output: string | undefined, refusal: string): string | Writable {
  if (output === undefined || output === '') {
    if (context.stdout.isTerminal()) throw new EngineError('INVALID_ARGUMENT', refusal);
    return standardOutput();
  }
  if (output.includes(':')) {
    throw new EngineError('INVALID_ARGUMENT', `invalid filename (should not contain ':') ${JSON.stringify(output)}`);
  }
  return output;
}

/** A reader that goes away ends us quietly. */
function standardOutput(): Writable {
  process.stdout.on('error', () => undefined);
  return new Writable({
    highWaterMark: 2 ** 20,
    write: (chunk: Buffer, _encoding, done) => {
      process.stdout.write(chunk, (error) => {
        done(error && 'code' in error && error.code === 'EPIPE' ? new OutputClosed() : error);
      });
    },
  });
}
