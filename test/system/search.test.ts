import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { serveAnswers, type Answers } from '../fixtures/images/answers.ts';
import { freePort, testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

/** As Docker Hub's index answers. */
const HUB = {
  num_results: 3,
  query: 'box',
  results: [
    {
      name: 'busybox',
      description: 'Tiny\nbox of tools, and a text of more than 44 characters',
      star_count: 12,
      is_official: true,
      is_automated: false,
    },
    { name: 'team/auto', description: 'short é', star_count: 2, is_official: false, is_automated: true },
    { name: 'team/odd', description: 'red \u001b[31m and\rover', star_count: 0 },
  ],
};

describe.skipIf(!canRunRegistry || !canMakeImages)('search', () => {
  let host: TestHost;
  let registry: Registry;
  let secure: Registry;
  let hub: Answers;

  beforeAll(async () => {
    host = await testHost();
    [registry, secure] = await Promise.all([startRegistry(host), startRegistry(host, { secure: true })]);
    hub = await serveAnswers({ '/v1/search': HUB });
    const image = await builtFixture('busybox');
    for (const [name, tag] of [
      ['team/demo', '1.0'],
      ['team/demo', '2.0'],
      ['team/bb', 'latest'],
      ['alpha/team', 'x'],
      ['team', '1'],
    ] as const) {
      await pushFixture(image, registry, name, tag);
    }
    await pushFixture(image, secure, 'hidden/app', '1');
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  const search = (...args: readonly string[]) => host.lichen(['search', ...args]);

  test('finds the repositories of a catalog, the one called just so first, and opens no store for it', async () => {
    const { name } = registry;
    const gap = ' '.repeat(name.length + '/alpha/team'.length - 'NAME'.length + 2);
    const { stdout, stderr, exitCode } = await search(`${name}/team`);
    expect(stdout).toBe(
      `NAME${gap}DESCRIPTION\n${['team', 'alpha/team', 'team/bb', 'team/demo'].map((path) => `${`${name}/${path}`.padEnd(name.length + 13)}\n`).join('')}`,
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(existsSync(host.path(host.store))).toBe(false);
    expect((await search('--limit', '2', '--format', '{{.Name}}', `${name}/`)).stdout).toBe(`${name}/alpha/team\n${name}/team\n`);
    expect(await search(`${name}/none`)).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect(JSON.parse((await search('--format', 'json', '--limit', '1', `${name}/team/`)).stdout)).toEqual([
      { Index: name, Name: `${name}/team/bb`, Description: '', Stars: 0, Official: '', Automated: '', Tag: '' },
    ]);
  });

  test('lists the tags of a repository', async () => {
    const { name } = registry;
    // In the registry's own order.
    const listed = (await search('--list-tags', '--format', '{{.Name}} {{.Tag}}', `${name}/team/demo`)).stdout.trim().split('\n');
    expect(listed.toSorted()).toEqual([`${name}/team/demo 1.0`, `${name}/team/demo 2.0`]);
    const tags = listed.map((line) => line.slice(-3));
    expect((await search('--list-tags', '--limit', '1', `${name}/team/demo`)).stdout).toBe(
      `${'NAME'.padEnd(name.length + 12)}TAG\n${name}/team/demo  ${tags[0]}\n`,
    );
    expect(JSON.parse((await host.lichen(['image', 'search', '--list-tags', '--format', 'json', `${name}/team/demo`])).stdout)).toEqual([
      { Name: `${name}/team/demo`, Tags: tags },
    ]);
  });

  test('shows what an index of version 1 knows, made safe for a terminal (G14)', async () => {
    const columns = (await search('--compatible', `${hub.host}/box`)).stdout.split('\n').map((line) => line.split(/\s{2,}/));
    expect(columns).toEqual([
      ['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL', 'AUTOMATED'],
      [`${hub.host}/busybox`, 'Tiny box of tools, and a text of more than 4...', '12', '[OK]', ''],
      [`${hub.host}/team/auto`, 'short é', '2', '[OK]'],
      [`${hub.host}/team/odd`, 'red', '[31m and over', '0', ''],
      [''],
    ]);
    expect(hub.seen.at(-1)).toEqual({ url: '/v1/search?q=box&n=25', authorization: undefined });
    const whole = 'Tiny box of tools, and a text of more than 44 characters';
    expect((await search('--no-trunc', '--limit', '1', '--format', '{{.Description}}', `${hub.host}/box`)).stdout).toBe(`${whole}\n`);
    expect(JSON.parse((await search('--format', 'json', '--limit', '1', `${hub.host}/box`)).stdout)).toMatchObject([
      { Description: whole, Stars: 12, Official: '[OK]' },
    ]);
    for (const [filter, names] of [
      ['is-official', ['busybox']],
      ['is-official=false', ['team/auto', 'team/odd']],
      ['is-automated=true', ['team/auto']],
      ['stars=2', ['busybox', 'team/auto']],
    ] as const) {
      const { stdout } = await search('-f', filter, '--format', '{{.Name}}', `${hub.host}/box`);
      expect(stdout, filter).toBe(names.map((name) => `${hub.host}/${name}\n`).join(''));
    }
  });

  test('asks all search registries; one that fails does not matter as long as another answers', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    const conf = `${host.user.home}/registries.conf`;
    const env = { CONTAINERS_REGISTRIES_CONF: conf };
    await host.writeFile(conf, `unqualified-search-registries = ["${hub.host}", "${dead}", "${registry.name}"]\n`);
    const found = await host.lichen(['search', '--limit', '1', '--format', '{{.Index}} {{.Name}}', 'team/'], { env });
    expect(found).toMatchObject({ stdout: `${hub.host} ${hub.host}/busybox\n${registry.name} ${registry.name}/team/bb\n`, exitCode: 0 });
    expect(found.stderr).toContain('connection refused');
    await host.writeFile(
      conf,
      `unqualified-search-registries = ["${dead}"]\n[[registry]]\nlocation = "${registry.name}"\nblocked = true\n`,
    );
    const none = await host.lichen(['search', '--tls-verify=false', 'team'], { env });
    expect(none).toMatchObject({
      stderr: `Error: 1 error occurred:\n\t* couldn't search registry "${dead}": pinging container registry ${dead}: Get "http://${dead}/v2/": dial tcp ${dead}: connect: connection refused\n\n\n`,
      exitCode: 125,
    });
    expect((await host.lichen(['search', `${registry.name}/team`], { env })).stderr).toContain(`registry ${registry.name} is blocked in`);
  });

  test('shows what is behind a password and a CA of its own to those who have them', async () => {
    const { user, password } = secure.credentials!;
    await host.writeFile(`${host.user.home}/certs/ca.crt`, secure.ca!);
    const found = await search('--cert-dir', 'certs', '--creds', `${user}:${password}`, '--format', '{{.Name}}', `${secure.name}/app`);
    expect(found).toMatchObject({ stdout: `${secure.name}/hidden/app\n`, exitCode: 0 });
    const refused = await search('--cert-dir', 'certs', '--creds', `${user}:wrong`, `${secure.name}/app`);
    expect(refused.stderr).toContain(`\t* couldn't search registry "${secure.name}": authentication required\n`);
    expect((await search(`${secure.name}/app`)).stderr).toContain('certificate signed by unknown authority');
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await host.writeFile(`${host.user.home}/auth.json`, JSON.stringify({ auths: { [secure.name]: { auth } } }), 0o600);
    const tags = await search(
      '--authfile',
      'auth.json',
      '--tls-verify=false',
      '--list-tags',
      '--format',
      '{{.Tag}}',
      `${secure.name}/hidden/app`,
    );
    expect(tags.stdout).toBe('1\n');
  });

  test.each<[string[], string]>([
    [[], 'accepts 1 arg(s), received 0'],
    [['a', 'b'], 'accepts 1 arg(s), received 2'],
    [['--list-tags', '--filter', 'is-official', 'x.test/a'], 'filters are not applicable to list tags result'],
    [['--filter', 'stars=x', 'x.test/a'], 'incorrect value type for stars filter: strconv.Atoi: parsing "x": invalid syntax'],
    [['--filter', 'stars', 'x.test/a'], 'invalid filter "stars", should be stars=<value>'],
    [['--filter', 'foo=1', 'x.test/a'], 'invalid filter type "foo=1"'],
    [['--authfile', '/nosuch', 'x.test/a'], 'credential file is not accessible: faccessat /nosuch: no such file or directory'],
    [['--list-tags', 'x.test/Team'], '1 error occurred:\n\t* reference "Team" must be a docker reference'],
    [['--list-tags', 'x.test/'], '1 error occurred:\n\t* reference "" must be a docker reference'],
    [['bad..host/a'], 'invalid registry name "bad..host"'],
  ])('%j is refused', async (args, words) => {
    const { stderr, exitCode } = await search(...args);
    expect(stderr).toMatch(new RegExp(`^Error: ${RegExp.escape(words)}\n`));
    expect(exitCode).toBe(125);
  });

  test('a repository that is not there, and a field that is not there', async () => {
    expect(await search('--list-tags', `${registry.name}/team/none`)).toMatchObject({
      stderr: 'Error: 1 error occurred:\n\t* getting repository tags: fetching tags list: repository name not known to registry\n\n\n',
      exitCode: 125,
    });
    const { stderr } = await search('--format', '{{.Foo}}', `${registry.name}/team`);
    expect(stderr).toContain("can't evaluate field Foo in type types.ImageSearchReport");
  });
});
