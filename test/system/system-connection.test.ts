/** `system connection`: the list of destinations that other programs share with us, and `system renumber`. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { canMakeImages } from '../fixtures/build/images.ts';
import { testHost, type TestHost } from '../host/host.ts';

let host: TestHost;
const FILE = '.config/containers/podman-connections.json';

function connection(...words: readonly string[]) {
  return host.lichen(['system', 'connection', ...words]);
}

async function stored(): Promise<unknown> {
  return JSON.parse(await host.readFile(`/home/tester/${FILE}`));
}

describe.skipIf(!canMakeImages)('system connection', () => {
  beforeAll(async () => {
    host = await testHost();
  });
  beforeEach(async () => {
    await host.run(['rm', '-f', FILE]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('destinations are kept in the file that Podman uses; the first is the default until another is', async () => {
    expect(await connection('add', 'a', 'tcp://h:1')).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    await connection('add', '--tls-ca', '/ca', '--tls-cert', '/cert', '--tls-key', '/key', 'b', 'tcp://h:2');
    await connection('add', '--default', '--identity', '/id', 'c', 'ssh://root@host/run/podman.sock');
    await connection('add', '--port', '99', '--socket-path', '/a/b', 'd', 'user@host');
    expect(await connection('add', 'e', 'unix:///none.sock')).toMatchObject({
      stderr: expect.stringContaining('"/none.sock\\" does not exist'),
      exitCode: 0,
    });
    expect(await stored()).toEqual({
      Farm: {},
      Connection: {
        Default: 'c',
        Connections: {
          a: { URI: 'tcp://h:1' },
          b: { URI: 'tcp://h:2', TLSCA: '/ca', TLSCert: '/cert', TLSKey: '/key' },
          c: { URI: 'ssh://root@host:22/run/podman.sock', Identity: '/id' },
          d: { URI: 'ssh://user@host:99/a/b' },
          e: { URI: 'unix:///none.sock' },
        },
      },
    });
    await connection('default', 'a');
    await connection('rename', 'a', 'z');
    await connection('remove', 'e');
    await connection('remove', 'nobody');
    const { stdout } = await connection('list', '--format', '{{.Name}} {{.URI}} {{.Identity}} {{.Default}} {{.ReadWrite}}');
    expect(stdout).toBe(
      'b tcp://h:2  false true\nc ssh://root@host:22/run/podman.sock /id false true\nd ssh://user@host:99/a/b  false true\nz tcp://h:1  true true\n',
    );
    await connection('rename', 'z', 'b');
    expect((await connection('ls', '--quiet')).stdout).toBe('b\nc\nd\n');
    expect(JSON.parse((await connection('ls', '--format', 'json')).stdout)).toContainEqual({
      Name: 'b',
      URI: 'tcp://h:1',
      Default: true,
      ReadWrite: true,
    });
    await connection('rm', '--all');
    expect(await stored()).toEqual({ Farm: {}, Connection: {} });
    expect((await connection('ls')).stdout).toBe('Name        URI         Identity    Default     ReadWrite\n');
    expect((await connection('ls', '--format=json')).stdout).toBe('[]\n');
  });

  test('what others wrote there is kept, and two who write at once both have their way', async () => {
    await host.writeFile(
      `/home/tester/${FILE}`,
      '{"Farm":{"List":{"f":["a"]}},"Connection":{"Connections":{"a":{"URI":"tcp://h:1","IsMachine":true}}},"Other":1}',
    );
    await Promise.all(['b', 'c', 'd', 'e'].map((name) => connection('add', name, 'tcp://h:2')));
    expect(await stored()).toMatchObject({
      Farm: { List: { f: ['a'] } },
      Other: 1,
      Connection: { Connections: { a: { IsMachine: true }, b: {}, c: {}, d: {}, e: {} } },
    });
  });

  test.each([
    [['add'], 'accepts 2 arg(s), received 0'],
    [['add', 'x', 'tcp://h'], 'tcp scheme requires a port either via --port or in destination URL'],
    [['add', '--identity', '/id', 'x', 'tcp://h:1'], '--identity option not supported for tcp scheme'],
    [['add', '--identity', '/id', 'x', 'unix:///s'], '--identity option not supported for unix scheme'],
    [['add', '--tls-ca', '/ca', 'x', 'unix:///s'], '--tls-ca option not supported for unix scheme'],
    [['add', 'x', 'unix://s'], 'unix scheme requires an absolute path: unix://s'],
    [['add', 'x', 'ssh://h'], 'the path of the socket is not given'],
    [['add', 'x', 'ftp://h/p'], '"ftp" is no scheme of a destination: use ssh, tcp or unix'],
    [['add', 'x', 'tcp://h:port'], '"tcp://h:port" is not a valid destination'],
    [['default', 'nobody'], '"nobody" destination is not defined. See "podman system connection add ..." to create a connection'],
    [['rename', 'nobody', 'x'], '"nobody" destination is not defined'],
    [['remove'], 'accepts 1 arg(s), received 0'],
    [['ls', '--format', '{{.Nope}}'], "can't evaluate field Nope"],
  ])('%j is refused and changes nothing', async (words, why) => {
    await connection('add', 'kept', 'tcp://h:1');
    const before = await stored();
    expect(await connection(...words)).toMatchObject({
      stdout: '',
      exitCode: 125,
      stderr: expect.stringContaining(`Error: ${words[1] === '--format' ? '' : why}`),
    });
    expect(await stored()).toEqual(before);
  });

  test('a file that is none is named and left alone', async () => {
    await host.writeFile(`/home/tester/${FILE}`, 'nothing');
    expect(await connection('add', 'x', 'tcp://h:1')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining(`Error: reading /home/tester/${FILE}: `),
    });
    expect(await host.readFile(`/home/tester/${FILE}`)).toBe('nothing');
  });

  test('system renumber has nothing to do', async () => {
    expect(await host.lichen(['system', 'renumber'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect(await host.lichen(['system', 'renumber', 'x'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: `lichen system renumber` takes no arguments\n',
    });
  });
});
