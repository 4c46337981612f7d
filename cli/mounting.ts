import { EngineError } from '../core/errors.ts';
import { isJsonFormat } from './format/report.ts';

/** `--format` of `mount` and `image mount`: only JSON. Throws INVALID_ARGUMENT. */
export function mountFormat(format: string | undefined): 'json' | undefined {
  if (format === undefined || format === '') return undefined;
  if (isJsonFormat(format)) return 'json';
  throw new EngineError('INVALID_ARGUMENT', `unknown --format argument: ${JSON.stringify(format)}`);
}
