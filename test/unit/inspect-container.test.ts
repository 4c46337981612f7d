import { expect, test } from 'vitest';
import { asId, type ContainerId, type ImageId } from '../../core/id.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import { inspectContainer, type ContainerInspectFacts } from '../../libpod/inspect/container.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import bridge from '../fixtures/inspect/container.running-bridge.json' with { type: 'json' };
import exited from '../fixtures/inspect/container.exited.json' with { type: 'json' };
import fromImage from '../fixtures/inspect/container.from-image-config.json' with { type: 'json' };
import limits from '../fixtures/inspect/container.limits.json' with { type: 'json' };
import running from '../fixtures/inspect/container.running.json' with { type: 'json' };
import { aNetwork, kept } from './spec-case.ts';

interface Golden {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Image: string;
  readonly ImageName: string;
  readonly Config: { readonly CreateCommand: readonly string[] };
  readonly [field: string]: unknown;
}

interface Case {
  readonly golden: Golden;
  readonly wish: Partial<ContainerWish>;
  readonly image?: ContainerDefaults;
  readonly record?: Partial<ContainerRecord>;
  readonly facts?: Partial<ContainerInspectFacts>;
}

const STORE = '/home/user/.local/share/containers/storage';

const CASES: Readonly<Record<string, Case>> = {
  running: {
    golden: running[0] as unknown as Golden,
    wish: {
      command: ['sleep', '700'],
      env: [['A', '1']],
      labels: { role: 'run' },
      mounts: [{ type: 'volume', name: 'gvol', target: '/vol', options: [] }],
      network: aNetwork({ ports: [{ hostIp: '', hostPort: 18_081, containerPort: 80, range: 1, protocol: 'tcp' }] }),
    },
    record: {
      status: 'running',
      process: { pid: 24_439, startTime: 1 },
      monitor: { pid: 24_437, startTime: 1 },
      network: { backend: 'pasta', interfaces: [], nameservers: [], runDir: '/' },
    },
    image: { Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 3.6e12, Timeout: 3e10, Retries: 3 } },
    facts: {
      health: {
        status: 'healthy',
        failingStreak: 0,
        log: [{ start: '2026-11-22T03:44:27.23798884Z', end: '2026-11-22T03:44:27.265606481Z', exitCode: 0, output: '' }],
      },
    },
  },
  exited: {
    golden: exited[0] as unknown as Golden,
    wish: { command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] },
    record: { status: 'exited', startedMs: 1, finishedMs: 2, exitCode: 3 },
  },
  'from-image-config': {
    golden: fromImage[0] as unknown as Golden,
    wish: { command: [] },
    image: {
      User: '1000:1000',
      ExposedPorts: { '53/udp': {}, '8080/tcp': {} },
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'APP_ENV=prod', 'VER=1.0'],
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['sleep 600'],
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      Labels: { 'io.buildah.version': '1.43.2', 'org.example.name': 'demo', 'org.example.version': '1.0' },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD-SHELL', 'test -f /srv/hello.txt'], Interval: 3e10, Timeout: 3e9, Retries: 2 },
    },
    record: {
      status: 'running',
      process: { pid: 24_665, startTime: 1 },
      monitor: { pid: 24_663, startTime: 1 },
      network: { backend: 'pasta', interfaces: [], nameservers: [], runDir: '/' },
    },
    facts: { health: { status: 'starting', failingStreak: 0, log: [] }, home: '/srv' },
  },
  'running-bridge': {
    golden: bridge[0] as unknown as Golden,
    wish: {
      command: ['sleep', '700'],
      network: aNetwork({ mode: { kind: 'bridge', networks: [{ name: 'gnet', ips: [], aliases: [] }] } }),
    },
    record: {
      status: 'running',
      process: { pid: 24_505, startTime: 1 },
      monitor: { pid: 24_503, startTime: 1 },
      network: {
        backend: 'netavark',
        interfaces: [{ name: 'eth0', network: 'gnet', mac: '46:b7:9a:e1:67:45', addresses: ['10.77.0.2/24'], gateways: ['10.77.0.1'] }],
        nameservers: [],
        runDir: '/',
      },
    },
    facts: { networkIds: { gnet: '9239fa1a21ddcb6679e823de18c7ccd7da0e06290773198c3c0ad37e371ee89a' } },
  },
  limits: {
    golden: limits[0] as unknown as Golden,
    wish: {
      command: ['sleep', '1'],
      oomScoreAdj: 500,
      resources: {
        memoryBytes: 67_108_864,
        memorySwapBytes: 134_217_728,
        memoryReservationBytes: 33_554_432,
        cpus: 0.5,
        cpuShares: 512,
        cpusetCpus: '0',
        pidsLimit: 100,
      },
    },
  },
};

/** What may differ, and why; `undefined` on either side means the field is not there. */
const ACCEPTED: readonly (readonly [path: RegExp, why: string])[] = [
  [/^(StaticDir|OCIConfigPath|ConmonPidFile|PidFile|GraphDriver\.Data)$/, 'the store and the run directory are laid out otherwise'],
  [/^State\.(StartedAt|FinishedAt)$/, 'times of this run, kept in milliseconds'],
  [/^(Config|HostConfig)\.Annotations\.io\.podman\.annotations\.(cpuset|pids-limit)$/, 'order only'],
  [/^lockNumber$/, 'locks have no number'],
  [/^State\.OciVersion$/, 'old runtimes refuse the version Podman states'],
  [/^HostConfig\.Ulimits$/, 'Podman adds the defaults at the first start, lichen at create'],
  [/^HostConfig\.LogConfig\.Path$/, 'as the store'],
  [/^(Mounts|HostConfig\.Binds)$/, 'names of anonymous volumes'],
];

for (const [name, { golden, wish, image, record = {}, facts = {} }] of Object.entries(CASES)) {
  test(`inspect of the container "${name}" is Podman's document, field by field and in its order`, () => {
    const ours = shown(golden, wish, image, record, facts) as unknown as Golden;
    const differences = [...compare(golden, ours, '')];
    expect(differences.filter(([path]) => !ACCEPTED.some(([accepted]) => accepted.test(path)))).toEqual([]);
    expect(order(ours)).toEqual(order(golden));
  });
}

test('a volume is shown with its name and place, a bind with its source, both with what is not the default', () => {
  const golden = running[0] as unknown as Golden;
  const ours = shown(golden, CASES['running']!.wish, undefined, {}, {}) as unknown as (typeof running)[0];
  expect(ours.Mounts).toEqual(running[0]!.Mounts);
  expect(ours.HostConfig.Binds).toEqual(running[0]!.HostConfig.Binds);
  const wish = { mounts: [{ type: 'bind' as const, source: '/tmp', target: '/hosttmp', options: ['ro', 'rslave', 'z'] }] };
  const bound = shown(golden, wish, undefined, {}, {}) as unknown as (typeof running)[0];
  expect(bound.Mounts[0]).toMatchObject({ Type: 'bind', Source: '/tmp', Options: ['rbind'], RW: false, Propagation: 'rslave' });
  expect(bound.HostConfig.Binds).toEqual(['/tmp:/hosttmp:ro,rslave,rbind']);
});

test('capabilities, namespaces and ids are shown as the difference from the default', () => {
  const wish: Partial<ContainerWish> = {
    capAdd: ['NET_ADMIN'],
    capDrop: ['KILL'],
    namespaces: { user: { kind: 'keep-id' }, pid: { kind: 'host' }, ipc: { kind: 'container', container: 'abc' } },
    security: { noNewPrivileges: true, seccomp: 'unconfined', labels: ['disable'], apparmor: 'unconfined', asTyped: [] },
    autoRemove: true,
  };
  const ours = shown(running[0] as unknown as Golden, wish, undefined, {}, {}) as unknown as { HostConfig: object; EffectiveCaps: unknown };
  expect(ours.HostConfig).toMatchObject({
    CapAdd: ['CAP_NET_ADMIN'],
    CapDrop: ['CAP_KILL'],
    PidMode: 'host',
    IpcMode: 'container:abc',
    UsernsMode: 'private',
    IDMappings: { UidMap: ['0:1:2001', '2001:0:1', '2002:2002:63535'] },
    SecurityOpt: ['no-new-privileges', 'label=disable', 'seccomp=unconfined', 'apparmor=unconfined'],
    AutoRemove: true,
  });
  expect(ours.EffectiveCaps).toEqual(['CAP_NET_ADMIN']);
});

function shown(
  golden: Golden,
  wish: Partial<ContainerWish>,
  imageConfig: ContainerDefaults | undefined,
  record: Partial<ContainerRecord>,
  facts: Partial<ContainerInspectFacts>,
): object {
  const id = asId<ContainerId>(golden.Id);
  const config = kept(
    { createCommand: golden.Config.CreateCommand, ...wish },
    {
      id,
      name: golden.Name,
      createdAt: golden.Created,
      imageId: asId<ImageId>(golden.Image),
      imageName: golden.ImageName,
      ...(imageConfig && { imageConfig }),
    },
  );
  const full: ContainerRecord = {
    id,
    name: golden.Name,
    config,
    createdMs: 0,
    status: 'configured',
    runCount: 0,
    restartCount: 0,
    process: undefined,
    monitor: undefined,
    startedMs: undefined,
    finishedMs: undefined,
    exitCode: undefined,
    oomKilled: false,
    stoppedByUser: false,
    error: undefined,
    network: undefined,
    health: undefined,
    ...record,
  };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const { SandboxKey } = golden['NetworkSettings'] as { SandboxKey: string };
  const { CgroupPath } = golden['State'] as { CgroupPath?: string };
  const { Data } = golden['GraphDriver'] as { Data: { MergedDir?: string } };
  const document = inspectContainer(full, {
    directory: '/store/containers/c',
    runDirectory: '/run/c',
    files: { resolvConf: text(golden['ResolvConfPath']), hostname: text(golden['HostnamePath']), hosts: text(golden['HostsPath']) },
    hostname: golden.Id.slice(0, 12),
    home: '/root',
    imageDigest: text(golden['ImageDigest']),
    runtime: 'crun',
    cgroupManager: 'cgroupfs',
    ...(CgroupPath !== undefined && { cgroupPath: CgroupPath }),
    driver: 'overlay',
    layers: { lower: ['/l'], upper: '/u', work: '/w', ...(Data.MergedDir !== undefined && { merged: '/m' }) },
    volumePath: (name) => `${STORE}/volumes/${name}/_data`,
    netns: SandboxKey,
    networkIds: {},
    dependencies: [],
    execIds: [],
    ...facts,
  });
  return JSON.parse(JSON.stringify(document)) as object;
}

/** Lists and empty values are compared as one; Env and Ulimits without regard to order (Podman's comes from a map). */
function* compare(theirs: unknown, ours: unknown, path: string): Generator<[path: string, theirs: unknown, ours: unknown]> {
  if (isObject(theirs) && isObject(ours)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      const child = path === '' ? key : `${path}.${key}`;
      if (ACCEPTED.some(([accepted]) => accepted.test(child))) continue;
      yield* compare(theirs[key], ours[key], child);
    }
    return;
  }
  const [a, b] = path === 'Config.Env' ? [toSet(theirs), toSet(ours)] : [theirs, ours];
  if (JSON.stringify(a) !== JSON.stringify(b)) yield [path, theirs, ours];
}

/** The names of all fields, in order, to the second level. */
function order(document: Golden): unknown {
  const names = (value: unknown): string[] => (isObject(value) ? Object.keys(value) : []);
  return [names(document), ...['State', 'NetworkSettings', 'Config', 'HostConfig'].map((field) => names(document[field]))];
}

function toSet(list: unknown): unknown {
  return Array.isArray(list) ? list.map(String).toSorted() : list;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
