import { closeSync, openSync, readSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { createSecret } from '../../libpod/secret/create.ts';
import { SECRET_LIMIT_BYTES } from '../../libpod/secret/driver.ts';
import { parseLabel } from '../../libpod/spec/parse/env.ts';
import { callerEnvironment } from '../caller-env.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { secretCreateFace } from '../faces/secret-create.ts';

const STDIN = 0;

export const command = defineCommand(secretCreateFace, async (context, [name = '', source = ''], flags) => {
  // The engine first: it may begin anew in another process, which could not read stdin again.
  const engine = await context.openEngine();
  const data = flags.env ? fromVariable(context, source) : source === '-' ? fromStdin() : fromFile(source);
  const id = await createSecret(engine, {
    name,
    data,
    driver: flags.driver,
    options: flags['driver-opts'],
    labels: Object.fromEntries(flags.label.map(parseLabel)),
    ignoreExisting: flags.ignore,
    replace: flags.replace,
  });
  context.stdout.line(id);
});

function fromVariable({ env }: CommandContext, name: string): Buffer {
  const value = callerEnvironment(env)[name];
  if (value !== undefined) return Buffer.from(value);
  throw new EngineError('INVALID_ARGUMENT', `cannot create store secret data: environment variable ${name} is not set`);
}

function fromStdin(): Buffer {
  if (process.stdin.isTTY) throw new EngineError('INVALID_ARGUMENT', 'if `-` is used, data must be passed into stdin');
  return readUpTo(STDIN);
}

function fromFile(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(cause)}`, { cause });
  }
  try {
    return readUpTo(fd);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `read ${path}: ${systemWords(cause)}`, { cause });
  } finally {
    closeSync(fd);
  }
}

/** One byte too many is enough to know: an endless source is refused as well. */
function readUpTo(fd: number): Buffer {
  const buffer = Buffer.alloc(SECRET_LIMIT_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}
