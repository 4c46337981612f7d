import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULTS } from '../../libpod/spec/defaults.ts';
import { resolveContainer } from '../../libpod/spec/resolve.ts';
import { resolveIdMap } from '../../libpod/spec/userns.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import { aNetwork, aWish, createFacts, kept } from './spec-case.ts';

const IMAGE = {
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['sleep 100'],
  Env: ['A=img', 'TERM=imgterm', 'NOVALUE', '=x'],
  WorkingDir: '/srv',
  User: '1000:1000',
  Labels: { il: '1', both: 'image' },
  StopSignal: 'SIGINT',
  Volumes: { '/data': {} },
  ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
};
const fromImage = (change: Partial<ContainerWish> = {}, facts = {}): ReturnType<typeof kept> =>
  kept({ command: [], ...change }, { imageConfig: IMAGE, ...facts });

test('without words of the caller the image says what runs, as whom, where and how it is stopped', () => {
  expect(fromImage()).toMatchObject({
    argv: ['/bin/sh', '-c', 'sleep 100'],
    entrypoint: ['/bin/sh', '-c'],
    command: ['sleep 100'],
    user: '1000:1000',
    workdir: '/srv',
    workdirAsked: false,
    stopSignal: 2,
  });
});

test('a command replaces that of the image and keeps its entrypoint; an entrypoint replaces both; an empty one clears', () => {
  expect(fromImage({ command: ['echo', 'hi'] }).argv).toEqual(['/bin/sh', '-c', 'echo', 'hi']);
  expect(fromImage({ entrypoint: ['/bin/echo'] }).argv).toEqual(['/bin/echo']);
  expect(fromImage({ entrypoint: ['/bin/echo', 'x'], command: ['y'] }).argv).toEqual(['/bin/echo', 'x', 'y']);
  expect(fromImage({ entrypoint: [''], command: ['id'] }).argv).toEqual(['id']);
  expect(fromImage({ entrypoint: [], command: ['id'] }).argv).toEqual(['id']);
});

test('the environment grows from defaults over image and proxies to the caller, and no word of the image reads the host', () => {
  const hostEnv = { NOVALUE: 'secret', http_proxy: 'http://x:1', OTHER: 'o' };
  expect(
    fromImage(
      {
        terminal: true,
        env: [
          ['A', 'mine'],
          ['B', '2'],
        ],
      },
      { hostEnv },
    ).env,
  ).toEqual([
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'container=podman',
    'TERM=imgterm',
    'A=mine',
    'http_proxy=http://x:1',
    'B=2',
  ]);
  expect(fromImage({ unsetEnvAll: true, httpProxy: false }, { hostEnv }).env).toEqual([]);
  expect(fromImage({ unsetEnv: ['PATH', 'A', 'TERM'], httpProxy: false }).env).toEqual(['container=podman']);
});

test('labels of the caller go over those of the image', () => {
  expect(fromImage({ labels: { both: 'mine', x: '' } }).labels).toEqual({ il: '1', both: 'mine', x: '' });
});

test('each volume of the image becomes what --image-volume says, unless something is mounted there', () => {
  expect(fromImage().mounts).toEqual([
    {
      type: 'volume',
      name: '1'.padStart(64, '0'),
      anonymous: true,
      target: '/data',
      options: ['rprivate', 'rw', 'nodev', 'exec', 'nosuid', 'rbind'],
    },
  ]);
  expect(fromImage({ imageVolumes: 'tmpfs' }).mounts).toEqual([
    { type: 'tmpfs', target: '/data', options: ['rprivate', 'rw', 'nodev', 'exec', 'nosuid', 'tmpcopyup'] },
  ]);
  expect(fromImage({ imageVolumes: 'ignore' }).mounts).toEqual([]);
  expect(fromImage({ mounts: [{ type: 'bind', source: '/tmp', target: '/data/', options: [] }] }).mounts).toEqual([
    { type: 'bind', source: '/tmp', target: '/data', options: ['rprivate', 'rbind'] },
  ]);
});

test('volumes of a hostile image stay below the root, are counted, and never take its place', () => {
  const targets = (Volumes: Record<string, object>): string[] => kept({}, { imageConfig: { Volumes } }).mounts.map(({ target }) => target);
  expect(targets({ '../../x': {}, 'rel/y/': {}, '/': {}, '..': {}, '/x': {} })).toEqual(['/rel/y', '/x']);
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`/v${index}`, {}]));
  expect(() => targets(many)).toThrow(expect.objectContaining({ code: 'IMAGE_CORRUPT' }));
});

test('a bind keeps the flags its source is mounted with unless the opposite is asked for', () => {
  const mounts = (options: string[]): unknown =>
    kept({ mounts: [{ type: 'bind', source: '/tmp', target: '/a', options }] }, { mountFlags: () => ['nosuid', 'nodev'] }).mounts[0]
      ?.options;
  expect(mounts([])).toEqual(['rprivate', 'nosuid', 'nodev', 'rbind']);
  expect(mounts(['suid', 'bind'])).toEqual(['suid', 'bind', 'private', 'nodev']);
});

test('ports: random host ports are picked at create, exposed ones with --publish-all, none where the network cannot have any', () => {
  const network = aNetwork({
    publishAll: true,
    expose: ['90-91'],
    ports: [
      { hostIp: '', hostPort: 0, containerPort: 80, range: 2, protocol: 'tcp' },
      { hostIp: '127.0.0.1', hostPort: 5353, containerPort: 53, range: 1, protocol: 'udp' },
    ],
  });
  const { ports, expose } = fromImage({ network }).network;
  expect(ports.map(({ hostPort, containerPort, range, protocol }) => `${hostPort}:${containerPort}+${range}/${protocol}`)).toEqual([
    '40001:80+2/tcp',
    '40003:8080+1/tcp',
    '40004:90+2/tcp',
    '5353:53+1/udp',
  ]);
  expect(expose).toEqual(['8080/tcp', '53/udp', '90/tcp', '91/tcp']);
  const warnings: string[] = [];
  const host = fromImage({ network: { ...network, mode: { kind: 'host' } } }, { warn: (message: string) => warnings.push(message) });
  expect(host.network.ports).toEqual([]);
  expect(warnings).toEqual(['Port mappings have been discarded because "host" network namespace mode does not support them']);
});

test('sysctls: configured ones where they can hold, asked ones where they are the container’s own', () => {
  expect(kept({ sysctls: { 'kernel.msgmax': '1' } }).sysctls).toEqual({ 'net.ipv4.ping_group_range': '0 0', 'kernel.msgmax': '1' });
  expect(kept({ network: aNetwork({ mode: { kind: 'host' } }) }).sysctls).toEqual({});
});

test('systemd is recognised by what runs, and stopped its own way unless the image knows better', () => {
  expect(kept({ command: ['/sbin/init'] })).toMatchObject({ systemd: true, stopSignal: 37 });
  expect(kept({ command: ['/bin/sh', '-c', '/usr/lib/systemd/systemd'] }).systemd).toBe(true);
  expect(kept({ command: ['/sbin/init'], systemd: 'false' })).toMatchObject({ systemd: false, stopSignal: 15 });
  expect(fromImage({ systemd: 'always' })).toMatchObject({ systemd: true, stopSignal: 2 });
});

test('keep-id maps the caller to itself and the subordinate ids around it, and runs as the caller', () => {
  const config = kept({ namespaces: { user: { kind: 'keep-id' } } });
  expect(config.user).toBe('2001:2001');
  expect(config.idMap?.uids).toEqual([
    { containerId: 0, hostId: 1, size: 2001 },
    { containerId: 2001, hostId: 0, size: 1 },
    { containerId: 2002, hostId: 2002, size: 63_535 },
  ]);
  expect(kept({ namespaces: { user: { kind: 'keep-id', size: 100 } } }).idMap?.uids).toEqual([
    { containerId: 0, hostId: 1, size: 99 },
    { containerId: 2001, hostId: 0, size: 1 },
  ]);
  expect(kept({ namespaces: { user: { kind: 'keep-id' } }, user: '0' }).user).toBe('0');
});

test('auto takes free subordinate ids only, from as many spans as it needs, and says so when there are too few', () => {
  const facts = createFacts({
    freeIds: {
      uids: [
        { start: 10, size: 600 },
        { start: 5000, size: 600 },
      ],
      gids: [{ start: 1, size: 65_536 }],
    },
  });
  expect(resolveIdMap({ kind: 'auto', size: 1000 }, facts)?.uids).toEqual([
    { containerId: 0, hostId: 10, size: 600 },
    { containerId: 600, hostId: 5000, size: 400 },
  ]);
  expect(resolveIdMap({ kind: 'auto', size: 10, uids: [{ containerId: 3, hostId: 0, size: 1 }] }, facts)?.uids).toEqual([
    { containerId: 0, hostId: 10, size: 3 },
    { containerId: 3, hostId: 0, size: 1 },
    { containerId: 4, hostId: 13, size: 6 },
  ]);
  expect(() => resolveIdMap({ kind: 'auto', size: 2000 }, facts)).toThrow(expect.objectContaining({ code: 'SUBID_RANGE_MISSING' }));
});

const modes = fc.oneof(
  fc.constant({ kind: 'private' as const }),
  fc.constant({ kind: 'nomap' as const }),
  fc.record({ kind: fc.constant('keep-id' as const), uid: fc.integer({ min: 0, max: 70_000 }), gid: fc.integer({ min: 0, max: 70_000 }) }),
  fc.record({ kind: fc.constant('auto' as const), size: fc.integer({ min: 1, max: 60_000 }) }),
);

test('no id map has an id twice, on either side, or one that lichen does not have', () => {
  fc.assert(
    fc.property(modes, fc.integer({ min: 2, max: 65_537 }), (mode, available) => {
      const span = { start: 1, size: available - 1 };
      fc.pre(mode.kind !== 'auto' || mode.size < available);
      const facts = createFacts({ availableIds: { uids: available, gids: available }, freeIds: { uids: [span], gids: [span] } });
      const map = resolveIdMap(mode, facts);
      for (const ranges of [map?.uids ?? [], map?.gids ?? []]) {
        for (const side of ['containerId', 'hostId'] as const) {
          const spans = ranges.map((range) => [range[side], range[side] + range.size] as const).toSorted(([a], [b]) => a - b);
          for (const [index, [start]] of spans.entries()) expect(start).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
        }
        for (const { hostId, size } of ranges) expect(size > 0 && hostId + size <= available).toBe(true);
      }
    }),
  );
});

const REFUSED: readonly (readonly [wish: Partial<ContainerWish>, message: string])[] = [
  [{ capAdd: ['NOPE'] }, '"CAP_NOPE": unknown capability'],
  [{ capDrop: ['NOPE'] }, '"CAP_NOPE": unknown capability'],
  [{ capAdd: ['NET_ADMIN'], capDrop: ['cap_net_admin'] }, 'capability "CAP_NET_ADMIN" cannot be dropped and added'],
  [{ capAdd: ['all'], capDrop: ['ALL'] }, 'adding all caps and removing all caps not allowed'],
  [
    {
      mounts: [
        { type: 'bind', source: '/tmp', target: '/x', options: [] },
        { type: 'tmpfs', target: '/x', options: [] },
      ],
    },
    '/x: duplicate mount destination',
  ],
  [{ mounts: [{ type: 'tmpfs', target: 'rel', options: [] }] }, 'invalid container path "rel", must be an absolute path'],
  [{ mounts: [{ type: 'tmpfs', target: '/x', options: ['bogus'] }] }, 'unknown mount option "bogus": invalid mount option'],
  [
    { mounts: [{ type: 'bind', source: '/', target: '/x', options: ['rw', 'ro'] }] },
    `invalid options "rw, ro", can only specify 1 'rw' or 'ro' option`,
  ],
  [
    { autoRemove: true, restart: { name: 'always' } },
    'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"',
  ],
  [
    { hostname: 'foo', namespaces: { uts: { kind: 'host' } } },
    'invalid config provided: cannot set hostname when running in the host UTS namespace: invalid configuration',
  ],
  [
    { shmSizeBytes: 1, namespaces: { ipc: { kind: 'host' } } },
    'invalid config provided: cannot set shmsize when running in the {host } IPC Namespace',
  ],
  [{ init: true, namespaces: { pid: { kind: 'host' } } }, "cannot add init binary as PID 1 (PID namespace isn't private)"],
  [
    { network: aNetwork({ mode: { kind: 'host' } }), sysctls: { 'net.ipv4.ip_forward': '1' } },
    "sysctl net.ipv4.ip_forward=1 can't be set since Network Namespace set to host: invalid argument",
  ],
  [{ sysctls: { 'foo.bar': '1' } }, "sysctl 'foo.bar' is not allowed"],
  [{ network: aNetwork({ mode: { kind: 'none' }, dnsServers: ['9.9.9.9'] }) }, 'conflicting options: dns and the network mode: none'],
  [{ umask: 'abc' }, 'running container create option: invalid umask string abc: invalid argument'],
  [{ env: [['', 'x']] }, 'invalid variable: "=x"'],
  [{ groupAdd: ['keep-groups', '5'] }, "the '--group-add keep-groups' option is not allowed with any other --group-add options"],
  [{ resources: { cpus: 1, cpuQuotaMicros: 5 } }, '--cpu-quota and --cpus cannot be set together'],
];

for (const [wish, message] of REFUSED) {
  test(`create refuses: ${message}`, () => {
    expect(() => kept(wish)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });
}

test('the same mount asked for twice is one mount', () => {
  const mount = { type: 'bind', source: '/tmp', target: '/x', options: [] } as const;
  expect(kept({ mounts: [mount, mount] }).mounts).toHaveLength(1);
});

test('names and hostnames that could end up as other lines or paths are refused', () => {
  for (const name of ['a/b', '', '-x', 'a b', 'a\nb', '../x']) {
    expect(() => kept({}, { name })).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  }
  for (const hostname of ['a\nb', 'x'.repeat(65), 'a\u001b[1m']) {
    expect(() => kept({ hostname })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
});

test('a zero byte in what an image runs is refused before it could cut a word short', () => {
  expect(() => kept({ command: [] }, { imageConfig: { Cmd: ['a\0b'] } })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('--init without an init program names the package', () => {
  expect(() => kept({ init: true })).toThrow(
    expect.objectContaining({ code: 'HELPER_MISSING', hint: expect.stringContaining('catatonit') }),
  );
});

test('the kept container survives the database: it is the same after JSON', () => {
  const config = resolveContainer(
    aWish({ ulimits: [{ name: 'core', soft: -1, hard: -1 }], namespaces: { user: { kind: 'keep-id' } } }),
    createFacts({ imageConfig: IMAGE }),
    DEFAULTS,
  );
  expect(JSON.parse(JSON.stringify(config))).toEqual(config);
});
