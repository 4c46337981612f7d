/** Flags of `run` that shape the process: environment, directory, user, command line, limits, capabilities and security. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';

const CONFIGURED = 'localhost/configured:v1';
const hasInit = existsSync('/usr/bin/catatonit');

let host: TestHost;

/** Output of a script in a container that is gone afterwards. */
function run(flags: readonly string[], script: string, image = BUSYBOX): Promise<string> {
  return host.succeed(['run', '--rm', '--network', 'none', ...flags, image, ...sh(script)]);
}

function fail(flags: readonly string[], ...command: readonly string[]) {
  return host.lichen(['run', '--rm', '--network', 'none', ...flags, BUSYBOX, ...(command.length === 0 ? ['true'] : command)]);
}

describe.skipIf(!canRunContainers)('the process of a container', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'configured']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('variables come from the defaults, files, the caller and -e, and later ones win', async () => {
    await host.writeFile('/tmp/first.env', '# comment\nFILE=one\nBOTH=file\nPASSED\nSPACED=a b  c\n');
    await host.writeFile('/tmp/second.env', 'BOTH=second\n');
    const { stdout } = await host.lichen(
      ['run', '--rm', '--network=none', '--hostname=box', '--env-file=/tmp/first.env', '--env-file', '/tmp/second.env']
        .concat(['-eONE=1', '-e', 'TWO=x=y', '-e=EMPTY=', '-e', 'HANDED', '-e', 'NOT_THERE', '-e', 'WILD_*'])
        .concat([BUSYBOX, 'env']),
      { env: { PASSED: 'from caller', HANDED: 'on', WILD_A: 'a', WILD_B: 'b', UNSEEN: 'x', http_proxy: 'http://proxy:1' } },
    );
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'BOTH=second',
      'EMPTY=',
      'FILE=one',
      'HANDED=on',
      'HOME=/root',
      'HOSTNAME=box',
      'ONE=1',
      'PASSED=from caller',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'SPACED=a b  c',
      'TWO=x=y',
      'WILD_A=a',
      'WILD_B=b',
      'container=podman',
      'http_proxy=http://proxy:1',
    ]);
  });

  test('variables of the image can be unset, all at once as well; proxies can be kept out', async () => {
    const some = await run(['--entrypoint=', '--unsetenv=GREETING', '--http-proxy=false'], 'env', CONFIGURED);
    expect(some).not.toMatch(/GREETING/);
    expect(some).toMatch(/^EMPTY=$/m);
    const none = await host.lichen(['run', '--rm', '--network=none', '--unsetenv-all', '-e', 'ONLY=1', BUSYBOX, '/bin/env'], {
      env: { https_proxy: 'http://proxy:1' },
    });
    expect(none.stdout.trim().split('\n').toSorted()).toEqual([
      'HOME=/root',
      expect.stringMatching(/^HOSTNAME=[0-9a-f]{12}$/),
      'ONLY=1',
      'https_proxy=http://proxy:1',
    ]);
    const whole = await host.lichen(['run', '--rm', '--network=none', '--env-host', BUSYBOX, 'env'], { env: { UNSEEN: 'now seen' } });
    expect(whole.stdout).toMatch(/^UNSEEN=now seen$/m);
  });

  test('--env-merge builds on what the image sets, and -e goes before it', async () => {
    expect(await run(['--env-merge=PATH=${PATH}:/more', '--env-merge', 'OWN=${NONE}-$container'], 'echo $PATH $OWN')).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/more -podman',
    );
    expect(await run(['--env-merge=container=a$container', '-e', 'container=mine'], 'echo $container')).toBe('mine');
    expect(await run(['--entrypoint=', '--env-merge=GREETING=<${GREETING}>', '--unsetenv=EMPTY'], 'echo "$GREETING"', CONFIGURED)).toMatch(
      /^<.+>$/,
    );
    expect(await fail(['--env-merge=WORD'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: missing `=` for --env-merge substitution WORD\n',
    });
    expect(await fail(['--env-merge=WORD=${'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('unable to process variables for --env-merge WORD=${'),
    });
  });

  test('--personality, --seccomp-policy, --chrootdirs and --shm-size-systemd', async () => {
    expect(await run(['--personality=LINUX32'], 'uname -m')).not.toBe(await run(['--personality=LINUX'], 'uname -m'));
    expect(await fail(['--personality=OS2'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('unknown persona specified "OS2"'),
    });

    const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] };
    await host.succeed(['create', '--name=labelled', '--network=none', BUSYBOX, 'true']);
    for (const [tag, text] of [
      ['strict', JSON.stringify(profile)],
      ['odd', '{'],
    ]) {
      const label = `LABEL io.containers.seccomp.profile=${text}`;
      await host.succeed(['commit', '--quiet', '--change', label, 'labelled', `localhost/labelled:${tag}`]);
    }
    await host.succeed(['rm', 'labelled']);
    const mkdir = 'mkdir /made 2>&1';
    expect(await run([], mkdir, 'localhost/labelled:strict')).toBe('');
    expect(await run(['--seccomp-policy=image'], `${mkdir} || true`, 'localhost/labelled:strict')).toContain('Operation not permitted');
    expect(await fail(['--seccomp-policy=image'])).toMatchObject({ exitCode: 125, stderr: 'Error: no seccomp policy defined by image\n' });
    expect(await fail(['--seccomp-policy=own'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: invalid seccomp policy "own": valid policies are ["default" "image"]\n',
    });
    expect(await host.lichen(['run', '--rm', '--network=none', '--seccomp-policy=image', 'localhost/labelled:odd', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('decoding seccomp profile failed'),
    });

    const roots = ['--chrootdirs=/srv/root', '--chrootdirs', 'other', '--hostname=inner'];
    expect(
      await run(roots, 'cmp /etc/hosts /srv/root/etc/hosts && cmp /etc/hosts /other/etc/hosts && grep -c inner /srv/root/etc/hosts'),
    ).toBe('1');

    const sizes = `awk '$2 ~ "^/(run|tmp|run/lock)$" { print $2, $4 }' /proc/mounts | grep -o '^[^ ]*\\|size=[^,]*' | xargs`;
    expect(await run(['--systemd=always', '--shm-size-systemd=10m'], sizes)).toBe(
      '/run size=10240k /tmp size=10240k /run/lock size=10240k',
    );
    expect(await fail(['--shm-size-systemd=10x'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('unable to translate --shm-size-systemd'),
    });
    expect(await fail(['--decryption-key=/none'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: invalid decryption keys: open /none: no such file or directory\n',
    });
  });

  test('--env-host hands everything on; files named for --init-path and --hosts-file must be there', async () => {
    const { stdout } = await host.lichen(['run', '--rm', '--network=none', '--env-host', '-e', 'TWO=2', BUSYBOX, '/bin/env'], {
      env: { ONE: 'from caller', TWO: 'as well' },
    });
    expect(stdout).toMatch(/^ONE=from caller$/m);
    expect(stdout).toMatch(/^TWO=2$/m);
    expect(await fail(['--init', '--init-path=/none'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('Error: container-init binary not found on the host: faccessat /none: no such file or directory'),
    });
    expect(await fail(['--hosts-file=/none'])).toMatchObject({
      exitCode: 127,
      stderr: 'Error: failed to create new hosts file: open /none: no such file or directory\n',
    });
  });

  test('what the image says holds, and each of it can be replaced', async () => {
    const { stdout } = await host.lichen(['run', '--rm', CONFIGURED]);
    expect(stdout).toBe('entry default words\n');
    expect(await host.succeed(['run', '--rm', '--network=none', CONFIGURED, 'other'])).toBe('entry other');
    // A new entrypoint makes the image's command meaningless.
    expect(await host.succeed(['run', '--rm', '--network=none', '--entrypoint', '/bin/echo', CONFIGURED])).toBe('');
    expect(await host.succeed(['run', '--rm', '--network=none', '--entrypoint', '["echo","json"]', CONFIGURED, 'word'])).toBe('json word');
    const facts = 'id -u; pwd; echo $HOME $GREETING; touch data/x && echo wrote';
    expect(await run(['--entrypoint='], facts, CONFIGURED)).toBe('1000\n/srv\n/home/worker hello world\nwrote');
  });

  test('the working directory is -w; one that is missing is refused when asked for and made when the image asks', async () => {
    expect(await run(['-w', '/var/tmp'], 'pwd; echo $PWD')).toBe('/var/tmp\n/var/tmp');
    expect(await fail(['-w', '/missing'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/^Error: workdir "\/missing" does not exist on container [0-9a-f]{64}\n$/),
    });
    expect(await fail(['-w', 'relative'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: the working directory "relative" is invalid, it needs to be an absolute path\n',
    });
    expect(await run(['-w', '/made', '-v', '/made'], 'pwd')).toBe('/made');
  });

  test.each([
    { user: 'worker', id: 'uid=1000(worker) gid=1000(worker) groups=1000(worker),2000(extra)', home: '/home/worker' },
    { user: '1000', id: 'uid=1000(worker) gid=1000(worker) groups=1000(worker),2000(extra)', home: '/home/worker' },
    { user: '1000:2000', id: 'uid=1000(worker) gid=2000(extra) groups=2000(extra)', home: '/home/worker' },
    { user: 'worker:extra', id: 'uid=1000(worker) gid=2000(extra) groups=2000(extra)', home: '/home/worker' },
    { user: '4321', id: 'uid=4321(4321) gid=0(root) groups=0(root)', home: '/' },
    { user: '4321:1234', id: 'uid=4321(4321) gid=1234(1234) groups=1234(1234)', home: '/' },
  ])('-u $user', async ({ user, id, home }) => {
    expect(await run(['-u', user], 'id; echo $HOME')).toBe(`${id}\n${home}`);
  });

  test('an unknown user or group is refused, and an id beyond the subordinate ones with the reason', async () => {
    expect(await fail(['-u', 'nobody-here'])).toMatchObject({
      exitCode: 126,
      stderr: 'Error: unable to find user nobody-here: no matching entries in passwd file\n',
    });
    expect(await fail(['-u', '0:nogroup-here'])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('nogroup-here') });
    expect(await fail(['-u', '99999999'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/user ID 99999999 does not exist in the user namespace of the container\n.*subordinate IDs/),
    });
  });

  test('groups can be added, umask, time zone and host name set', async () => {
    const facts =
      'id -G; umask; touch /tmp/f; stat -c %a /tmp/f; hostname; cat /etc/hostname; echo $HOSTNAME; cat /etc/localtime | head -c 4';
    expect(
      await run(['-u', '1000:1000', '--group-add=2000', '--group-add', '3000', '--umask=0077', '-h', 'named.example', '--tz=UTC'], facts),
    ).toBe('1000 2000 3000\n0077\n600\nnamed.example\nnamed.example\nnamed.example\nTZif');
    expect(await run([], 'umask; hostname')).toMatch(/^0022\n[0-9a-f]{12}$/);
    expect(await fail(['--tz=No/Where'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: running container create option: finding timezone: unknown time zone No/Where\n',
    });
    expect(await fail(['--umask=99'])).toMatchObject({ exitCode: 125 });
  });

  test('labels and annotations are kept, from files as well', async () => {
    await host.writeFile('/tmp/labels', 'file.label=1\n# no label\nNOT_SET\nHANDED\n');
    const name = 'labelled';
    const args = ['create', '--name', name, '-l', 'a=b=c', '--label=plain', '--label-file=/tmp/labels', '--annotation=note=x', CONFIGURED];
    await host.succeed(args, { env: { HANDED: 'on' } });
    const labels = JSON.parse(await host.succeed(['inspect', '--format', '{{json .Config.Labels}}', name])) as object;
    expect(labels).toEqual({ a: 'b=c', plain: '', 'file.label': '1', HANDED: 'on', 'org.example.role': 'fixture' });
    expect(await host.succeed(['inspect', '--format', '{{index .Config.Annotations "note"}}', name])).toBe('x');
    await host.succeed(['rm', name]);
    await host.writeFile('/tmp/labels', '=odd\n');
    expect(await fail(['--label-file=/tmp/labels'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unable to process labels: invalid environment variable: "=odd"\n',
    });
    expect(await fail(['--annotation=odd'])).toMatchObject({ exitCode: 125, stderr: 'Error: annotations must be formatted KEY=VALUE\n' });
  });

  test('ulimits hold and those above the host’s are lowered to them', async () => {
    const facts = 'ulimit -n; ulimit -Hn; ulimit -c; ulimit -s';
    expect(await run(['--ulimit', 'nofile=100:200', '--ulimit=core=0', '--ulimit', 'stack=4194304'], facts)).toBe('100\n200\n0\n4096');
    const { stdout: hard } = await host.run(sh('ulimit -Hn'));
    expect(await run(['--ulimit', 'nofile=99999999:99999999'], 'ulimit -Hn')).toBe(hard.trim());
    expect(await run(['--ulimit=host'], 'ulimit -Hn')).toBe(hard.trim());
  });

  describe('capabilities', () => {
    const SETS = 'sed -n "s/^Cap\\(...\\):.0*/\\1 /p; s/^NoNewPrivs:./nnp /p; s/^Seccomp:./seccomp /p" /proc/self/status';

    test('root has Podman’s eleven, in an own seccomp filter', async () => {
      expect(await run([], SETS)).toBe('Inh \nPrm 800405fb\nEff 800405fb\nBnd 800405fb\nAmb \nnnp 0\nseccomp 2');
    });

    test('another user has none but keeps the bounding set; asked for ones are ambient', async () => {
      expect(await run(['-u', '1000'], SETS)).toBe('Inh \nPrm \nEff \nBnd 800405fb\nAmb \nnnp 0\nseccomp 2');
      expect(await run(['-u', '1000', '--cap-add=net_raw'], SETS)).toBe(
        'Inh 2000\nPrm 2000\nEff 2000\nBnd 800425fb\nAmb 2000\nnnp 0\nseccomp 2',
      );
    });

    test('--cap-add and --cap-drop, with ALL on either side', async () => {
      expect(await run(['--cap-add', 'CAP_SYS_ADMIN,net_admin', '--cap-drop=CHOWN'], SETS)).toMatch(/^Eff 802415fa$/m);
      expect(await run(['--cap-drop=all', '--cap-add=kill'], SETS)).toMatch(/^Eff 20$/m);
      expect(await run(['--cap-drop=ALL'], SETS)).toMatch(/^Eff \nBnd $/m);
      expect(await run(['--cap-add=ALL', '--cap-drop=sys_admin'], `${SETS}; chroot / true && echo chrooted`)).toMatch(/^Eff 1ff.*dfffff$/m);
      expect(await fail(['--cap-add=NOPE'])).toMatchObject({ exitCode: 125, stderr: 'Error: "CAP_NOPE": unknown capability\n' });
    });

    test('security options: no new privileges, no or another seccomp profile, masks lifted and added', async () => {
      expect(await run(['--security-opt=no-new-privileges', '--security-opt', 'seccomp=unconfined'], SETS)).toMatch(/nnp 1\nseccomp 0$/);
      await host.writeFile(
        '/tmp/seccomp.json',
        JSON.stringify({
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
        }),
      );
      const denied = await run(['--security-opt', 'seccomp=/tmp/seccomp.json'], 'mkdir /tmp/x 2>&1; touch /tmp/y && echo other calls work');
      expect(denied).toBe("mkdir: can't create directory '/tmp/x': Operation not permitted\nother calls work");
      await host.writeFile('/tmp/bad.json', '{"defaultAction": 1}');
      expect(await fail(['--security-opt', 'seccomp=/tmp/bad.json'])).toMatchObject({ stderr: expect.stringContaining('/tmp/bad.json') });

      const masked = 'head -c 1 /proc/timer_list | wc -c; grep -c " /proc/sys " /proc/self/mountinfo; ls /proc/scsi /tmp | wc -l';
      expect(await run([], masked)).toMatch(/^0\n1\n/);
      expect(await run(['--security-opt', 'unmask=/proc/sys'], masked)).toMatch(/^0\n0\n/);
      expect(await run(['--security-opt', 'unmask=ALL'], masked)).toMatch(/^[01]\n0\n/);
      expect(await run(['--security-opt=mask=/etc/passwd:/home'], 'wc -c < /etc/passwd; ls -A /home | wc -l')).toBe('0\n0');
      expect(await run(['--security-opt', 'label=disable', '--security-opt', 'apparmor=unconfined'], 'echo taken')).toBe('taken');
    });

    test('--privileged gives every capability, no filter, no masks and the host’s devices', async () => {
      const facts = await run(
        ['--privileged'],
        `${SETS}; grep -c " /proc/[a-z]" /proc/self/mountinfo; test -c /dev/fuse && echo fuse; grep " /sys " /proc/self/mountinfo | cut -d" " -f6`,
      );
      expect(facts).toMatch(/^Eff 1ff[0-9a-f]{8}$/m);
      expect(facts).toMatch(/seccomp 0\n0\n(fuse\n)?rw/);
    });
  });

  test('--device shows a device of the host under the name wanted', async () => {
    const facts = 'test -c /dev/wanted && stat -c "%t %T" /dev/wanted; head -c 3 /dev/wanted | wc -c; ls /dev | tr "\\n" " "';
    const [numbers, bytes, all] = (await run(['--device', '/dev/zero:/dev/wanted:r'], facts)).split('\n');
    expect([numbers, bytes]).toEqual(['1 5', '3']);
    expect(all!.trim().split(' ')).toEqual([
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'wanted',
      'zero',
    ]);
    expect(await fail(['--device=/dev/none-such'])).toMatchObject({ stderr: 'Error: stat /dev/none-such: no such file or directory\n' });
    expect(await fail(['--device=/etc/passwd'])).toMatchObject({ stderr: 'Error: /etc/passwd is not a device node\n' });
  });

  test('--sysctl sets what belongs to the container and refuses what is the host’s', async () => {
    const facts = 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range';
    expect(await run(['--sysctl', 'kernel.msgmax=4242', '--sysctl=net.ipv4.ip_unprivileged_port_start=80'], facts)).toBe('4242\n80\n0\t0');
    expect(await fail(['--sysctl', 'vm.swappiness=1'])).toMatchObject({
      exitCode: 125,
      stderr: "Error: sysctl 'vm.swappiness' is not allowed\n",
    });
    expect(await fail(['--ipc=host', '--sysctl', 'kernel.msgmax=4242'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('IPC Namespace set to host'),
    });
  });

  test.skipIf(!hasInit)('--init is pid 1, reaps orphans and passes signals on', async () => {
    const facts =
      'tr "\\0" " " < /proc/1/cmdline; echo; echo $$; (sleep 0.01 &); sleep 0.2; grep -l "^State:.Z" /proc/[0-9]*/status | wc -l';
    expect(await run(['--init'], facts)).toMatch(/^\/run\/podman-init -- sh -c .*\n\d+\n0$/);
    expect((await fail(['--init'], ...sh('kill -15 $$'))).exitCode).toBe(143);
    expect(await run(['--init-path', '/usr/bin/catatonit', '--init'], 'echo $$')).toMatch(/^[2-9]\d*$/);
    expect(await fail(['--init', '--pid=host'])).toMatchObject({
      exitCode: 125,
      stderr: "Error: cannot add init binary as PID 1 (PID namespace isn't private)\n",
    });
  });
});
