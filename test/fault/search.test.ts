import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryAccess } from '../../libpod/registry/access.ts';
import { searchImages, searchTags } from '../../libpod/registry/search.ts';
import { loadRegistriesConf } from '../../storage/registries.ts';
import { type Answer, serveAnswers } from '../fixtures/images/answers.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-search-'));
});
afterEach(() => rmSync(root, { recursive: true }));

async function access(): Promise<RegistryAccess> {
  const env = { HOME: root };
  return {
    conf: await loadRegistriesConf({ config: root, system: join(root, 'system'), env }),
    credentials: { creds: 'user:hunter2', env },
    certificates: { config: root, system: [], env },
    tlsVerify: undefined,
  };
}

const names = async (term: string, limit = 0): Promise<string[]> =>
  (await searchImages(await access(), { term, limit, filters: {} })).map(({ name }) => name.slice(name.indexOf('/') + 1));
const tags = async (term: string, limit = 0): Promise<string[]> =>
  (await searchTags(await access(), { term, limit, filters: {} })).map(({ tag }) => tag);

/** Pages of `size`, linked as distribution does it. */
const paged = (all: readonly string[], size: number, field: string, link: (path: string, host: string) => string): Answer => {
  return (request, response, host) => {
    const url = new URL(request.url!, `http://${host}`);
    const start = all.indexOf(url.searchParams.get('last') ?? '') + 1;
    const page = all.slice(start, start + size);
    if (start + size < all.length) {
      response.setHeader('link', `<${link(`${url.pathname}?n=${size}&last=${page.at(-1)!}`, host)}>; rel="next"`);
    }
    response.end(JSON.stringify({ [field]: page }));
  };
};

const REPOSITORIES = Array.from({ length: 60 }, (_, index) => `team/app${index}`);

test('the pages of a catalog and of tags are read until there are enough', async () => {
  await using registry = await serveAnswers({
    '/v2/_catalog': paged(REPOSITORIES, 10, 'repositories', (path) => path),
    '/v2/team/app/tags/list': paged(
      REPOSITORIES.map((name) => name.slice(5)),
      7,
      'tags',
      (path, host) => `http://${host}${path}`,
    ),
  });
  expect(await names(`${registry.host}/app`, 35)).toEqual(REPOSITORIES.slice(0, 35));
  expect(registry.seen.filter(({ url }) => url.startsWith('/v2/_catalog'))).toHaveLength(4);
  expect(await names(`${registry.host}/app59`)).toEqual(['team/app59']);
  expect(await tags(`${registry.host}/team/app`, 20)).toHaveLength(20);
  expect(await tags(`${registry.host}/team/app`)).toHaveLength(25);
});

test('the next page is asked of the same registry, whatever host the link names (G04)', async () => {
  await using stranger = await serveAnswers({});
  await using registry = await serveAnswers({
    '/v2/_catalog': paged(REPOSITORIES, 30, 'repositories', (path) => `http://${stranger.host}${path}`),
  });
  expect(await names(`${registry.host}/app`, 60)).toHaveLength(60);
  expect(stranger.seen).toEqual([]);
});

test('pages in a circle, and without end, are given up (G11)', async () => {
  let page = 0;
  await using registry = await serveAnswers({
    '/v2/_catalog': (_, response) => response.setHeader('link', '</v2/_catalog>; rel="next"').end('{"repositories":[]}'),
    '/v2/x/tags/list': (_, response) => response.setHeader('link', `</v2/x/tags/list?last=${page++}>; rel="next"`).end('{"tags":[]}'),
  });
  await expect(names(`${registry.host}/app`)).rejects.toThrow('reading the catalog: the pages have no end');
  await expect(tags(`${registry.host}/x`)).rejects.toThrow('fetching tags list: the pages have no end');
});

test.each<[string, string]>([
  ['of more than 4 MiB', `{"repositories":["${'x'.repeat(2 ** 22)}"]}`],
  ['that is no JSON', '<html>\u001b[2J'],
  ['with repositories that are no texts', '{"repositories":[1]}'],
  ['that is a list', '[]'],
])('a catalog %s is refused (G08)', async (_, body) => {
  await using registry = await serveAnswers({ '/v2/_catalog': (_request, response) => response.end(body) });
  const failure = (await names(`${registry.host}/x`).catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ code: 'REGISTRY_ERROR' });
  // oxlint-disable-next-line no-control-regex -- that there is none is the point
  expect(failure.message).not.toMatch(/\u001b/);
});

test('an index of version 1 gets no credentials, and one that wants them is passed over for the catalog (G05)', async () => {
  await using registry = await serveAnswers({
    '/v1/search': (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    '/v2/_catalog': { repositories: ['team/app'] },
  });
  expect(await names(`${registry.host}/app`)).toEqual(['team/app']);
  expect(registry.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
});
