import { EngineError } from '../../core/errors.ts';

/** IMAGE_CORRUPT in the words Podman passes on from its tar reader, and what exactly is wrong behind them. */
export function malformedTar(message: 'invalid tar header' | 'unexpected EOF' | 'unsupported', detail: string): EngineError {
  return new EngineError('IMAGE_CORRUPT', `archive/tar: ${message}: ${detail}`);
}
