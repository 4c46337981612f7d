/** The wording of Go's strconv in the errors of the grammars here. */
import { EngineError } from '../../../core/errors.ts';

export function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}

/** strconv.Atoi. Throws INVALID_ARGUMENT. */
export function parseAtoi(text: string): number {
  return decimal(text, 'Atoi', /^[+-]?\d+$/);
}

/** strconv.ParseInt with base 10. */
export function parseInt64(text: string): number {
  return decimal(text, 'ParseInt', /^[+-]?\d+$/);
}

/** strconv.ParseUint with base 10. `bits` bounds the value. */
export function parseUint(text: string, bits = 64): number {
  const value = decimal(text, 'ParseUint', /^\d+$/);
  if (value >= 2 ** bits) throw outOfRange(text, 'ParseUint');
  return value;
}

function decimal(text: string, verb: string, form: RegExp): number {
  if (!form.test(text)) throw invalid(`strconv.${verb}: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (Math.abs(value) >= 2 ** 63) throw outOfRange(text, verb);
  return value;
}

function outOfRange(text: string, verb: string): EngineError {
  return invalid(`strconv.${verb}: parsing ${JSON.stringify(text)}: value out of range`);
}
