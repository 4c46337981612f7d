import { writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { systemWords } from '../core/system-words.ts';

/** `--digestfile`. Throws INVALID_ARGUMENT. */
export function writeDigest(path: string, digest: string): void {
  try {
    writeFileSync(path, digest);
  } catch (cause) {
    const words = `open ${path}: ${systemWords(cause)}`;
    throw new EngineError('INVALID_ARGUMENT', words, { cause });
  }
}
