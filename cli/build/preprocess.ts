/** `Containerfile.in`: put through the C preprocessor of this machine, as Podman does. */
import { EngineError } from '../../core/errors.ts';
import { runHelper } from '../../host/process.ts';
import type { ContextDirectory } from './place.ts';

export function isPreprocessed(path: string): boolean {
  return path.endsWith('.in');
}

/** What `#include "…"` names is looked for in the context. Throws HELPER_MISSING, HELPER_FAILED (its own words), NOT_SUPPORTED: others have written it, and it could read what is ours. */
export async function preprocess(text: Uint8Array, context: ContextDirectory, flags: readonly string[]): Promise<Buffer> {
  if (context.isForeign)
    throw new EngineError('NOT_SUPPORTED', `a Containerfile whose name ends with .in is not preprocessed in ${context.name}`, {
      hint: 'It could include files of this machine. Fetch the context into a directory and build that.',
    });
  const args = ['-E', '-iquote', context.path, '-traditional', '-undef', ...flags, '-'];
  const { stdout } = await runHelper('cpp', args, { input: text, package: 'cpp' });
  return Buffer.from(stdout);
}
