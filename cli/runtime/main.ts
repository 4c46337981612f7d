/** lichen-runtime: the embedded OCI runtime as a program of its own, for monitors and for other engines. */
import { appendFileSync } from 'node:fs';
import { isEngineError } from '../../core/errors.ts';
import { openLog } from '../../core/log.ts';
import { exitNow } from '../../host/exit.ts';
import { takeBackTuning } from '../../host/tuning.ts';
import { printerTo } from '../print.ts';
import { parseLine, type ParsedLine } from './flags.ts';
import { runRuntime } from './run.ts';

takeBackTuning();
void main(process.argv.slice(2), process.env);

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<never> {
  let line: ParsedLine | undefined;
  try {
    line = parseLine(argv);
    openLog(line.globals.has('debug') ? 'debug' : 'warn', (level, message) => complain(line, level, message));
    exitNow(await runRuntime(line, { stdout: printerTo(1), env }));
  } catch (error) {
    complain(line, 'error', wordsOf(error));
    exitNow(1);
  }
}

/** Into the log where there is one, in the format of crun's, which engines read. */
function complain(line: ParsedLine | undefined, level: string, message: string): void {
  const path = line?.globals.text('log');
  if (path === undefined || path === '') {
    printerTo(2).line(`${level}: ${message}`);
    return;
  }
  const time = new Date().toISOString();
  const entry =
    line?.globals.text('log-format') === 'json' ? JSON.stringify({ msg: message, level, time }) : `${time}: ${level}: ${message}`;
  try {
    appendFileSync(path, `${entry}\n`, { mode: 0o600 });
  } catch {
    printerTo(2).line(`${level}: ${message}`);
  }
}

function wordsOf(error: unknown): string {
  if (isEngineError(error)) return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
