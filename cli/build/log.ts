/** `build --logfile`: what a build says, without what it comes to, in a file; with `--logsplit` in one for each platform. */
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { printerTo, type Printer } from '../print.ts';

export interface BuildLog extends Disposable {
  readonly printer: Printer;
}

export interface LogFlags {
  readonly logfile?: string | undefined;
  readonly logsplit: boolean;
}

/** `platform`: where there are several. `isFirst`: what the file had is no more. Throws INVALID_ARGUMENT. */
export function openLog(
  cwd: string,
  { logfile, logsplit }: LogFlags,
  platform: string | undefined,
  isFirst: boolean,
): BuildLog | undefined {
  if (logfile === undefined || logfile === '') return undefined;
  const isOwn = logsplit && platform !== undefined;
  const path = isOwn ? `${logfile}_${platform.replaceAll('/', '_')}` : logfile;
  try {
    const fd = openSync(resolve(cwd, path), isFirst || isOwn ? 'w' : 'a', 0o600);
    return { printer: printerTo(fd), [Symbol.dispose]: () => closeSync(fd) };
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `--logfile: open ${path}: ${systemWords(cause)}`, { cause });
  }
}
