import { EngineError, type ErrorCode } from '../core/errors.ts';
import { plainText } from '../core/plain.ts';
import type { Printer } from './print.ts';

/**
 * Throw what a command collected while it went on: one error as it is, several as a list. The exit status is that of the gravest:
 * `mildest` names the codes from the mildest up, whatever is not among them is graver.
 */
export function throwFailures(failures: readonly unknown[], mildest: readonly ErrorCode[]): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  const stranger = failures.find((error) => !(error instanceof EngineError));
  if (stranger !== undefined) throw stranger;
  const errors = failures as readonly EngineError[];
  const rank = ({ code }: EngineError): number => (mildest.includes(code) ? mildest.indexOf(code) : mildest.length);
  const gravest = errors.reduce((worst, error) => (rank(error) > rank(worst) ? error : worst));
  const list = errors.map(({ message }) => `\t* ${message}`);
  throw new EngineError(gravest.code, `${errors.length} errors occurred:\n${list.join('\n')}`, { cause: gravest });
}

/** Tell all but the last, which is thrown. */
export function throwLast(stderr: Printer, failures: readonly unknown[]): void {
  for (const error of failures.slice(0, -1)) stderr.line(`Error: ${plainText((error as Error).message)}`);
  if (failures.length > 0) throw failures.at(-1);
}
