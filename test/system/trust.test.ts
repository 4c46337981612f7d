import { readdirSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { testHost, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';

const POLICY = {
  default: [{ type: 'reject' }],
  transports: {
    docker: {
      'quay.io/a': [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' }],
      'docker.io': [{ type: 'insecureAcceptAnything' }],
      'registry.redhat.io': [
        { type: 'sigstoreSigned', keyPath: '/k' },
        { type: 'signedBy', keyType: 'GPGKeys', keyPaths: ['/a', '/b'] },
      ],
    },
    'docker-daemon': { '': [{ type: 'insecureAcceptAnything' }] },
    dir: { '/tmp/x': [{ type: 'reject' }] },
  },
};

describe.skipIf(!canRunRegistry || !canMakeImages)('image trust', () => {
  let host: TestHost;
  let registry: Registry;
  let own: string;
  beforeAll(async () => {
    host = await testHost();
    own = `${host.user.home}/.config/containers/policy.json`;
    registry = await startRegistry(host);
    await pushFixture(await builtFixture('busybox'), registry, 'team/bb', '1');
    await host.writeFile(`${host.user.home}/key.pub`, 'key');
    await host.writeFile(`${host.user.home}/shown.json`, JSON.stringify(POLICY));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const set = (...args: readonly string[]) => host.lichen(['image', 'trust', 'set', ...args]);
  const pull = (name = `${registry.name}/team/bb:1`) => host.lichen(['pull', '-q', '--retry', '0', name]);

  test('show prints the rules as a table, as JSON, or as they stand', async () => {
    const show = (...args: readonly string[]) => host.succeed(['image', 'trust', 'show', '--policypath', 'shown.json', ...args]);
    expect(await show()).toBe(
      [
        'TRANSPORT      NAME                TYPE            ID          STORE',
        'all            default             reject                      ',
        'dir            /tmp/x              reject                      ',
        'repository     docker.io           accept                      ',
        'repository     quay.io/a           signed                      ',
        'repository     registry.redhat.io  sigstoreSigned  N/A         ',
        'repository     registry.redhat.io  signed                      ',
        'docker-daemon                      accept                      ',
      ].join('\n'),
    );
    await host.writeFile(
      `${host.user.home}/stores/a.yaml`,
      'default-docker: {sigstore: https://d.example}\ndocker:\n  quay.io: {sigstore: https://old.example, lookaside: https://q.example}\n',
    );
    const stores = await show('-n', '--registrypath', 'stores');
    expect(stores.split('\n').map((line) => line.split(/ +/).at(-1))).toEqual([
      'https://d.example',
      'https://d.example',
      'https://d.example',
      'https://q.example',
      'https://d.example',
      'https://d.example',
      'https://d.example',
    ]);
    await host.writeFile(`${host.user.home}/stores/b.yaml`, 'docker: {quay.io: {lookaside: x}}');
    expect(await host.lichen(['image', 'trust', 'show', '--policypath', 'shown.json', '--registrypath', 'stores'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/"docker" namespace "quay.io" defined both in "stores\/b.yaml" and "stores\/a.yaml"/),
    });
    expect((await show('-n', 'quay.io')).split('\n')).toHaveLength(7);
    expect(await show('--json')).toContain(
      '  {\n    "transport": "repository",\n    "name": "registry.redhat.io",\n    "repo_name": "registry.redhat.io",\n    "type": "sigstoreSigned",\n    "gpg_id": "N/A"\n  },',
    );
    expect(JSON.parse(await show('-j'))).toMatchObject([
      { transport: 'all', name: '* (default)', repo_name: 'default', type: 'reject' },
      {},
      {},
      {},
      {},
      {},
      { transport: 'docker-daemon', type: 'accept' },
    ]);
    expect(await show('--raw')).toBe(JSON.stringify(POLICY));
    expect(await host.lichen(['image', 'trust', 'show', '--policypath', '/nosuch'])).toMatchObject({ exitCode: 125 });
    expect(await host.succeed(['image', 'trust', 'show'])).toMatch(/\nall {9}default {5}accept/);
  });

  test('a rule that was set holds at the next pull, for the most specific scope, whatever was pulled before (G18)', async () => {
    expect((await pull()).exitCode).toBe(0);
    expect(await set('-t', 'reject', registry.name)).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    const rejected = await pull();
    expect(rejected.stderr).toContain(`Source image rejected: Running image docker://${registry.name}/team/bb:1 is rejected by policy.`);
    expect(rejected.exitCode).toBe(125);
    await set('--type', 'accept', `${registry.name}/team`);
    expect((await pull()).exitCode).toBe(0);
    for (const type of ['signedBy', 'sigstoreSigned']) {
      await set('-t', type, '-f', 'key.pub', `${registry.name}/team/bb`);
      const unsigned = await pull();
      expect(unsigned.stderr).toContain(`needs a signature (${type}), and signatures cannot be checked`);
      expect(unsigned.exitCode).toBe(125);
    }
    await set('-t', 'accept', `${registry.name}/team/bb`);
    expect((await pull()).exitCode).toBe(0);
    await set('-t', 'reject', 'default');
    const archive = `docker-archive:${host.fixture(await fixturePath('busybox'))}`;
    expect((await pull(archive)).stderr).toContain('is rejected by policy');
    expect((await host.lichen(['load', '-i', archive.slice('docker-archive:'.length)])).stderr).toContain('is rejected by policy');
    await set('-t', 'accept', 'default');
    expect((await pull(archive)).exitCode).toBe(0);
  });

  test('the file keeps what else is in it and its mode, and nothing is left beside it', async () => {
    await host.writeFile(own, JSON.stringify(POLICY));
    await chmod(host.path(own), 0o640);
    await set('-t', 'signedBy', '-f', 'key.pub', '-f', 'shown.json', 'quay.io/c');
    const { transports, ...rest } = JSON.parse(await host.readFile(own)) as typeof POLICY;
    expect(rest).toEqual({ default: POLICY.default });
    const { home } = host.user;
    expect(transports).toEqual({
      ...POLICY.transports,
      docker: {
        ...POLICY.transports.docker,
        'quay.io/c': ['key.pub', 'shown.json'].map((name) => ({ type: 'signedBy', keyType: 'GPGKeys', keyPath: `${home}/${name}` })),
      },
    });
    expect(statSync(host.path(own)).mode & 0o777).toBe(0o640);
    expect(readdirSync(host.path(`${home}/.config/containers`))).toEqual(['policy.json']);
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => set('-t', 'reject', `${name}.test`)));
    expect(Object.keys((JSON.parse(await host.readFile(own)) as typeof POLICY).transports.docker)).toEqual(
      expect.arrayContaining(['a.test', 'b.test', 'c.test', 'd.test']),
    );
  });

  test.each<[string[], string]>([
    [[], 'accepts 1 arg(s), received 0'],
    [['-t', 'foo', 'quay.io'], "invalid choice: foo (choose from 'accept', 'reject', 'signedBy', 'sigstoreSigned')"],
    [['quay.io'], "at least one public key must be defined for type 'signedBy'"],
    [['-t', 'accept', '-f', 'key.pub', 'quay.io'], '1 public keys unexpectedly provided for trust type accept'],
    [['-f', '/nosuch', 'quay.io'], 'public key /nosuch: no such file or directory'],
    [['-t', 'reject', 'a b'], 'invalid image uri: a b: not a registry, namespace or repository'],
    [['-t', 'reject', 'docker://quay.io'], 'invalid image uri: docker://quay.io: not a registry, namespace or repository'],
    [['-t', 'reject', 'quay.io/Upper'], 'invalid image uri: quay.io/Upper: not a registry, namespace or repository'],
  ])('set %j is refused', async (args, words) => {
    expect(await set(...args)).toMatchObject({ stderr: `Error: ${words}\n`, exitCode: 125 });
  });

  test('a broken policy lets nothing through and is not written over (G18)', async () => {
    await host.writeFile(own, '{"default": [{"type": "insecureAcceptAnything"}], "transport": {}}');
    for (const args of [
      ['pull', '-q', `${registry.name}/team/bb:1`],
      ['image', 'trust', 'set', '-t', 'accept', 'default'],
      ['image', 'trust', 'show'],
    ]) {
      const { stderr, exitCode } = await host.lichen(args);
      expect(stderr).toContain(`Error: invalid policy in "${own}": Unknown key "transport"`);
      expect(exitCode).toBe(125);
    }
    expect(await host.readFile(own)).toContain('"transport": {}');
  });

  test('sign is refused in one clear sentence', async () => {
    expect(await host.lichen(['image', 'sign', '--sign-by', 'me', 'x'])).toMatchObject({
      stderr: expect.stringMatching(/^Error: signing images is not supported\n/),
      exitCode: 125,
    });
  });
});
