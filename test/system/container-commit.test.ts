/** commit: the image it makes, and that it runs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost } from '../host/loaded.ts';

let host: TestHost;

async function inspected(image: string): Promise<Record<string, unknown>> {
  const [found] = JSON.parse(await host.succeed(['image', 'inspect', image])) as [Record<string, unknown>];
  return found;
}

async function ran(image: string, script: string): Promise<string> {
  return host.succeed(['run', '--rm', '--network', 'none', '--entrypoint', '', image, 'sh', '-c', script]);
}

describe.skipIf(!canRunContainers)('commit', () => {
  beforeAll(async () => {
    host = await loadedHost();
    const options = [
      '-v',
      '/anon',
      '-v',
      'named:/named',
      '--tmpfs',
      '/tmpfs',
      '-e',
      'A=1',
      '--label',
      'l=2',
      '--expose',
      '9000',
      '-w',
      '/tmp',
    ];
    const script = `echo new >/etc/new; rm /etc/group; chmod 700 /home; chown 5:6 /etc/new; ln /etc/new /hard; ln -s new /etc/link; mkfifo /pipe
rm -r /var; mkdir /var; echo only >/var/only; mkdir /Q; echo v >/named/v; touch /ready; sleep 1000`;
    await host.succeed(['run', '-d', '--name', 'c', '--network', 'none', ...options, '--entrypoint', '["sh","-c"]', BUSYBOX, script]);
    await host.succeed(['exec', 'c', 'sh', '-c', 'until [ -e /ready ]; do sleep 0.1; done']);
  });
  afterAll(async () => {
    await host.lichen(['rm', '-a', '-f', '-t', '0', '-v']);
    await host.lichen(['volume', 'rm', 'named']);
    await host[Symbol.asyncDispose]();
  });

  test('prints its progress and the id; the image is the child of the container’s image, with its configuration', async () => {
    const { stdout, stderr, exitCode } = await host.lichen(['commit', 'c', 'made:1']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) });
    expect(stderr).toMatch(
      /^Getting image source signatures\nCopying blob sha256:\w{64}\nCopying blob sha256:\w{64}\nCopying config sha256:\w{64}\nWriting manifest to image destination\n$/,
    );
    const image = await inspected('made:1');
    const base = await inspected(BUSYBOX);
    expect(image).toMatchObject({
      Id: stdout.trim(),
      Parent: base['Id'],
      RepoTags: ['localhost/made:1'],
      ManifestType: 'application/vnd.oci.image.manifest.v1+json',
      Author: '',
      Config: {
        Entrypoint: ['sh', '-c'],
        ExposedPorts: { '9000/tcp': {} },
        Labels: { l: '2' },
        Volumes: { '/anon': {} },
        WorkingDir: '/tmp',
        Env: expect.arrayContaining(['A=1']),
      },
    });
    expect(image['History']).toMatchObject([
      ...(base['History'] as object[]),
      { created_by: '/bin/sh', comment: 'FROM localhost/busybox:latest' },
    ]);
  });

  test('the layer holds what was added, changed and deleted, and nothing that was mounted', async () => {
    const script =
      'cd /; stat -c "%n %u:%g %a" etc/new home; stat -c %h hard; cat hard var/only; readlink etc/link; ls -d etc/group named tmpfs anon Q; ls var; test -p pipe';
    const { stdout, exitCode } = await host.lichen(['run', '--rm', '--network', 'none', '--entrypoint', '', 'made:1', 'sh', '-c', script]);
    expect(stdout).toBe('etc/new 5:6 644\nhome 0:0 700\n2\nnew\nonly\nnew\nQ\nanon\nonly\n');
    expect(exitCode).toBe(0);
  });

  test('--format docker takes --message, --author, --change and --include-volumes; --iidfile gets the id', async () => {
    const flags = [
      '-q',
      '-f',
      'docker',
      '-m',
      'words',
      '-a',
      'me',
      '-c',
      'CMD ["a"]',
      '-c',
      'ENV x=1',
      '--include-volumes',
      '-p',
      '--iidfile',
      'id',
    ];
    const id = await host.succeed(['commit', ...flags, 'c']);
    expect((await host.run(['cat', 'id'])).stdout).toBe(id);
    expect(await inspected(id)).toMatchObject({
      Comment: 'words',
      Author: 'me',
      ManifestType: 'application/vnd.docker.distribution.manifest.v2+json',
      Config: { Cmd: ['a'], Volumes: { '/anon': {}, '/named': {}, '/tmpfs': {} }, Env: expect.arrayContaining(['x=1']) },
    });
    expect((await inspected(id))['Config']).not.toHaveProperty('Entrypoint');
    expect(await host.succeed(['inspect', '-f', '{{.State.Status}}', 'c'])).toBe('running');
  });

  test('--squash makes one layer that has no parent; --config lays settings over', async () => {
    await host.writeFile(`${host.user.home}/settings`, '{"Cmd":["x"],"User":"7"}');
    await host.succeed(['commit', '-q', '-s', '--config', 'settings', 'c', 'flat']);
    const image = await inspected('flat');
    expect(image).toMatchObject({ Parent: '', Config: { Cmd: ['x'], User: '7' } });
    expect((image['RootFS'] as { Layers: string[] }).Layers).toHaveLength(1);
    expect(await ran('flat', 'cat /etc/new; ls /etc/group; ls /var; id -u')).toBe('new\nonly\n7');
  });

  test('a container that was never started, and one with ids of its own', async () => {
    await host.succeed(['create', '--name', 'idle', BUSYBOX, 'true']);
    await host.succeed(['commit', '-q', 'idle', 'same']);
    expect(await ran('same', 'ls -d /etc/passwd')).toBe('/etc/passwd');
    const script = 'echo x >/tmp/mine; mkdir /tmp/d; echo y >/tmp/d/y';
    await host.succeed(['run', '--name', 'mapped', '--network', 'none', '--userns', 'keep-id', BUSYBOX, 'sh', '-c', script]);
    await host.succeed(['commit', '-q', 'mapped', 'mapped']);
    expect(await ran('mapped', 'stat -c %u /tmp/mine /etc/passwd')).toBe(`${host.user.uid}\n0`);
  });

  test('bad input', async () => {
    const refused = async (args: readonly string[], stderr: string | RegExp): Promise<void> => {
      const result = await host.lichen(['commit', ...args]);
      expect(result).toMatchObject({ exitCode: 125, stdout: '' });
      expect(result.stderr).toMatch(stderr);
    };
    await refused(['-m', 'x', 'c'], 'Error: messages are only compatible with the docker image format (-f docker)\n');
    await refused(['-f', 'bad', 'c'], 'Error: unrecognized image format "bad"\n');
    await refused(['nosuch', 'x'], 'Error: no container with name or ID "nosuch" found: no such container\n');
    await refused(['--config', '/nosuch', 'c'], 'Error: --config: open /nosuch: no such file or directory\n');
    await refused(['-c', 'FOO x', 'c'], /FOO/);
    await refused(['c', 'BAD'], /BAD/);
    await refused(['c', 'a', 'b'], 'Error: accepts between 1 and 2 arg(s), received 3\n');
    await refused([], 'Error: accepts between 1 and 2 arg(s), received 0\n');
  });
});
