/** `--passwd`, `--passwd-entry`, `--group-entry`, `--hostuser`: who a container's /etc/passwd and /etc/group know. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const IMAGE_PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'nobody:x:65534:65534:nobody:/:/bin/false',
  'worker:x:1000:1000::/home/worker:/bin/sh',
];
const IMAGE_GROUP = ['root:x:0:', 'nobody:x:65534:', 'worker:x:1000:', 'extra:x:2000:worker'];

let host: TestHost;

/** The lines that the container's files have beside the image's. */
async function added(...flags: readonly string[]): Promise<{ passwd: string[]; group: string[]; home: string }> {
  const script = 'cat /etc/passwd; echo --; cat /etc/group; echo --; echo $HOME';
  const said = await host.succeed(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);
  const [passwd = '', group = '', home = ''] = said.split('--').map((part) => part.trim());
  const beside = (text: string, known: readonly string[]): string[] => text.split('\n').filter((line) => !known.includes(line));
  return { passwd: beside(passwd, IMAGE_PASSWD), group: beside(group, IMAGE_GROUP), home };
}

describe.skipIf(!canRunContainers)('accounts of a container', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a number that the image does not know gets a line, at home in the working directory', async () => {
    expect(await added('-u', '1234')).toEqual({ passwd: ['1234:*:1234:0:container user:/:/bin/sh'], group: [], home: '/' });
    expect(await added('-u', '1234:55', '-w', '/tmp')).toEqual({
      passwd: ['1234:*:1234:55:container user:/tmp:/bin/sh'],
      group: ['55:x:55:1234'],
      home: '/tmp',
    });
    expect(await added('-u', 'root:55')).toMatchObject({ passwd: [], group: ['55:x:55:root'] });
    expect(await added('-u', ':55')).toMatchObject({ passwd: [], group: ['55:x:55:'] });
    expect(await added('-u', '1000:2000')).toEqual({ passwd: [], group: [], home: '/home/worker' });
  });

  test('--passwd=false adds nothing, and inspect says so', async () => {
    expect(await added('-u', '1234:55', '--passwd=false')).toMatchObject({ passwd: [], group: [] });
    await host.succeed(['create', '--name=with', '--network=none', BUSYBOX, 'true']);
    expect(await host.succeed(['inspect', '--format={{.Config.Passwd}}', 'with'])).toBe('true');
    await removeNow(host, 'with');
    await host.succeed(['run', '--name=without', '--network=none', '--passwd=false', BUSYBOX, 'true']);
    expect(await host.succeed(['inspect', '--format={{.Config.Passwd}}', 'without'])).toBe('false');
    await removeNow(host, 'without');
  });

  test('--passwd-entry and --group-entry are filled in and take the place of the usual lines', async () => {
    const entries = ['--passwd-entry=$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/own:$OTHER', '--group-entry=g$GROUPNAME:x:$GID:$USERLIST'];
    expect(await added('-u', '1234:55', '-w', '/tmp', ...entries)).toMatchObject({
      passwd: ['1234:x:1234:55:container user:/tmp:/bin/own:$OTHER'],
      group: ['g55:x:55:1234'],
    });
    expect(await added(...entries)).toMatchObject({ passwd: [], group: [] });
  });

  test('keep-id makes the caller known by name', async () => {
    const { uid, name } = host.user;
    const { passwd, home } = await added('--userns=keep-id');
    expect(passwd).toEqual([expect.stringMatching(`^${name}:\\*:${uid}:\\d+:[^:]*:/:/bin/sh$`)]);
    expect(home).toBe('/');
    expect((await added('--userns=keep-id', '-u', '77')).passwd).toEqual([
      expect.stringMatching(`^${name}:`),
      '77:*:77:0:container user:/:/bin/sh',
    ]);
    expect((await added('--userns=keep-id:uid=55,gid=66')).passwd).toEqual(['55:*:55:66:container user:/:/bin/sh']);
  });

  test('--hostuser takes users of the machine over, by name or number', async () => {
    expect((await added('--hostuser=daemon', '--hostuser', '2')).passwd).toEqual([
      expect.stringMatching(/^daemon:\*:1:1:daemon:\/:\/bin\/sh$/),
      expect.stringMatching(/^bin:\*:2:2:bin:\/:\/bin\/sh$/),
    ]);
    const asUser = ['run', '--rm', '--network=none', '--hostuser=daemon', '-u', 'daemon', BUSYBOX, 'id', '-un'];
    expect(await host.succeed(asUser)).toBe('daemon');
    expect(await host.lichen(['run', '--rm', '--network=none', '--hostuser=nobody-here', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('unknown user nobody-here'),
    });
  });

  test('a read-only container sees the line although its own file stays as it is', async () => {
    const script = 'tail -n 1 /etc/passwd; id -un; touch /etc/passwd 2>/dev/null || echo closed';
    await host.succeed(['run', '--name=closed', '--network=none', '--read-only', '-u', '1234', BUSYBOX, ...sh(script)]);
    const { stdout } = await host.lichen(['logs', 'closed']);
    expect(stdout).toBe('1234:*:1234:0:container user:/:/bin/sh\n1234\nclosed\n');
    expect(await host.succeed(['diff', 'closed'])).not.toContain('/etc/passwd');
    await removeNow(host, 'closed');
  });

  test('a second start adds no second line; a file that the user mounted stays his', async () => {
    await host.succeed(['create', '--name=twice', '--network=none', '-u', '1234', BUSYBOX, ...sh('grep -c ^1234: /etc/passwd')]);
    expect(await host.succeed(['start', '-a', 'twice'])).toBe('1');
    expect(await host.succeed(['start', '-a', 'twice'])).toBe('1');
    await removeNow(host, 'twice');
    await host.writeFile('/tmp/own.passwd', 'root:x:0:0::/root:/bin/sh\n');
    const mounted = ['run', '--rm', '--network=none', '-u', '1234', '-v', '/tmp/own.passwd:/etc/passwd', BUSYBOX, 'cat', '/etc/passwd'];
    expect(await host.succeed(mounted)).toBe('root:x:0:0::/root:/bin/sh');
  });

  test('a passwd file that leads out of the container is followed inside it only', async () => {
    await host.writeFile('/tmp/outside', 'untouched\n');
    await host.succeed(['run', '--name=linked', '--network=none', BUSYBOX, ...sh('rm /etc/passwd; ln -s /tmp/outside /etc/passwd')]);
    await host.succeed(['commit', '--quiet', 'linked', 'localhost/linked']);
    await removeNow(host, 'linked');
    await host.succeed(['run', '--rm', '--network=none', '-u', '1234', 'localhost/linked', 'true']);
    expect(await host.readFile('/tmp/outside')).toBe('untouched\n');
  });
});
