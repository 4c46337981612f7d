import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFace } from '../../cli/faces/run.ts';
import { splitArguments } from '../../cli/split.ts';
import { assembleWish, type WishFlags } from '../../cli/wish/assemble.ts';
import { attachedStreams } from '../../cli/wish/streams.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'lichen-wish-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const ENV = { HOME: '/home/user', HOSTTYPE: 'x', EDITOR: 'ed', LICHEN_ENTERED: '1000:1000', LICHEN_EXTRA_CA_CERTS: '/ca' };

function wish(...argv: string[]): ContainerWish {
  const { values, given, positionals } = splitArguments(runFace.flags, argv, { interspersed: false, path: 'lichen run' });
  return assembleWish({ flags: values as WishFlags, args: positionals, given, argv: ['lichen', 'run', ...argv], env: ENV, cwd: '/work' });
}

test('a bare image asks for nothing else', () => {
  expect(wish('alpine')).toEqual({
    image: 'alpine',
    command: [],
    createCommand: ['lichen', 'run', 'alpine'],
    env: [],
    labels: {},
    annotations: {},
    terminal: false,
    stdinOpen: false,
    autoRemove: false,
    capAdd: [],
    capDrop: [],
    security: { asTyped: [] },
    devices: [],
    sysctls: {},
    ulimits: [],
    resources: {},
    namespaces: {},
    mounts: [],
    network: { ports: [], expose: [], dnsServers: [], dnsSearch: [], dnsOptions: [], addHosts: [] },
    log: {},
  });
});

test('words after the image are the command, whatever they look like', () => {
  expect(wish('-it', 'alpine', 'ls', '-l', '--rm')).toMatchObject({
    terminal: true,
    stdinOpen: true,
    autoRemove: false,
    command: ['ls', '-l', '--rm'],
  });
});

test('with --rootfs the first word is a directory, made absolute, maybe with an overlay', () => {
  expect(wish('--rootfs', 'tree:O', 'sh')).toMatchObject({ rootfs: { path: '/work/tree', overlay: true }, command: ['sh'] });
  expect(wish('--rootfs', '/a:b')).toMatchObject({ rootfs: { path: '/a:b', overlay: false } });
  expect(wish('--rootfs', '/')).not.toHaveProperty('image');
});

test('environment: files first, then --env; names are looked up, * stands for the rest of a name', () => {
  const file = join(directory, 'env');
  writeFileSync(file, '# comment\nA=1\n  B=2 # kept\nHOM*\nNOSUCH\nD="q"\n\nE= \nF G=1\n');
  expect(wish('-e', 'A=5', '--env-file', file, '-eEDITOR', '-e', 'NOSUCH', 'x').env).toEqual([
    ['A', '1'],
    ['B', '2 # kept'],
    ['HOME', '/home/user'],
    ['D', '"q"'],
    ['E', ' '],
    ['F G', '1'],
    ['A', '5'],
    ['EDITOR', 'ed'],
  ]);
});

test('--env-host passes the environment on as the caller had it', () => {
  expect(wish('--env-host', 'x').env).toEqual([
    ['HOME', '/home/user'],
    ['HOSTTYPE', 'x'],
    ['EDITOR', 'ed'],
    ['NODE_EXTRA_CA_CERTS', '/ca'],
  ]);
});

test('labels of files come before labels of flags', () => {
  const file = join(directory, 'labels');
  writeFileSync(file, 'A=1\nB\n# c\n C=3\n');
  expect(wish('-l', 'A=9', '--label-file', file, '-l', 'q', 'x').labels).toEqual({ A: '9', C: '3', q: '' });
});

test.each([
  [['--entrypoint', '["a","b c"]'], { entrypoint: ['a', 'b c'] }],
  [['--entrypoint', '["a"'], { entrypoint: ['["a"'] }],
  [['--entrypoint', ''], { entrypoint: [] }],
  [['--entrypoint', 'a b'], { entrypoint: ['a b'] }],
  [['--restart', 'on-failure:3'], { restart: { name: 'on-failure', maxRetries: 3 } }],
  [['--restart', 'never', '--rm'], { restart: { name: 'no' }, autoRemove: true }],
  [['--pull=newer'], { pull: 'newer' }],
  [['--platform', 'linux/arm64/v8'], { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }],
  [['--arch', 'aarch64'], { platform: { architecture: 'arm64' } }],
  [['--stop-signal', 'usr1'], { stopSignal: 10 }],
  [['--umask', '22'], { umask: '0022' }],
  [['--shm-size', '1g'], { shmSizeBytes: 2 ** 30 }],
  [
    ['-m', '10m', '--memory-swap', '-1', '--cpus', '1.5', '--pids-limit', '0'],
    { resources: { memoryBytes: 10 * 2 ** 20, memorySwapBytes: -1, cpus: 1.5, pidsLimit: 0 } },
  ],
  [['--memory-swappiness', '-1', '-c', '5'], { resources: { cpuShares: 5 } }],
  [['--userns', 'keep-id:uid=5,gid=6'], { namespaces: { user: { kind: 'keep-id', uid: 5, gid: 6 } } }],
  [
    ['--pid', 'container:x', '--ipc', 'none', '--uts=host'],
    { namespaces: { pid: { kind: 'container', container: 'x' }, ipc: { kind: 'none' }, uts: { kind: 'host' } } },
  ],
  [['--uidmap', '0:1:10'], { idMap: { uids: [{ containerId: 0, hostId: 1, size: 10 }], gids: [{ containerId: 0, hostId: 1, size: 10 }] } }],
  [['--net=host'], { network: { mode: { kind: 'host' } } }],
  [['--network', 'pasta:-T,1'], { network: { mode: { kind: 'pasta', options: ['-T', '1'] } } }],
  [
    ['-p80', '-P', '--expose', '80-81/udp'],
    {
      network: {
        publishAll: true,
        expose: ['80/udp', '81/udp'],
        ports: [{ hostIp: '', hostPort: 0, containerPort: 80, range: 1, protocol: 'tcp' }],
      },
    },
  ],
  [['-v', './rel:/x:ro'], { mounts: [{ type: 'bind', source: '/work/rel', target: '/x', options: ['ro'] }] }],
  [['--log-driver', 'json-file', '--log-opt', 'max-size=10m'], { log: { driver: 'json-file', maxSizeBytes: 10_000_000 } }],
  [['--log-driver', 'journald', '--log-opt', 'tag={{.Name}}'], { log: { driver: 'journald', tag: '{{.Name}}' } }],
  [['--ulimit', 'host'], { hostUlimits: true, ulimits: [] }],
  [['--read-only', '--read-only-tmpfs=false', '--init=false'], { readOnly: true, readOnlyTmpfs: false, init: false }],
  [
    ['--security-opt', 'no-new-privileges', '--security-opt', 'seccomp:unconfined', '--security-opt=unmask=/a:/b'],
    { security: { noNewPrivileges: true, seccomp: 'unconfined', unmask: ['/a', '/b'] } },
  ],
  [['--device', '/dev/null:rw'], { devices: [{ hostPath: '/dev/null', containerPath: '/dev/null', access: 'rw' }] }],
  [
    ['-h', 'box', '--tz', 'local', '--timeout', '5', '--stop-timeout=1'],
    { hostname: 'box', timezone: 'local', timeoutSeconds: 5, stopTimeoutSeconds: 1 },
  ],
])('%j is understood', (argv, expected) => {
  expect(wish(...argv, 'image')).toMatchObject(expected);
});

test.each([
  ['-p abc', 'parsing container port: invalid port number: strconv.Atoi: parsing "abc": invalid syntax'],
  ['-v /tmp:rel', 'invalid container path "rel", must be an absolute path'],
  ['-v /tmp:/x:bogus', 'invalid option type "bogus"'],
  ['--mount type=foo,dst=/x', 'invalid filesystem type "foo"'],
  ['--tmpfs /x:bogus', 'unknown mount option "bogus": invalid mount option'],
  ['--network none --ip 1.2.3.4', '--ip can only be set when the network mode is bridge: invalid argument'],
  ['--network x --ip foo', '"foo" is not an ip address'],
  ['--memory foo', "invalid value for memory: invalid size: 'foo'"],
  ['--shm-size foo', "unable to translate --shm-size: invalid size: 'foo'"],
  ['--env-file /no/such', 'parsing file "/no/such": open /no/such: no such file or directory'],
  ['--label-file /no/such', 'unable to process labels: open /no/such: no such file or directory'],
  ['-e =x', 'invalid variable: "=x"'],
  ['--ulimit foo', 'ulimit option "foo" requires name=SOFT:HARD, failed to be parsed: invalid ulimit argument: foo'],
  ['--sysctl foo', 'foo is invalid, sysctl values must be in the form of KEY=VALUE'],
  ['--userns foo', 'unrecognized namespace mode foo passed'],
  ['--rm --restart always', 'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"'],
  ['--rm --restart foo', 'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"'],
  ['--restart foo', 'running container create option: "foo" is not a valid restart policy: invalid argument'],
  ['--restart always:3', 'restart policy retries can only be specified with on-failure restart policy'],
  ['--restart on-failure:x', 'parsing restart policy retry count: strconv.Atoi: parsing "x": invalid syntax'],
  ['--pull foo', 'unsupported pull policy "foo"'],
  ['--log-driver foo', 'running container create option: invalid log driver: invalid argument'],
  ['--log-opt foo', 'invalid log option "foo"'],
  ['--security-opt x=1 --security-opt foo=bar', 'invalid --security-opt 2: "x=1"'],
  ['--platform linux/amd64 --arch arm64', '--platform option can not be specified with --arch or --os'],
  ['--no-hosts --add-host a:1.2.3.4', '--no-hosts and --add-host cannot be set together'],
  ['--image-volume foo', 'invalid image volume mode "foo" required value: anonymous, tmpfs, ignore'],
  ['--systemd foo', 'invalid config provided: --systemd values must be one of "true, false, always": invalid configuration'],
  ['--cgroups foo', 'running container create option: invalid cgroup mode "foo": invalid argument'],
  ['--blkio-weight a', 'invalid value for blkio-weight: strconv.ParseUint: parsing "a": invalid syntax'],
  ['--stop-signal FOO', 'invalid signal: FOO'],
  ['--annotation x', 'annotations must be formatted KEY=VALUE'],
  ['--umask 9', 'running container create option: invalid umask string 9: invalid argument'],
])("run %s fails with Podman's words", (argv, message) => {
  expect(() => wish(...argv.split(' '), 'image')).toThrow(expect.objectContaining({ message }));
});

test('a foreground run attaches to what was asked for', () => {
  expect([...attachedStreams([], false)]).toEqual(['stdout', 'stderr']);
  expect([...attachedStreams([], true)]).toEqual(['stdin', 'stdout', 'stderr']);
  expect([...attachedStreams(['STDERR'], true)]).toEqual(['stderr']);
  expect(() => attachedStreams(['foo'], true)).toThrow(
    'invalid stream "foo" for --attach - must be one of stdin, stdout, or stderr: invalid argument',
  );
});
