/** `search`: repositories by a word, or the tags of one, in one registry or in all that short names are looked for in. */
import { mapConcurrent } from '../../core/concurrent.ts';
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { DEFAULT_DOMAIN, isDomain, parseReference, qualify, parseTyped, repositoryOf, type Reference } from '../../storage/reference.ts';
import { isInsecure } from '../../storage/registries.ts';
import { listTags, searchCatalog, searchIndex, type Found } from '../../storage/registry/catalog.ts';
import { openCredentials } from '../../storage/registry/credentials.ts';
import { Registry } from '../../storage/registry/registry.ts';
import type { RegistryAccess } from './access.ts';

export interface SearchRequest {
  /** `alpine`, `quay.io/alpine` */
  readonly term: string;
  /** Of each registry. 0: as many as Podman shows. */
  readonly limit: number;
  readonly filters: SearchFilters;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchFilters {
  readonly stars?: number;
  readonly official?: boolean;
  readonly automated?: boolean;
}

export interface SearchResult {
  readonly registry: string;
  /** `quay.io/team/app` */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
  /** Empty unless tags were asked for. */
  readonly tag: string;
}

/** What an index and a list of tags show where no limit was given. */
const USUAL_LIMIT = 25;
const AT_ONCE = 6;

/** `is-official`, `is-automated=false`, `stars=3`. Throws INVALID_ARGUMENT. */
export function parseSearchFilters(texts: readonly string[]): SearchFilters {
  const filters: { stars?: number; official?: boolean; automated?: boolean } = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? undefined : text.slice(equals + 1);
    if (key === 'is-official') filters.official = value !== 'false';
    else if (key === 'is-automated') filters.automated = value !== 'false';
    else if (key === 'stars') filters.stars = parseStars(text, value);
    else throw new EngineError('INVALID_ARGUMENT', `invalid filter type ${JSON.stringify(text)}`);
  }
  return filters;
}

/**
 * Those of the first registry first. A registry that fails is passed over as long as another answers.
 * Throws REGISTRY_* listing what each registry said when none does; SHORT_NAME_UNRESOLVED when there is none to ask.
 */
export async function searchImages(access: RegistryAccess, request: SearchRequest): Promise<readonly SearchResult[]> {
  const { term, domains } = whereToSearch(access, request.term);
  return inEach(domains, async (domain) => {
    const found = await searchOne(access, domain, term, request).catch((error: unknown) => {
      throw prefixed(`couldn't search registry ${JSON.stringify(domain)}`, error);
    });
    return found.filter((one) => suits(one, request.filters)).map((one) => resultOf(domain, one));
  });
}

/** One result for each tag. */
export async function searchTags(access: RegistryAccess, request: SearchRequest): Promise<readonly SearchResult[]> {
  const { term, domains } = whereToSearch(access, request.term);
  return inEach(domains, async (domain) => {
    const reference = parseRepository(domain, term);
    using registry = openRegistry(access, domain);
    const limit = limitOf(request);
    const tags = await listTags(registry, reference.path, limit, request.signal).catch((error: unknown) => {
      throw prefixed('getting repository tags', error);
    });
    const name = repositoryOf(reference);
    return tags.map((tag) => ({ registry: domain, name, description: '', stars: 0, official: false, automated: false, tag }));
  });
}

function parseStars(text: string, value: string | undefined): number {
  if (value === undefined) throw new EngineError('INVALID_ARGUMENT', `invalid filter ${JSON.stringify(text)}, should be stars=<value>`);
  if (!/^[+-]?\d+$/.test(value)) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `incorrect value type for stars filter: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }
  return Number(value);
}

/** What stands before the first slash is a registry where it looks like one. */
function whereToSearch({ conf }: RegistryAccess, text: string): { readonly term: string; readonly domains: readonly string[] } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  if (slash !== -1 && (first === 'localhost' || /[.:]/.test(first))) {
    if (!isDomain(first)) throw new EngineError('INVALID_ARGUMENT', `invalid registry name ${JSON.stringify(first.slice(0, 100))}`);
    return { term: text.slice(slash + 1), domains: [first] };
  }
  return { term: text, domains: conf.unqualifiedSearch ?? [DEFAULT_DOMAIN] };
}

async function inEach(
  domains: readonly string[],
  work: (domain: string) => Promise<readonly SearchResult[]>,
): Promise<readonly SearchResult[]> {
  const failures: Error[] = [];
  const results = await mapConcurrent(domains, { limit: AT_ONCE }, async (domain) => {
    try {
      return await work(domain);
    } catch (error) {
      failures.push(error as Error);
      return undefined;
    }
  });
  if (failures.length > 0 && results.every((one) => one === undefined)) throw combined(failures);
  for (const { message } of failures) log.warn(message);
  return results.flatMap((one) => one ?? []);
}

/** Podman lists even a single error. */
function combined(failures: readonly Error[]): unknown {
  const [first] = failures;
  if (!(first instanceof EngineError)) return first;
  const lines = failures.map(({ message }) => `\t* ${message}\n`).join('');
  const count = failures.length === 1 ? '1 error' : `${failures.length} errors`;
  return new EngineError(first.code, `${count} occurred:\n${lines}\n`, {
    cause: first,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}

async function searchOne(
  access: RegistryAccess,
  domain: string,
  term: string,
  { signal, limit: asked, ...rest }: SearchRequest,
): Promise<readonly Found[]> {
  const limit = limitOf({ ...rest, limit: asked });
  if (limit <= 0) return [];
  using registry = openRegistry(access, domain === DEFAULT_DOMAIN ? HUB_INDEX : domain);
  // An index wants a word.
  const found = term === '' ? undefined : await searchIndex(registry, term, limit, signal);
  return found ?? searchCatalog(registry, term, limit, signal);
}

/** Docker Hub has no catalog: its search is at a host of its own. */
const HUB_INDEX = 'index.docker.io';

function openRegistry({ conf, credentials, certificates, tlsVerify }: RegistryAccess, domain: string): Registry {
  return new Registry(domain, {
    credentials: openCredentials(credentials),
    certificates,
    tlsVerify: tlsVerify ?? (isInsecure(conf, domain) ? false : undefined),
  });
}

function limitOf({ limit }: SearchRequest): number {
  return limit === 0 ? USUAL_LIMIT : limit;
}

function parseRepository(domain: string, term: string): Reference {
  try {
    return parseReference(repositoryOf(qualify(parseTyped(term), domain)));
  } catch (cause) {
    throw new EngineError('INVALID_REFERENCE', `reference ${JSON.stringify(term.slice(0, 300))} must be a docker reference`, { cause });
  }
}

function suits({ stars, official, automated }: Found, filters: SearchFilters): boolean {
  if (filters.stars !== undefined && stars < filters.stars) return false;
  if (filters.official !== undefined && official !== filters.official) return false;
  return filters.automated === undefined || automated === filters.automated;
}

function resultOf(domain: string, found: Found): SearchResult {
  const path = domain === DEFAULT_DOMAIN && !found.name.includes('/') ? `library/${found.name}` : found.name;
  return { ...found, registry: domain, name: `${domain}/${path}`, tag: '' };
}

function prefixed(prefix: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const { code, message, hint, cause } = error;
  return new EngineError(code, `${prefix}: ${message}`, { cause, ...(hint === undefined ? {} : { hint }) });
}
