import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StartFacts } from '../../libpod/spec/container.ts';
import { ALL_CAPABILITIES } from '../../libpod/spec/capabilities.ts';
import { DEFAULTS } from '../../libpod/spec/defaults.ts';
import { isPrivilegedDevice } from '../../libpod/spec/devices.ts';
import { ociConfig } from '../../libpod/spec/oci.ts';
import type { OciConfig } from '../../libpod/spec/oci-types.ts';
import { execProcess } from '../../libpod/spec/process.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import podmanExec from '../fixtures/oci/podman/exec-process.json' with { type: 'json' };
import podman from '../fixtures/oci/podman/run-default.json' with { type: 'json' };
import { aNetwork, HOST_RLIMITS, kept, MACHINE, startFacts } from './spec-case.ts';

function made(wish: Partial<ContainerWish> = {}, facts: Partial<StartFacts> = {}): OciConfig {
  const config = kept(wish);
  return ociConfig(config, startFacts(config, facts), DEFAULTS, MACHINE);
}

/** As a runtime reads it. The filter has tests of its own. */
function written(config: OciConfig): unknown {
  const { seccomp, ...linux } = config.linux;
  return JSON.parse(JSON.stringify({ ...config, linux: { ...linux, seccomp: seccomp ? `${seccomp.syscalls.length} rules` : 'none' } }));
}

const NONE = aNetwork({ mode: { kind: 'none' } });

const CASES: Readonly<Record<string, readonly [wish: Partial<ContainerWish>, facts?: Partial<StartFacts>]>> = {
  default: [{}],
  'user-1000': [{ network: NONE, user: '1000' }],
  'user-1000-cap-add': [{ network: NONE, user: 'u1', capAdd: ['NET_ADMIN'], capDrop: ['KILL'] }],
  privileged: [{ network: NONE, privileged: true }, { devices: [device('/dev/fuse')] }],
  'read-only': [{ network: NONE, readOnly: true }],
  'read-only-no-tmpfs': [{ network: NONE, readOnly: true, readOnlyTmpfs: false }],
  'host-namespaces': [
    {
      network: aNetwork({ mode: { kind: 'host' } }),
      namespaces: { pid: { kind: 'host' }, ipc: { kind: 'host' }, uts: { kind: 'host' }, cgroup: { kind: 'host' } },
    },
    { shmPath: '/dev/shm' },
  ],
  'joined-namespaces': [
    {
      network: aNetwork({ mode: { kind: 'path', path: '/run/netns/x' } }),
      namespaces: { pid: { kind: 'container', container: 'other' }, ipc: { kind: 'container', container: 'other' } },
    },
    { joined: { pid: '/proc/7/ns/pid', ipc: '/proc/7/ns/ipc' }, shmPath: '/run/lichen/other/shm' },
  ],
  'keep-id': [{ network: NONE, namespaces: { user: { kind: 'keep-id' } } }],
  volumes: [
    {
      network: NONE,
      mounts: [
        { type: 'bind', source: '/tmp', target: '/a', options: [] },
        { type: 'bind', source: '/tmp', target: '/b', options: ['ro', 'z'] },
        { type: 'bind', source: '/tmp', target: '/c', options: ['rslave'] },
        { type: 'bind', source: '/tmp', target: '/etc/hosts', options: ['ro'] },
        { type: 'volume', name: 'v', target: '/f', options: ['nosuid', 'exec', 'U'] },
        { type: 'volume', target: '/dev/data', options: [] },
        { type: 'tmpfs', target: '/t', options: ['size=1m', 'exec', 'mode=700'] },
      ],
    },
  ],
  devices: [{ network: NONE, devices: [{ hostPath: '/dev/null', containerPath: '/dev/xnull', access: 'r' }] }],
  'init-systemd-manager': [
    { network: NONE, init: true, initPath: '/usr/libexec/podman/catatonit', resources: { memoryBytes: 67_108_864, cpus: 0.5 } },
    { cgroupManager: 'systemd', controllers: ['cpu', 'memory', 'pids'] },
  ],
  systemd: [{ network: NONE, command: ['/sbin/init'] }],
  'security-options': [
    {
      network: NONE,
      security: {
        noNewPrivileges: true,
        mask: ['/proc/foo:/sys/bar'],
        unmask: ['/proc/acpi:/proc/k*'],
        procOpts: ['hidepid=2'],
        asTyped: [],
      },
    },
    { seccomp: { kind: 'unconfined' } },
  ],
  ulimits: [
    {
      network: NONE,
      ulimits: [
        { name: 'nofile', soft: 100, hard: 99_999 },
        { name: 'core', soft: -1, hard: -1 },
        { name: 'memlock', soft: -1, hard: -1 },
      ],
    },
  ],
};

for (const [name, [wish, facts]] of Object.entries(CASES)) {
  test(`the OCI configuration of the case "${name}" is the reviewed one`, async () => {
    const text = `${JSON.stringify(written(made(wish, facts)), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`../fixtures/oci/${name}.json`);
  });
}

test("the default configuration is Podman's, but for places, a duplicate and our file names", () => {
  const own = made({
    mounts: [{ type: 'volume', name: 'gvol', target: '/v', options: [] }],
  });
  const ours = comparable(own);
  const theirs = comparable(podman as unknown as OciConfig);
  expect(ours).toEqual(theirs);
  // Podman names this mask twice.
  expect(podman.linux.maskedPaths.filter((path) => path === '/sys/devices/virtual/powercap')).toHaveLength(2);
  expect(own.linux.maskedPaths?.filter((path) => path === '/sys/devices/virtual/powercap')).toHaveLength(1);
});

/** Without the paths of this machine's store, and with sets in order where order means nothing. */
function comparable(config: OciConfig): unknown {
  return {
    ...config,
    // Old runtimes refuse the version Podman states.
    ociVersion: '',
    root: { ...config.root, path: '' },
    process: { ...config.process },
    mounts: config.mounts
      .map((mount) => ({ ...mount, source: mount.type === 'bind' ? '' : mount.source }))
      .toSorted((a, b) => (a.destination < b.destination ? -1 : 1)),
    linux: {
      ...config.linux,
      namespaces: config.linux.namespaces.map(({ type, path }) => ({ type, isJoined: path !== undefined })),
      maskedPaths: [...new Set(config.linux.maskedPaths)],
    },
  };
}

function device(path: string): StartFacts['devices'][number] {
  return { path, hostPath: path, type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0, access: 'rwm' };
}

test('an unlimited limit is written as 2^64-1, digit by digit', () => {
  const text = JSON.stringify(made({ ulimits: [{ name: 'core', soft: -1, hard: -1 }] }));
  expect(text).toContain('"hard":18446744073709551615,"soft":18446744073709551615');
});

test('a limit asked for by flag is an error that names the controller when the controller is missing', () => {
  expect(() => made({ resources: { memoryBytes: 1 << 26 } })).toThrow(
    expect.objectContaining({
      code: 'CGROUP_UNAVAILABLE',
      message: expect.stringContaining('memory'),
      hint: expect.stringContaining('Delegate='),
    }),
  );
  expect(() => made({ resources: { pidsLimit: 100 } })).toThrow(expect.objectContaining({ code: 'CGROUP_UNAVAILABLE' }));
  expect(() => made({ cgroups: 'disabled', resources: { pidsLimit: 5 } }, { controllers: ['pids'] })).toThrow(
    expect.objectContaining({ code: 'CGROUP_UNAVAILABLE' }),
  );
});

test('the default number of processes is set where the controller is there and left out where not', () => {
  expect(made({}, { controllers: ['pids'] }).linux.resources.pids).toEqual({ limit: 2048 });
  expect(made().linux.resources.pids).toBeUndefined();
  expect(made({ resources: { pidsLimit: 0 } }, { controllers: ['pids'] }).linux.resources.pids).toBeUndefined();
});

test('a user without a mapping is refused by name before the runtime sees it', () => {
  expect(() => made({ user: '1000' }, { availableIds: { uids: 1, gids: 1 } })).toThrow(
    expect.objectContaining({ code: 'SUBID_RANGE_MISSING', message: expect.stringContaining('user ID 1000') }),
  );
});

test('ranges of ids are cut where those of lichen’s own user namespace change', () => {
  const { linux } = made(
    {
      idMap: {
        uids: [{ containerId: 0, hostId: 0, size: 500 }],
        gids: [
          { containerId: 5, hostId: 2, size: 3 },
          { containerId: 0, hostId: 0, size: 1 },
        ],
      },
    },
    { idBoundaries: { uids: [0, 1], gids: [0, 1, 4] } },
  );
  expect(linux.uidMappings).toEqual([
    { containerID: 0, hostID: 0, size: 1 },
    { containerID: 1, hostID: 1, size: 499 },
  ]);
  expect(linux.gidMappings).toEqual([
    { containerID: 5, hostID: 2, size: 2 },
    { containerID: 7, hostID: 4, size: 1 },
    { containerID: 0, hostID: 0, size: 1 },
  ]);
});

test('tty group 5 is left out of devpts where it has no mapping', () => {
  const pts = made({}, { availableIds: { uids: 1, gids: 1 } }).mounts.find(({ destination }) => destination === '/dev/pts');
  expect(pts?.options).not.toContain('gid=5');
});

test('with a mount of the user on /dev nothing of ours lies below it', () => {
  const targets = made({ mounts: [{ type: 'bind', source: '/x', target: '/dev', options: [] }] }).mounts.map(
    ({ destination }) => destination,
  );
  expect(targets.filter((target) => target.startsWith('/dev'))).toEqual(['/dev']);
});

test('nothing to run is an error with status 127', () => {
  expect(() => made({ command: [] })).toThrow(expect.objectContaining({ code: 'COMMAND_NOT_FOUND', exitCode: 127 }));
});

test('root has nodes made and allowed where a rootless container gets binds', () => {
  const config = kept({ devices: [{ hostPath: '/dev/null', containerPath: '/dev/xnull', access: 'rw' }] }, { rootless: false });
  const { linux } = ociConfig(config, startFacts(config, { rootless: false }), DEFAULTS, MACHINE);
  expect(linux.devices).toHaveLength(1);
  expect(linux.resources.devices?.[1]).toEqual({ allow: true, type: 'c', major: 1, minor: 3, access: 'rw' });
});

test('a privileged container gets no terminal of the host, and with systemd no console', () => {
  expect(
    ['/dev/fuse', '/dev/tty', '/dev/ptmx', '/dev/pts/0', '/dev/shm/x', '/dev/tty1'].map((path) => isPrivilegedDevice(path, false)),
  ).toEqual([true, false, false, false, false, true]);
  expect(isPrivilegedDevice('/dev/tty1', true)).toBe(false);
});

test("the process of a plain exec session is Podman's to the field", () => {
  const options = { argv: ['sleep', '5'], env: [], terminal: false, privileged: false, availableIds: { uids: 65_537, gids: 65_537 } };
  expect(execProcess(kept(), { uid: 0, gid: 0, additionalGids: [], home: '/root' }, options)).toEqual(podmanExec);
});

test('an exec session has the sets of the container for its user, the bounding set for root, and nothing for others', () => {
  const config = kept({ user: '1000', capAdd: ['NET_ADMIN'], env: [['A', '1']] });
  const base = { argv: ['id'], env: [], terminal: false, privileged: false, availableIds: { uids: 65_537, gids: 65_537 } } as const;
  const who = (uid: number) => ({ uid, gid: uid, additionalGids: [], home: '/h' });
  const own = execProcess(config, who(1000), base);
  expect(own.capabilities.effective).toEqual(['CAP_NET_ADMIN']);
  expect(own.env).toContain('HOME=/h');
  expect(own.env.some((variable) => variable.startsWith('HOSTNAME='))).toBe(false);
  const root = execProcess(config, who(0), { ...base, user: '0', terminal: true, env: [['A', '2']] });
  expect(root.capabilities.effective).toEqual(root.capabilities.bounding);
  expect(root.env).toEqual(expect.arrayContaining(['A=2', 'TERM=xterm']));
  expect(execProcess(config, who(5), { ...base, user: '5' }).capabilities.effective).toBeUndefined();
  expect(execProcess(config, who(0), { ...base, user: '0', privileged: true }).capabilities.bounding).toEqual(ALL_CAPABILITIES);
});

const limit = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 200_000 }));
const wishes = fc.record({
  capAdd: fc.subarray(['NET_ADMIN', 'SYS_PTRACE', 'CAP_SYS_TIME']),
  capDrop: fc.subarray(['KILL', 'CHOWN', 'cap_setuid']),
  user: fc.constantFrom('', '0', '1000', 'u1', '7:8', ':5'),
  privileged: fc.boolean(),
  readOnly: fc.boolean(),
  ulimits: fc.uniqueArray(fc.record({ name: fc.constantFrom('nofile', 'core', 'memlock', 'nproc'), soft: limit, hard: limit }), {
    selector: ({ name }) => name,
  }),
  namespaces: fc.record({
    pid: fc.constantFrom({ kind: 'private' as const }, { kind: 'host' as const }),
    user: fc.constantFrom({ kind: 'host' as const }, { kind: 'nomap' as const }, { kind: 'keep-id' as const }),
  }),
  mounts: fc.uniqueArray(
    fc.record({
      type: fc.constant('bind' as const),
      source: fc.constant('/s'),
      target: fc.constantFrom('/a', '/a/b', '/dev/shm', '/etc/hosts', '/proc', '/x/../y', '/run//z/'),
      options: fc.subarray(['ro', 'nosuid', 'rshared', 'z', 'U']),
    }),
    { selector: ({ target }) => target },
  ),
});

test('whatever is asked for, limits stay within the host, sets within the bounding set, targets absolute, unique and after their parents', () => {
  fc.assert(
    fc.property(wishes, (wish) => {
      const config = made(wish);
      for (const { type, soft, hard } of config.process.rlimits ?? []) {
        const ceiling = HOST_RLIMITS[type.slice('RLIMIT_'.length).toLowerCase() as keyof typeof HOST_RLIMITS].hard;
        if (ceiling >= 0) expect(Number(JSON.stringify(hard))).toBeLessThanOrEqual(ceiling);
        expect(BigInt(JSON.stringify(soft))).toBeLessThanOrEqual(BigInt(JSON.stringify(hard)));
      }
      const { bounding = [], effective = [], permitted = [], inheritable = [], ambient = [] } = config.process.capabilities;
      expect(bounding).toEqual(expect.arrayContaining([...effective]));
      expect(permitted).toEqual(expect.arrayContaining([...effective]));
      // capabilities(7): ambient needs both
      for (const name of ambient) expect(permitted.includes(name) && inheritable.includes(name)).toBe(true);
      const targets = config.mounts.map(({ destination }) => destination);
      expect(new Set(targets).size).toBe(targets.length);
      for (const [index, target] of targets.entries()) {
        expect(target).toMatch(/^\/(?!.*\.\.)(?!.*\/\/).*[^/]$/);
        expect(targets.slice(index + 1).some((later) => target.startsWith(`${later}/`))).toBe(false);
      }
      for (const { options } of config.mounts) expect(options.some((option) => ['z', 'Z', 'U'].includes(option))).toBe(false);
    }),
    { numRuns: 200 },
  );
});
