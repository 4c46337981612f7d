/** `--cache-from` and `--cache-to`. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { RepositoryChoice } from '../../libpod/build/step-repositories.ts';
import { parseReference, repositoryOf, type Reference } from '../../storage/reference.ts';
import type { CommandContext } from '../command.ts';
import { registryChoice } from '../pulling.ts';
import type { BuildFlags } from './request.ts';

/** Undefined: there is nothing for them to do, without layers. Throws INVALID_ARGUMENT. */
export async function readRepositories(context: CommandContext, flags: BuildFlags): Promise<RepositoryChoice | undefined> {
  const { 'cache-from': typedFrom, 'cache-to': typedTo } = flags;
  const from = repositories('cache-from', typedFrom);
  const to = repositories('cache-to', typedTo);
  if (flags.layers) return { from, to, registry: await registryChoice(context, flags) };
  context.stderr.line(`${typedTo.length > 0 ? '--cache-to' : '--cache-from'} does nothing with --layers=false`);
  return undefined;
}

function repositories(flag: string, typed: readonly string[]): readonly string[] {
  const failed = (why: string, cause?: unknown): EngineError =>
    new EngineError('INVALID_ARGUMENT', `unable to parse value provided \`[${typed.join(' ')}]\` to --${flag}: ${why}`, {
      cause,
      // Docker's form.
      ...(typed.some((text) => text.includes('=')) ? { hint: `Write the repository alone: --${flag} quay.io/team/cache` } : {}),
    });
  const names = typed.map((text) => {
    const { tag, digest, ...repository } = parsed(text, failed);
    if (tag !== undefined || digest !== undefined) throw failed(`repository must contain neither a tag nor digest: ${text}`);
    return repositoryOf(repository);
  });
  return [...new Set(names)];
}

function parsed(text: string, failed: (why: string, cause: unknown) => EngineError): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    if (!isEngineError(error, 'INVALID_REFERENCE')) throw error;
    const why = /[A-Z]/.test(text) ? ': repository name must be lowercase' : '';
    throw failed(`invalid repo ${JSON.stringify(text)}: must contain registry and repository: invalid reference format${why}`, error);
  }
}
