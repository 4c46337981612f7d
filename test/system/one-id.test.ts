/** A machine without newuidmap: the user is root in containers, and nobody else exists. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShapeHosts, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

const LAYERED = 'localhost/layered';
const CONFIGURED = 'localhost/configured:v1';
const REMEDY =
  'Only one ID is mapped here. Install newuidmap and newgidmap (Debian: apt-get install uidmap), give the user subordinate IDs ' +
  '(usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER), and run lichen system migrate.';
const RUN = ['run', '--rm', '--network', 'none'];

let host: TestHost;

/** Numeric owners in a tar of the host, `1000/100 odd/owned`, but for those of root. */
async function foreign(archive: string): Promise<readonly string[]> {
  const { stdout } = await host.run(['tar', '--numeric-owner', '-tvf', archive]);
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => line.split(/\s+/)).flatMap(([, owner, , , , name]) => (owner === '0/0' ? [] : [`${owner} ${name}`]));
}

describe.skipIf(!canRunContainers || !canShapeHosts)('where only one user id is mapped', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'configured'], { without: ['newuidmap'] });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('loading says that owners are noted only, and an image is given back byte for byte', async () => {
    const archive = '/tmp/saved.tar';
    await host.succeed(['save', '--quiet', '--output', archive, LAYERED]);
    const other = ['--root', '/tmp/store', '--runroot', '/tmp/run'];
    // Each layer is held against its digest.
    const { stderr } = await host.lichen([...other, 'load', '--input', archive]);
    expect(stderr).toContain('owners are noted, but in containers all belongs to root: only one user id is mapped: "odd/owned"\n');
    const id = ['image', 'inspect', '--format', '{{.Id}} {{.RootFS.Layers}}', LAYERED];
    expect(await host.succeed([...other, ...id])).toBe(await host.succeed(id));
    await host.succeed([...other, 'system', 'reset', '--force']);
  });

  test('containers run as root of one id: files of others are theirs, groups are left out, all kinds of flags work', async () => {
    const facts = 'id -u; cat /proc/self/uid_map; cat /odd/owned; find / -xdev -path /proc -prune -o -path /sys -prune -o ! -user 0 -print';
    expect((await host.succeed([...RUN, LAYERED, ...sh(facts)])).split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual([
      '0',
      `0 ${host.user.uid} 1`,
      'mine',
    ]);
    const flags = [['--privileged'], ['--init'], ['--read-only'], ['--user', 'root'], ['--group-add', '5'], ['-v', 'filled:/odd:U']];
    for (const more of flags) expect(await host.succeed([...RUN, ...more, LAYERED, 'id', '-u'])).toBe('0');
    await host.succeed(['volume', 'rm', 'filled']);
  });

  test('another user is an error that names the package, and can be the one id', async () => {
    const hint = `${REMEDY} Or let that ID be yours: --userns keep-id:uid=1000,gid=1000\n`;
    const stderr = `Error: user ID 1000 does not exist in the user namespace of the container\n${hint}`;
    for (const words of [
      ['--user', '1000:1000', BUSYBOX, 'true'],
      ['--entrypoint', 'true', CONFIGURED],
    ])
      expect(await host.lichen([...RUN, ...words])).toMatchObject({ stdout: '', stderr, exitCode: 126 });
    const kept = ['--userns', 'keep-id:uid=1000,gid=1000', '--entrypoint', ''];
    const script = 'id -u; id -g; touch /srv/data/made /home/worker/made; stat -c %u /srv/data/seed /srv/data/made';
    expect(await host.succeed([...RUN, ...kept, CONFIGURED, ...sh(script)])).toBe('1000\n1000\n1000\n1000');
    await host.succeed(['run', '--detach', '--network', 'none', '--name', 'one', BUSYBOX, 'sleep', '1000']);
    expect(await host.lichen(['exec', '--user', '1000', 'one', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining(REMEDY),
    });
    await host.succeed(['rm', '--force', '--time', '0', 'one']);
    await host.writeFile('/tmp/secret', 'x');
    await host.succeed(['secret', 'create', 'hidden', '/tmp/secret']);
    const asked = await host.lichen([...RUN, '--secret', 'hidden,uid=50', BUSYBOX, 'true']);
    expect(asked).toMatchObject({ exitCode: 126, stderr: expect.stringMatching(/^Error: unable to chown secret hidden to 50:0: /) });
    expect(asked.stderr).toContain(REMEDY);
    await host.succeed(['secret', 'rm', 'hidden']);
  });

  test('a command that fails for want of an id: the cause is told once, and with each step of a build', async () => {
    const hint = `If it wanted the ID of another user (chown, setgroups, the sandbox of apt): ${REMEDY}`;
    const chown = () => host.lichen([...RUN, BUSYBOX, 'chown', '42', '/etc']);
    expect(await chown()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`the container failed. ${hint}`) });
    expect(await chown()).toMatchObject({ exitCode: 1, stderr: 'chown: /etc: Invalid argument\n' });
    await host.writeFile('/tmp/context/Dockerfile', `FROM ${BUSYBOX}\nRUN chown 42 /etc\n`);
    for (const _ of [1, 2])
      expect(await host.lichen(['build', '--network', 'none', '/tmp/context'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`\n${hint}\n`),
      });
    await host.writeFile('/tmp/context/Dockerfile', `FROM ${BUSYBOX}\nRUN --mount=type=cache,target=/c,uid=55 true\n`);
    const cached = await host.lichen(['build', '--network', 'none', '/tmp/context']);
    expect(cached).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: chown \S+ to 55:0: there is no such ID here\nOnly one ID /),
    });
  });

  test('export, commit and cp give owners as they were: of what is changed in place too, and root’s of what is made', async () => {
    const script =
      'echo more >> /odd/owned; chmod 750 /home/worker; echo x > /made; mv /made /home/worker/moved; rm /odd/old; echo y > /odd/old';
    await host.succeed(['run', '--network', 'none', '--name', 'changed', LAYERED, ...sh(script)]);
    const owners = ['1000/1000 home/worker/', '1000/100 odd/owned'];
    await host.succeed(['export', '--output', '/tmp/exported.tar', 'changed']);
    expect((await foreign('/tmp/exported.tar')).toSorted()).toEqual(owners.toSorted());
    await host.succeed(['commit', '--quiet', 'changed', 'localhost/committed']);
    await host.succeed(['save', '--quiet', '--format', 'docker-dir', '--output', '/tmp/committed', 'localhost/committed']);
    const [layer] = JSON.parse(
      await host.succeed(['image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'localhost/committed']),
    ).slice(-1) as string[];
    const { stdout: files } = await host.run([
      'sh',
      '-c',
      'cd /tmp/committed; for f in *; do printf "%s sha256:" $f; { gzip -dcf < $f || cat $f; } 2> /dev/null | sha256sum | cut -c1-64; done',
    ]);
    const name = files
      .split('\n')
      .find((line) => line.endsWith(` ${layer}`))
      ?.split(' ')[0];
    expect((await foreign(`/tmp/committed/${name}`)).toSorted()).toEqual(owners.toSorted());
    // The note is in no tar, so nobody can forge it in one either.
    expect((await host.run(['grep', '-rc', 'lichen.owner', '/tmp/exported.tar', `/tmp/committed/${name}`])).stdout).toMatch(
      /^.*:0\n.*:0\n$/,
    );
    await host.succeed(['rm', 'changed']);
    await host.succeed(['rmi', 'localhost/committed']);
  });

  test('volumes keep the owners of what is imported', async () => {
    await host.run(sh('mkdir -p /tmp/t && echo 1 > /tmp/t/f && tar -C /tmp --owner 1234 --group 77 -cf /tmp/in.tar t'));
    await host.succeed(['volume', 'create', 'kept']);
    await host.succeed(['volume', 'import', 'kept', '/tmp/in.tar']);
    await host.succeed(['volume', 'export', '--output', '/tmp/out.tar', 'kept']);
    expect(await foreign('/tmp/out.tar')).toEqual(['1234/77 t/', '1234/77 t/f']);
    await host.succeed(['volume', 'rm', 'kept']);
  });
});
