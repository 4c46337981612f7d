import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatReference, parseReference } from '../../storage/reference.ts';
import { endpointsOf, loadRegistriesConf, type RegistriesConf } from '../../storage/registries.ts';
import { localCandidates, resolveForPull } from '../../storage/shortnames.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lichen-registries-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function load(env: NodeJS.ProcessEnv = {}): Promise<RegistriesConf> {
  return loadRegistriesConf({ config: join(root, 'user'), system: join(root, 'system'), cache: join(root, 'cache'), env });
}

function pull(text: string, conf: RegistriesConf): readonly string[] {
  return resolveForPull(text, conf).candidates.map(formatReference);
}

describe('short names', () => {
  test('mean docker.io, with a notice, when nothing is configured', async () => {
    const conf = await load();
    const { candidates, notice } = resolveForPull('alpine', conf);
    expect(candidates.map(formatReference)).toEqual(['docker.io/library/alpine:latest']);
    expect(notice).toContain('docker.io');
  });

  test('are refused in Podman’s words when the list of registries is empty on purpose', async () => {
    write('user/registries.conf', 'unqualified-search-registries = []\n');
    const conf = await load();
    expect(() => resolveForPull('nosuch', conf)).toThrow(
      expect.objectContaining({
        code: 'SHORT_NAME_UNRESOLVED',
        message: `short-name "nosuch" did not resolve to an alias and no unqualified-search registries are defined in "${root}/user/registries.conf"`,
      }),
    );
  });

  test('are tried in every search registry in permissive mode, and refused in enforcing mode', async () => {
    write('user/registries.conf', 'unqualified-search-registries = ["a.io", "b.io/team"]\nshort-name-mode = "permissive"\n');
    expect(pull('x:1', await load())).toEqual(['a.io/x:1', 'b.io/team/x:1']);
    write('user/registries.conf', 'unqualified-search-registries = ["a.io", "b.io"]\n');
    const conf = await load();
    expect(() => resolveForPull('x', conf)).toThrow('short-name resolution enforced but cannot prompt without a TTY');
  });

  test('follow aliases; recorded ones win over configured ones, the tag typed is kept', async () => {
    write('system/registries.conf.d/shortnames.conf', '[aliases]\n"bb" = "quay.io/sys/bb"\n"cc" = "quay.io/sys/cc"\n');
    write('cache/short-name-aliases.conf', '[aliases]\n"bb" = "quay.io/mine/bb"\n');
    const conf = await load();
    expect(pull('bb:2', conf)).toEqual(['quay.io/mine/bb:2']);
    expect(pull('cc', conf)).toEqual(['quay.io/sys/cc:latest']);
    expect(pull('quay.io/bb', conf)).toEqual(['quay.io/bb:latest']);
  });

  test('are looked for locally under the alias, localhost, the search registries and docker.io', async () => {
    write('user/registries.conf', 'unqualified-search-registries = ["a.io"]\n[aliases]\nbb = "q.io/z/bb"\n');
    expect(localCandidates('bb', await load()).map(formatReference)).toEqual([
      'q.io/z/bb:latest',
      'localhost/bb:latest',
      'a.io/bb:latest',
      'docker.io/library/bb:latest',
    ]);
  });
});

describe('registries', () => {
  const CONF = `
[[registry]]
prefix = "example.com/team"
location = "mirror.local:5000/copy"
insecure = true
[[registry.mirror]]
location = "near.local/x"
[[registry.mirror]]
location = "digests.local/x"
pull-from-mirror = "digest-only"
[[registry]]
location = "example.com"
[[registry]]
prefix = "*.bad.io"
blocked = true
`;

  test('the longest prefix wins, mirrors come first, the rest of the name is kept', async () => {
    write('user/registries.conf', CONF);
    const conf = await load();
    expect(
      endpointsOf(conf, parseReference('example.com/team/app:1')).map((e) => [formatReference(e.reference), e.insecure, e.mirror]),
    ).toEqual([
      ['near.local/x/app:1', false, true],
      ['mirror.local:5000/copy/app:1', true, false],
    ]);
    expect(endpointsOf(conf, parseReference('example.com/teams/app:1'))).toMatchObject([
      { insecure: false, reference: { domain: 'example.com', path: 'teams/app' } },
    ]);
  });

  test('a blocked registry is refused, its namesakes are not', async () => {
    write('user/registries.conf', CONF);
    const conf = await load();
    expect(() => endpointsOf(conf, parseReference('x.bad.io/a:1'))).toThrow('registry *.bad.io is blocked');
    expect(endpointsOf(conf, parseReference('bad.io/a:1'))).toHaveLength(1);
  });

  test('later drop-ins replace entries of the same prefix', async () => {
    write('system/registries.conf', '[[registry]]\nlocation = "a.io"\n');
    write('system/registries.conf.d/10.conf', '[[registry]]\nlocation = "a.io"\nblocked = true\n');
    write('user/registries.conf.d/20.conf', '[[registry]]\nlocation = "a.io"\ninsecure = true\n');
    expect((await load()).registries).toMatchObject([{ prefix: 'a.io', insecure: true, blocked: false }]);
  });

  test('CONTAINERS_REGISTRIES_CONF replaces the main file', async () => {
    write('user/registries.conf', 'unqualified-search-registries = ["a.io"]');
    write('other.conf', 'unqualified-search-registries = ["b.io"]');
    expect((await load({ CONTAINERS_REGISTRIES_CONF: join(root, 'other.conf') })).unqualifiedSearch).toEqual(['b.io']);
  });

  test('a wildcard prefix keeps the rest of the name; a host without a dot is a host', async () => {
    write(
      'user/registries.conf',
      '[[registry]]\nprefix = "*.corp.io"\nlocation = "cache:5000/copies"\n[[registry]]\nprefix = "short.io"\nlocation = "cache"\n[[registry]]\nprefix = "*.as-is.io"\ninsecure = true\n',
    );
    const conf = await load();
    const [first] = endpointsOf(conf, parseReference('a.b.corp.io/team/app:1'));
    expect(first!.reference).toMatchObject({ domain: 'cache:5000', path: 'copies/team/app' });
    expect(endpointsOf(conf, parseReference('short.io/app:1'))[0]!.reference).toMatchObject({ domain: 'cache', path: 'app' });
    expect(endpointsOf(conf, parseReference('x.as-is.io/app:1'))).toMatchObject([{ insecure: true, reference: { domain: 'x.as-is.io' } }]);
    expect(endpointsOf(conf, parseReference('corp.io/app:1'))[0]!.reference.domain).toBe('corp.io');
  });

  test('pull-from-mirror and mirror-by-digest-only choose mirrors by what is asked for', async () => {
    write(
      'user/registries.conf',
      '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "d.io"\npull-from-mirror = "digest-only"\n[[registry.mirror]]\nlocation = "t.io"\npull-from-mirror = "tag-only"\n[[registry.mirror]]\nlocation = "m.io"\n[[registry]]\nlocation = "b.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.io"\n',
    );
    const conf = await load();
    const hosts = (name: string) => endpointsOf(conf, parseReference(name)).map(({ reference }) => reference.domain);
    const digest = `@sha256:${'a'.repeat(64)}`;
    expect(hosts('a.io/x:1')).toEqual(['t.io', 'm.io', 'a.io']);
    expect(hosts(`a.io/x${digest}`)).toEqual(['d.io', 'm.io', 'a.io']);
    expect(hosts('b.io/x:1')).toEqual(['b.io']);
    expect(hosts(`b.io/x${digest}`)).toEqual(['m.io', 'b.io']);
  });

  test.each([
    ['unqualified-search-registries = "a.io"', 'unqualified-search-registries must be an array'],
    ['short-name-mode = "maybe"', 'short-name-mode must be one of enforcing, permissive, disabled'],
    ['[[registry]]\nblocked = true', 'registry[0] needs a prefix or a location'],
    ['[[registry]]\nprefix = "a.io"', 'registry[0] needs a location'],
    ['[[registry]]\nlocation = "https://a.io"', 'registry[0].location must have no scheme'],
    ['[[registry]]\nlocation = "a.io//b"', 'registry[0].location is no place of a registry'],
    ['[[registry]]\nprefix = "a.*.io"\nlocation = "b.io"', 'registry[0].prefix may have a * only as in *.example.com'],
    ['[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\ninsecure = true', 'registry[0].mirror[0] needs a location'],
    [
      '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "all"',
      'registry[0].mirror[0].pull-from-mirror cannot be set beside mirror-by-digest-only',
    ],
    ['[aliases]\nx = "short"', 'aliases.x must be a full name without tag or digest'],
    ['[aliases]\nx = "a.io/b:1"', 'aliases.x must be a full name without tag or digest'],
    ['[registries.search]\nregistries = []', 'the version 1 format is not supported'],
    ['= nonsense', 'loading registries configuration'],
  ])('%j is a CONFIG error that names the file', async (text, message) => {
    write('user/registries.conf', text);
    await expect(load()).rejects.toThrow(expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(message) }));
    await expect(load()).rejects.toThrow(join(root, 'user/registries.conf'));
  });
});
