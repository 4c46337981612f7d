/** `pull --all-tags`: every tag that a registry has of a repository. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { formatReference, repositoryOf, type Reference } from '../../storage/reference.ts';
import { endpointsOf } from '../../storage/registries.ts';
import { listTags } from '../../storage/registry/catalog.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { Registry } from '../../storage/registry/registry.ts';
import { resolveForPull } from '../../storage/shortnames.ts';
import { registryAccess, type RegistryAccess, type RegistryChoice } from '../registry/access.ts';

const TAGS_LIMIT = 100_000;

/**
 * Full names, one for each tag; a tag or digest in `text` is passed over. Of a short name the first registry that has the repository counts.
 * Throws INVALID_REFERENCE, SHORT_NAME_UNRESOLVED, REGISTRY_*, MANIFEST_UNKNOWN.
 */
export async function allTags(
  text: string,
  choice: RegistryChoice & { readonly env: NodeJS.ProcessEnv; readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const access = await registryAccess(choice.env, choice);
  let failure: unknown;
  for (const { domain, path } of resolveForPull(text, access.conf).candidates) {
    try {
      const tags = await tagsOf({ domain, path }, access, choice.signal);
      return tags.map((tag) => formatReference({ domain, path, tag }));
    } catch (error) {
      if (!isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_ERROR', 'MANIFEST_UNKNOWN')) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** Of the registry itself: a mirror need not have them all. */
async function tagsOf(repository: Reference, access: RegistryAccess, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { reference, insecure } = endpointsOf(access.conf, repository).at(-1)!;
  using registry = new Registry(reference.domain, {
    credentials: openCredentials(access.credentials),
    certificates: access.certificates,
    tlsVerify: access.tlsVerify ?? (insecure ? false : undefined),
  });
  const tags = await listTags(registry, reference.path, TAGS_LIMIT, signal);
  if (tags.length === 0) throw new EngineError('MANIFEST_UNKNOWN', `no tags in ${repositoryOf(repository)}`);
  return tags;
}
