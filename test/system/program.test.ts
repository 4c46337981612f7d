/** The program under its other names, and the flags that stand before the command's word. */
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const PODMAN = '5.8.6';

describe.skipIf(!canRunContainers)('the program', () => {
  beforeAll(async () => {
    host = await loadedHost();
    for (const name of ['podman', 'docker']) await symlink('/opt/lichen/bin/lichen', host.path(`${host.user.home}/${name}`));
  });
  afterAll(() => host[Symbol.asyncDispose]());

  describe.each(['podman', 'docker'])('linked as %s', (name) => {
    const called = async (...args: readonly string[]) => host.run([`${host.user.home}/${name}`, ...args]);

    test('has the version that scripts compare with Podman’s', async () => {
      expect(await called('--version')).toMatchObject({ stdout: `podman version ${PODMAN}\n`, exitCode: 0 });
      expect((await called('version', '-f', '{{.Client.Version}} {{.Client.APIVersion}}')).stdout).toBe(`${PODMAN} ${PODMAN}\n`);
      expect((await called('info', '-f', '{{.Version.Version}}')).stdout).toBe(`${PODMAN}\n`);
    });

    test('says in help, errors and the record of a container how it was called', async () => {
      expect((await called('--help')).stdout).toContain(`\n  ${name} [options] [command]\n`);
      expect((await called('rm', '--nosuch')).stderr).toBe(`Error: unknown flag: --nosuch\nSee '${name} rm --help'\n`);
      await called('create', '--name', 'linked', BUSYBOX, 'true');
      expect((await called('inspect', '-f', '{{join .Config.CreateCommand " "}}', 'linked')).stdout).toBe(
        `${name} create --name linked ${BUSYBOX} true\n`,
      );
      await removeNow(host, 'linked');
    });

    test('runs containers on the store that lichen has', async () => {
      expect(await called('run', '--name', 'linked', '--network', 'none', BUSYBOX, 'echo', 'hello')).toMatchObject({
        stdout: 'hello\n',
        stderr: '',
        exitCode: 0,
      });
      expect(await host.succeed(['ps', '-a', '--format', '{{.Names}}'])).toBe('linked');
      await removeNow(host, 'linked');
    });
  });

  test('by its own name it has its own version', async () => {
    expect(await host.succeed(['--version'])).toMatch(/^lichen version \d+\.\d+\.\d+$/);
    expect(await host.succeed(['info', '-f', '{{.Version.APIVersion}}'])).toBe(PODMAN);
  });

  test.each([
    [['--url', 'unix:///nosuch.sock'], '--url is not supported yet'],
    [['--host', 'tcp://127.0.0.1:1'], '--url is not supported yet'],
    [['--connection', 'nosuch'], '--connection is not supported yet'],
    [['--remote'], '--remote is not supported yet'],
    [['--storage-driver', 'nosuch'], 'configure storage: failed to GetDriver graph nosuch: driver not supported\nUse overlay or vfs.'],
    [['--storage-opt', 'bad'], 'configure storage: unable to parse key/value option: bad'],
    [['--storage-opt', 'overlay.nosuch=1'], 'configure storage: unknown option "nosuch" ("overlay.nosuch=1")'],
    [['--storage-opt', 'overlay.size=1G'], '--storage-opt size is not supported yet'],
    [['--cgroup-manager', 'nosuch'], 'invalid cgroup manager "nosuch": must be "systemd" or "cgroupfs"'],
  ])('%j is one error, and no store is made', async (flags, message) => {
    const root = `${host.user.home}/other`;
    expect(await host.lichen(['--root', root, ...flags, 'ps'])).toEqual(
      expect.objectContaining({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 }),
    );
    expect(existsSync(host.path(root))).toBe(false);
  });

  test('--module loads settings after those of containers.conf, for the container that is cleaned up in the background too', async () => {
    const modules = `${host.user.home}/.config/containers/containers.conf.modules`;
    await host.writeFile(`${modules}/one.conf`, '[containers]\nenv = ["ONE=1", "BOTH=one"]\numask = "0027"\n');
    await host.writeFile('/tmp/two.conf', '[containers]\nenv = ["BOTH=two", {append=true}]\n');
    await host.writeFile('/tmp/broken.conf', '[containers\n');
    const flags = ['--module', 'one.conf', '--module', '/tmp/two.conf'];
    const script = sh('echo $ONE $BOTH $(umask)');
    expect(await host.succeed([...flags, 'run', '--rm', '--network=none', BUSYBOX, ...script])).toBe('1 two 0027');
    expect(await host.succeed(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...script])).toBe('1 two 0027');
    expect(await host.succeed(['run', '--rm', '--network=none', BUSYBOX, ...script])).toBe('0022');
    await host.succeed([...flags, 'run', '-d', '--rm', '--network=none', BUSYBOX, 'true']);
    await expect.poll(() => host.succeed(['ps', '-aq'])).toBe('');
    const nowhere = ['.config/containers', '/etc/containers', '/usr/share/containers'].map((at) => `${at}/containers.conf.modules/nosuch`);
    const unknown = await host.lichen(['--root', '/tmp/no-store', '--module', 'nosuch', 'ps']);
    expect(unknown).toMatchObject({ stdout: '', exitCode: 1 });
    expect(unknown.stderr).toMatch(/^Error: could not resolve module "nosuch": /);
    for (const path of nowhere) expect(unknown.stderr).toContain(path);
    expect(existsSync(host.path('/tmp/no-store'))).toBe(false);
    expect(await host.lichen(['--module', '/tmp/broken.conf', 'ps'])).toMatchObject({
      stderr: expect.stringContaining('/tmp/broken.conf: '),
      exitCode: 125,
    });
  });

  test('empty words choose nothing', async () => {
    expect(
      await host.lichen(['--root=', '--runroot=', '--storage-driver=', '--tmpdir=', 'images', '--format', '{{.Repository}}']),
    ).toMatchObject({
      stdout: `${BUSYBOX}\n`,
      exitCode: 0,
    });
  });

  test('--root, --runroot and --storage-driver choose a store of their own', async () => {
    const at = (name: string) => `${host.user.home}/chosen/${name}`;
    const flags = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs', '--tmpdir', at('tmp')];
    expect(await host.succeed([...flags, 'images', '-q'])).toBe('');
    expect(await host.succeed([...flags, 'info', '-f', '{{.Store.GraphRoot}} {{.Store.RunRoot}} {{.Store.GraphDriverName}}'])).toBe(
      `${at('root')} ${at('run')} vfs`,
    );
    expect(existsSync(host.path(at('root/db.sqlite')))).toBe(true);
    expect(existsSync(host.path(at('tmp')))).toBe(false);
    // It holds namespaces of its own.
    await host.succeed([...flags, 'system', 'migrate']);
  });
});
