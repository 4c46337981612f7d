/**
 * What a registry has: tags of a repository and names of repositories (distribution-spec, "Content Discovery"; the catalog is distribution's),
 * and the search of Docker Hub's index (version 1). Answers come in pages; the next one is asked of the same registry, whatever host a link names.
 */
import * as v from 'valibot';
import { EngineError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { registryFailure } from './failure.ts';
import { readBody, type HttpResponse } from './http.ts';
import { printable } from './printable.ts';
import type { Registry, RegistryRequest } from './registry.ts';

export interface Found {
  /** Without the registry. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}

const PAGE_LIMIT_BYTES = 4 * 2 ** 20;
/** A registry that leads us from page to page for ever. */
const PAGES_LIMIT = 2000;

/** At most `limit` tags, in the order the registry gives them. Throws MANIFEST_UNKNOWN, REGISTRY_*: `fetching tags list: …`. */
export async function listTags(registry: Registry, path: string, limit: number, signal?: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  const request = { path: `/v2/${path}/tags/list`, repository: { path, actions: 'pull' }, signal } as const;
  for await (const page of pages(registry, request, Tags, 'fetching tags list')) {
    tags.push(...(page.tags ?? []).map((tag) => printable(tag, 200)));
    if (tags.length >= limit) break;
  }
  return tags.slice(0, limit);
}

/** Repositories of the catalog that hold `term`, the one called just so first. Throws REGISTRY_*. */
export async function searchCatalog(registry: Registry, term: string, limit: number, signal?: AbortSignal): Promise<readonly Found[]> {
  const names: string[] = [];
  const request = { path: '/v2/_catalog', scope: 'registry:catalog:*', signal };
  for await (const page of pages(registry, request, Catalog, '')) {
    for (const name of page.repositories ?? []) {
      if (names.length >= limit || !name.includes(term)) continue;
      if (name === term) names.unshift(name);
      else names.push(name);
    }
    if (names.length >= limit) break;
  }
  return names.map((name) => ({ name: printable(name, 300), description: '', stars: 0, official: false, automated: false }));
}

/** What an index of version 1 answers, asked without credentials; undefined where the registry has none. Throws REGISTRY_* for an answer of another form. */
export async function searchIndex(
  registry: Registry,
  term: string,
  limit: number,
  signal?: AbortSignal,
): Promise<readonly Found[] | undefined> {
  const query = new URLSearchParams({ q: term, n: String(limit) });
  const response = await registry.send({ path: `/v1/search?${query.toString()}`, anonymous: true, signal });
  if (response.status !== 200) {
    response.body.destroy();
    return undefined;
  }
  const { results } = await readDocument(response, Index, 'search results');
  return (results ?? []).slice(0, limit).map(({ name, description, star_count, is_official, is_automated }) => ({
    name: printable(name, 300),
    description: printable(description ?? '', 4096),
    stars: star_count ?? 0,
    official: is_official ?? false,
    automated: is_automated ?? false,
  }));
}

const Texts = v.nullish(v.array(v.string()));
const Tags = v.object({ tags: Texts });
const Catalog = v.object({ repositories: Texts });
const Index = v.object({
  results: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        description: v.nullish(v.string()),
        star_count: v.nullish(v.number()),
        is_official: v.nullish(v.boolean()),
        is_automated: v.nullish(v.boolean()),
      }),
    ),
  ),
});

async function* pages<T extends v.GenericSchema>(
  registry: Registry,
  request: RegistryRequest,
  schema: T,
  action: string,
): AsyncGenerator<v.InferOutput<T>> {
  const seen = new Set<string>();
  for (let path: string | undefined = request.path; path !== undefined;) {
    if (seen.has(path) || seen.size === PAGES_LIMIT)
      throw new EngineError('REGISTRY_ERROR', `${action || 'reading the catalog'}: the pages have no end`);
    seen.add(path);
    const response = await registry.send({ ...request, path });
    if (response.status !== 200) throw await failure(response, action);
    const page = await readDocument(response, schema, action || 'catalog');
    path = nextPath(response);
    yield page;
  }
}

async function readDocument<T extends v.GenericSchema>(response: HttpResponse, schema: T, what: string): Promise<v.InferOutput<T>> {
  const json = parseJson(await readBody(response, PAGE_LIMIT_BYTES), what, 'REGISTRY_ERROR');
  // To valibot a list is an object like any other.
  const parsed = v.safeParse(schema, Array.isArray(json) ? undefined : json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new EngineError('REGISTRY_ERROR', `${what}: ${v.getDotPath(issue) ?? 'document'}: ${printable(issue.message, 200)}`);
}

/** RFC 8288. Only path and query of the link are used. */
function nextPath({ headers, url }: HttpResponse): string | undefined {
  const target = /^\s*<([^>]*)>/.exec(headers['link'] ?? '')?.[1];
  const next = target === undefined ? null : URL.parse(target, url);
  return next === null ? undefined : `${next.pathname}${next.search}`;
}

/** As Podman prints these: the registry's message without its code. */
async function failure(response: HttpResponse, action: string): Promise<EngineError> {
  const { code, message, hint } = await registryFailure(response, '');
  const said = message.replace(/^: /, '').replace(/^(unauthorized|name unknown|denied): /, '');
  return new EngineError(code, action === '' ? said : `${action}: ${said}`, hint === undefined ? {} : { hint });
}
