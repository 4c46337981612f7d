/** The embedded OCI runtime: under the command line of containers, and as a program that is given bundles. What runtimes must do: test/conformance. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandResult, TestHost } from '../host/host.ts';
import { canShapeHosts } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

const EMBEDDED = ['--runtime', 'embedded'];

function lichen(...args: readonly string[]): Promise<CommandResult> {
  return host.lichen([...EMBEDDED, ...args]);
}

function succeed(...args: readonly string[]): Promise<string> {
  return host.succeed([...EMBEDDED, ...args]);
}

/** As a terminal ends them: one more return where that of script(1) was not raw yet. */
function lines(text: string): string {
  return text.replaceAll(/\r+\n/g, '\n');
}

/** In a namespace where the runtime can be used as it is, in a directory with a bundle. */
function unshared(script: string): Promise<CommandResult> {
  return host.run(['lichen', 'unshare', ...sh(`cd ~/bundle; ${script}`)]);
}

describe.skipIf(!canRunContainers)('the embedded runtime', () => {
  beforeAll(async () => {
    host = await loadedHost();
    const links = 'for name in sh cat echo sleep ls id grep; do ln -s busybox bundle/rootfs/bin/$name; done';
    await host.run(sh(`mkdir -p bundle/rootfs/bin; cp "$(command -v busybox)" bundle/rootfs/bin/busybox; ${links}`));
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('runs a container with what was asked for, and says which runtime it is', async () => {
    const look = `id -G; ulimit -n; ulimit -Hn; umask; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward; hostname; pwd
      grep -E '^(CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'
      touch /made 2>/dev/null || echo read-only; touch /tmp/made; cat /proc/kcore /proc/keys; ls /proc/acpi
      echo 1 2>/dev/null >/proc/sys/kernel/panic || echo kept; unshare -m true 2>/dev/null || echo refused; ls /dev/pts; cat /proc/1/comm; exit 7`;
    const { stdout, exitCode } = await lichen(
      'run',
      '--rm',
      '--read-only',
      '--tmpfs=/tmp',
      '-u=5:6',
      '--group-add=7',
      '--ulimit=nofile=100:200',
      '--umask=0027',
      '--oom-score-adj=300',
      '--sysctl=net.ipv4.ip_forward=1',
      '--hostname=box',
      '-w=/tmp',
      '--security-opt=no-new-privileges',
      BUSYBOX,
      ...sh(look),
    );
    expect(exitCode).toBe(7);
    expect(stdout.split('\n')).toEqual([
      '6 7',
      '100',
      '200',
      '0027',
      '300',
      '1',
      'box',
      '/tmp',
      'CapEff:0000000000000000',
      'CapBnd:00000000800405fb',
      'CapAmb:0000000000000000',
      'NoNewPrivs:1',
      'Seccomp:2',
      'read-only',
      'kept',
      'refused',
      'ptmx',
      'sh',
      '',
    ]);
    expect(await succeed('info', '--format', '{{.Host.OCIRuntime.Name}}')).toBe('embedded');
  });

  test('a command that is not there or may not be run has Podman’s exit status, and leaves nothing', async () => {
    expect(await lichen('run', '--rm', BUSYBOX, 'nonono')).toMatchObject({
      exitCode: 127,
      stderr: expect.stringMatching(/not found in \$PATH/),
    });
    expect(await lichen('run', '--rm', BUSYBOX, '/etc')).toMatchObject({ exitCode: 126, stderr: expect.stringMatching(/Is a directory/) });
    expect(await lichen('run', '--rm', BUSYBOX, '/etc/passwd')).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/Permission denied/),
    });
    expect((await host.run(sh('ls $XDG_RUNTIME_DIR/lichen/oci'))).stdout).toBe('');
  });

  test('exec, pause, signals and the end of a running container', async () => {
    await succeed('run', '-d', '--name=life', BUSYBOX, ...sh('trap "exit 3" TERM; while :; do sleep 0.1; done'));
    expect(await succeed('inspect', '--format', '{{.OCIRuntime}}', 'life')).toBe('embedded');
    const look = 'id -u; pwd; echo $X; grep -c . /proc/self/mounts >/dev/null; grep Seccomp: /proc/self/status | tr -d "\\t"';
    expect(await succeed('exec', '-u=9', '-w=/etc', '-eX=y', 'life', ...sh(look))).toBe('9\n/etc\ny\nSeccomp:2');
    expect((await lichen('exec', 'life', ...sh('exit 5'))).exitCode).toBe(5);
    expect(await lichen('exec', 'life', 'nonono')).toMatchObject({ exitCode: 127 });
    expect((await host.lichen([...EMBEDDED, 'exec', '-i', 'life', 'cat'], { input: 'through' })).stdout).toBe('through');
    await succeed('exec', '-d', 'life', ...sh('echo detached > /said'));
    expect(await succeed('exec', 'life', ...sh('while [ ! -s /said ]; do sleep 0.1; done; cat /said'))).toBe('detached');
    const { stdout } = await host.run(
      sh(`script -qc "lichen --runtime embedded exec -t life sh -c 'tty; stat -c %u /dev/pts/0'" /dev/null`),
    );
    expect(lines(stdout)).toBe('/dev/pts/0\n0\n');
    await succeed('pause', 'life');
    expect(await lichen('exec', 'life', 'true')).toMatchObject({ exitCode: 255 });
    await succeed('unpause', 'life');
    expect(await succeed('run', '--rm', '--pid=container:life', '--ipc=container:life', BUSYBOX, ...sh('cat /proc/1/comm'))).toBe('sh');
    await succeed('stop', '-t=10', 'life');
    expect(await succeed('inspect', '--format', '{{.State.ExitCode}}', 'life')).toBe('3');
    await succeed('start', 'life');
    await succeed('kill', 'life');
    expect(await succeed('wait', 'life')).toBe('137');
    await removeNow(host, 'life');
  });

  test('a health check, with what it says', async () => {
    await succeed('run', '-d', '--name=checked', '--health-cmd=echo fine; echo well >&2', '--health-interval=1s', BUSYBOX, 'sleep', '1000');
    await succeed('healthcheck', 'run', 'checked');
    const [entry] = JSON.parse(await succeed('inspect', '--format', '{{json .State.Health.Log}}', 'checked')) as object[];
    expect(entry).toMatchObject({ ExitCode: 0, Output: expect.stringMatching(/^(fine\nwell|well\nfine)\n$/) });
    await expect.poll(() => succeed('inspect', '--format', '{{len .State.Health.Log}}', 'checked')).toBe('3');
    await removeNow(host, 'checked');
  });

  test('a terminal, which is the console', async () => {
    const { stdout } = await host.run(
      sh(`script -qc "lichen --runtime embedded run --rm -t ${BUSYBOX} sh -c 'tty; test -c /dev/console && echo console'" /dev/null`),
    );
    expect(lines(stdout)).toBe('/dev/pts/0\nconsole\n');
  });

  test('a terminal has the caller’s size before its first instruction, under the embedded monitor too', async () => {
    const run = `lichen --runtime embedded --conmon embedded run --rm -t ${BUSYBOX} stty size`;
    const { stdout } = await host.run(sh(`script -qc "stty rows 30 cols 100; ${run}; ${run}; ${run}" /dev/null`));
    expect(lines(stdout)).toBe('30 100\n'.repeat(3));
  });

  test('a /dev that cannot be written to has its devices, its console and what is mounted in it', async () => {
    const look =
      'tty; test -c /dev/console && echo console; echo >/dev/null && ls -1 /dev/pts /dev/shm; touch /dev/x 2>/dev/null || echo closed';
    const { stdout } = await host.run(
      sh(`script -qc "lichen --runtime embedded run --rm -t --read-only --read-only-tmpfs=false ${BUSYBOX} sh -c '${look}'" /dev/null`),
    );
    expect(lines(stdout)).toBe('/dev/pts/0\nconsole\n/dev/pts:\n0\nptmx\n\n/dev/shm:\nclosed\n');
  });

  test('a user namespace of its own, with a network that is not, and a build', async () => {
    const look =
      'id -u; cat /proc/sys/net/ipv4/ping_group_range; grep CapEff /proc/self/status | tr -d "\\t"; test -c /dev/null && echo device';
    expect(await succeed('run', '--rm', '--userns=keep-id', BUSYBOX, ...sh(look))).toBe(
      '2000\n2000\t2000\nCapEff:0000000000000000\ndevice',
    );
    const built = await host.lichen([...EMBEDDED, 'build', '-q', '-f=-', '.'], { input: `FROM ${BUSYBOX}\nRUN echo built > /said\n` });
    expect(await succeed('run', '--rm', built.stdout.trim(), 'cat', '/said')).toBe('built');
  });

  test('ids of a mount are mapped on a file system of the user namespace; elsewhere, and with wrong words, that is one error', async () => {
    const make = 'mkdir -p mapped; mount -t tmpfs mapped mapped; touch mapped/file; chown 5:6 mapped/file';
    await host.succeed(['unshare', ...sh(make)]);
    const owner = async (volume: string, ...flags: readonly string[]) => {
      const { stdout, stderr } = await lichen(
        'run',
        '--rm',
        '--network=none',
        ...flags,
        '-v',
        volume,
        BUSYBOX,
        'stat',
        '-c',
        '%u:%g',
        '/m/file',
      );
      return stdout.trim() || stderr.trim();
    };
    const source = `${host.user.home}/mapped:/m`;
    const own = ['--uidmap=0:100:500', '--gidmap=0:100:500'];
    expect(await owner(`${source}:idmap=uids=5-7-1;gids=6-8-1`)).toBe('7:8');
    expect(await owner(`${source}:idmap`, ...own)).toBe('5:6');
    expect(await owner(`${source}:idmap=uids=@5-9-1;gids=@6-10-1`, ...own)).toBe('9:10');
    expect(await owner(`${source}:idmap=uids=x;gids=0-0-1`)).toBe(
      'Error: OCI runtime error: embedded: invalid mapping `x` in idmap: FROM-TO-SIZE is expected',
    );
    expect(await owner(`${source}:idmap`)).toMatch(/^Error: .*: a mount with mapped ids needs maps for uids and gids/);
    expect(await owner(`${host.user.home}/bundle:/m:idmap`, ...own)).toMatch(
      /^Error: .*: ids cannot be mapped on \/home\/tester\/bundle: /,
    );
    await host.succeed(['unshare', 'umount', `${host.user.home}/mapped`]);
  });

  test('R01: a container that looks for whoever enters it finds no Node, and nothing that it can change', async () => {
    const attack = `while :; do for exe in /proc/[0-9]*/exe; do
      case $(readlink $exe) in *busybox) ;; *node*) echo met >> /node ;; *memfd*) echo met >> /seen; echo x >> $exe && echo done >> /changed ;; esac
      done; done 2>/dev/null`;
    await succeed('run', '-d', '--name=evil', '--cap-add=SYS_PTRACE', BUSYBOX, ...sh(attack));
    await succeed('exec', 'evil', ...sh(`printf '#!/proc/self/exe\\n' > /trap; chmod 755 /trap`));
    for (let round = 0; round < 5; round++) {
      expect(await succeed('exec', 'evil', 'echo', 'entered')).toBe('entered');
      expect((await lichen('exec', 'evil', '/trap')).exitCode).not.toBe(0);
      await succeed('run', '--rm', '--pid=container:evil', BUSYBOX, 'true');
    }
    expect(await succeed('exec', 'evil', ...sh('ls /node /changed 2>/dev/null; echo none'))).toBe('none');
    await removeNow(host, 'evil');
  });

  test('R02: only the three streams, and those asked for, reach a process', async () => {
    await succeed('run', '-d', '--name=open', BUSYBOX, 'sleep', '1000');
    const list = `'ls /proc/self/fd | wc -l; ls -l /proc/self/fd | grep -E " [3-9] -> " | grep -v /proc/; ls /proc/self/fd/7/ 2>&1; cat /proc/self/fd/5 2>&1'`;
    for (const command of [`run --rm ${BUSYBOX}`, 'exec open']) {
      const { stdout } = await host.run(sh(`exec 5</etc/passwd 7</ 8</etc; lichen --runtime embedded ${command} sh -c ${list}`));
      expect({ command, stdout }).toEqual({ command, stdout: expect.stringMatching(/^4\nls: .*No such file.*\ncat: .*No such file.*\n$/) });
    }
    const passed = await host.run(
      sh(`exec 3</etc/hostname 7</; lichen --runtime embedded exec --preserve-fds=1 open sh -c 'cat <&3; ls /proc/self/fd/7/ 2>/dev/null'`),
    );
    expect(passed.stdout).toBe(await host.readFile('/etc/hostname'));
    await removeNow(host, 'open');
  });

  test('as a program it takes a bundle from spec to delete, with hooks at each moment', async () => {
    const record = (kind: string) => ({ path: '/bin/sh', args: ['sh', '-c', `read -r state; echo ${kind} $state >> /tmp/hooks`] });
    const inner = (kind: string) => ({ path: '/bin/sh', args: ['sh', '-c', `read -r state; echo ${kind} $state >&2`] });
    const hooks = {
      prestart: [record('prestart')],
      createRuntime: [record('createRuntime')],
      poststart: [record('poststart')],
      poststop: [record('poststop')],
      createContainer: [inner('createContainer')],
      startContainer: [inner('startContainer')],
    };
    await host.writeFile('/tmp/hooks.json', JSON.stringify(hooks));
    const setUp = `rm -f config.json; lichen-runtime spec && sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sleep", "1000"/' config.json &&
      sed -i '1a "annotations": { "a": "b" }, "hooks": '"$(cat /tmp/hooks.json | tr -d '\\n')"',' config.json`;
    const made = await unshared(
      `${setUp} && lichen-runtime create --pid-file /tmp/pid box < /dev/null > /dev/null 2> /tmp/said; cat /tmp/said >&2; lichen-runtime state box`,
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^createContainer \{.*"status":"creating".*\}\n$/) });
    const state = JSON.parse(made.stdout) as Record<string, unknown>;
    expect(state).toMatchObject({ id: 'box', status: 'created', bundle: '/home/tester/bundle', annotations: { a: 'b' } });
    expect(String(state['pid'])).toBe(await host.readFile('/tmp/pid'));
    const begun = await unshared(
      'lichen-runtime start box; lichen-runtime state box | grep status; lichen-runtime list -q; lichen-runtime ps -f json box; lichen-runtime exec box echo further',
    );
    expect(begun.stdout).toBe(`  "status": "running",\nbox\n[${String(state['pid'])}]\nfurther\n`);
    expect(begun.stderr).toMatch(/^startContainer \{.*"status":"created"/);
    const ended = await unshared(
      'lichen-runtime delete box; lichen-runtime kill box KILL; sleep 0.3; lichen-runtime state box | grep status; lichen-runtime delete box; lichen-runtime list -q',
    );
    expect(ended).toMatchObject({
      stdout: '  "status": "stopped",\n',
      stderr: expect.stringMatching(/^error: cannot delete container `box`: it is running\n$/),
    });
    const said = (await host.readFile('/tmp/hooks')).trim().split('\n');
    expect(said.map((line) => line.split(' ', 1)[0])).toEqual(['prestart', 'createRuntime', 'poststart', 'poststop']);
    expect(JSON.parse(said[3]!.slice('poststop '.length))).toMatchObject({ id: 'box', status: 'stopped' });
  });

  test('as a command of lichen it is in the namespaces that it needs', async () => {
    const steps = 'cd ~/bundle; rm -f config.json; lichen runtime spec; sed -i s/true/false/ config.json';
    const { stdout, stderr } = await host.run(
      sh(`${steps}; echo 'echo ran; exit 3' | lichen runtime run own; echo $?; lichen runtime list -q`),
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'ran\n3\n', stderr: '' });
    expect(await host.lichen(['runtime', 'dance'])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('unknown command "dance"'),
    });
    expect(await host.succeed(['runtime'])).toMatch(/^ +state +Print/m);
  });

  test.each([
    ['a bundle that is not there', 'lichen-runtime create -b /nowhere x', '/nowhere/config.json does not exist'],
    ['an id that is none', 'lichen-runtime create ../x', 'invalid container id "../x"'],
    ['no id', 'lichen-runtime start', 'the id of a container is missing'],
    ['an unknown container', 'lichen-runtime state nobody', 'container `nobody` does not exist'],
    ['an unknown verb', 'lichen-runtime dance', 'unknown command "dance"'],
    ['an unknown flag', 'lichen-runtime kill --hard x', 'unknown flag --hard'],
    ['a configuration that is no JSON', 'echo "{" > config.json; lichen-runtime create x', 'not valid JSON'],
    ['a configuration without a version', 'echo "{}" > config.json; lichen-runtime create x', 'ociVersion: required'],
    [
      'a hook that fails',
      `rm config.json; lichen-runtime spec; sed -i '1a "hooks": {"createRuntime": [{"path": "/bin/false"}]},' config.json; lichen-runtime create --console-socket /x x`,
      'false',
    ],
    [
      'a root whose /proc is a link',
      `mkdir -p linked; ln -sfn /tmp linked/proc; rm -f config.json; lichen-runtime spec; sed -i 's/"terminal": true/"terminal": false/; s/"rootfs"/"linked"/' config.json; lichen-runtime create x </dev/null`,
      'mount `/proc`: the root has a symbolic link there',
    ],
    ['a spec over another', 'lichen-runtime spec', 'exists already'],
  ])('%s is one error in the log, and leaves nothing', async (_, command, message) => {
    const words = command.replace(/lichen-runtime (create|start|state|dance|kill)/, 'lichen-runtime --log /tmp/log --log-format json $1');
    const { stdout, stderr, exitCode } = await unshared(
      `rm -f /tmp/log; ${words}; status=$?; cat /tmp/log 2>/dev/null; lichen-runtime list -q; exit $status`,
    );
    expect(exitCode).toBe(1);
    const text = stdout.startsWith('{') ? (JSON.parse(stdout) as { msg: string; level: string }) : { msg: stderr, level: 'error' };
    expect(text).toMatchObject({ msg: expect.stringContaining(message), level: 'error' });
    expect(`${stdout}${stderr}`.trim().split('\n')).toHaveLength(1);
  });
});

test.skipIf(!canRunContainers || !canShapeHosts)('without crun and runc it is the default', async () => {
  await using bare = await loadedHost(['busybox'], { without: ['crun', 'runc'] });
  expect(await bare.succeed(['run', '--rm', BUSYBOX, 'echo', 'ran'])).toBe('ran');
  expect(await bare.succeed(['info', '--format', '{{.Host.OCIRuntime.Name}}'])).toBe('embedded');
});

test.skipIf(!canRunContainers || !canShapeHosts)('for the machine’s root, rules for devices hold', async () => {
  await using own = await loadedHost(['busybox']);
  const look = `for device in null fuse net/tun; do
    for way in '<' '>'; do (eval ": $way /dev/$device") 2>/dev/null && echo "$device $way"; done
  done; mknod /tmp-null c 1 3 && echo made; (: < /dev/net/tun) 2>&1 | grep -o 'Operation not permitted'`;
  const device = (path: string, minor: number) => ({ path, type: 'c', major: 10, minor, fileMode: 0o666 });
  const config = {
    ociVersion: '1.0.2',
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    process: {
      user: { uid: 0, gid: 0 },
      args: ['sh', '-c', look],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: Object.fromEntries(['bounding', 'effective', 'permitted'].map((set) => [set, ['CAP_MKNOD']])),
    },
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
      cgroupsPath: `${(await own.asRoot(sh('sed -n s/^0:://p /proc/self/cgroup'))).stdout.trim()}/limited`,
      devices: [device('/dev/fuse', 229), device('/dev/net/tun', 200)],
      resources: { devices: [{ allow: false }, { allow: true, type: 'c', major: 10, minor: 229, access: 'r' }] },
    },
  };
  await own.asRoot(
    sh(
      'mkdir -p /run/b/rootfs/bin; cd /run/b/rootfs/bin; cp "$(command -v busybox)" .; for name in sh mknod grep; do ln -s busybox $name; done',
    ),
  );
  const run = (changes: object) =>
    own.asRoot(sh('cat > /run/b/config.json; /opt/lichen/bin/lichen-runtime --root /run/b/state run -b /run/b limited'), {
      input: JSON.stringify({ ...config, linux: { ...config.linux, ...changes } }),
    });
  expect(await run({})).toMatchObject({ stdout: 'null <\nnull >\nfuse <\nmade\nOperation not permitted\n' });
  expect(await run({ resources: { devices: [{ allow: false, type: 'x' }] } })).toMatchObject({
    exitCode: 1,
    stderr: 'error: linux.resources.devices: type "x" is not a, b or c\n',
  });
  expect(await own.asRoot(sh('ls /run/b/state'))).toMatchObject({ stdout: '' });
});
