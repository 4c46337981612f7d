import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';

/** `path`, or the nearest directory above it that is there. */
export function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** Make something in `directory`, and take it away. Throws STORE_OWNER. */
export function tryWriting(directory: string): void {
  temporaryDirectory(directory)[Symbol.dispose]();
}

/** Empty when it is disposed of, or it stays. Throws STORE_OWNER. */
export function temporaryDirectory(parent: string): Disposable & { readonly path: string } {
  try {
    const path = mkdtempSync(join(parent, '.lichen-doctor-'));
    return { path, [Symbol.dispose]: () => rmdirSync(path) };
  } catch (error) {
    throw new EngineError('STORE_OWNER', `${parent}: ${systemWords(error)}`, {
      cause: error,
      hint: 'choose other directories with --root and --runroot, or LICHEN_ROOT',
    });
  }
}
