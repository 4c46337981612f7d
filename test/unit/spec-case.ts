/** A wish and the facts around it, plain unless a test says otherwise. */
import { asId, type ContainerId, type ImageId } from '../../core/id.ts';
import type { ContainerConfig, ResolvedMount, StartFacts } from '../../libpod/spec/container.ts';
import { resolveContainer, type CreateFacts } from '../../libpod/spec/resolve.ts';
import { lookUpUser } from '../../libpod/spec/user.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import profile from '../../libpod/spec/seccomp-default.json' with { type: 'json' };

export const ID = asId<ContainerId>('c4adbee6d3286e8b7d3385dcec819bab74c7e857fccf0b3565f2cef571fbff24');
export const MACHINE = { arch: 'x64', kernel: '6.18.0' };

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nu1:x:1000:1000::/srv:/bin/sh\n';
const GROUP = 'root:x:0:\nu1:x:1000:\ngg:x:500:u1\n';

export function aWish(change: Partial<ContainerWish> = {}): ContainerWish {
  return {
    image: 'localhost/bb',
    command: ['sleep', '20'],
    createCommand: ['lichen', 'run', 'bb', 'sleep', '20'],
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
    network: aNetwork(),
    log: {},
    ...change,
  };
}

export function aNetwork(change: Partial<ContainerWish['network']> = {}): ContainerWish['network'] {
  return { ports: [], expose: [], dnsServers: [], dnsSearch: [], dnsOptions: [], addHosts: [], ...change };
}

export function createFacts(change: Partial<CreateFacts> = {}): CreateFacts {
  let volumes = 0;
  let port = 40_000;
  return {
    id: ID,
    name: 'quiet_moss',
    createdAt: '2026-11-22T03:44:26.56718981Z',
    imageId: asId<ImageId>('b1dacf6c513ab03cbc8038e04888bb425696dccd3393a8b32ea4bbe2a548b655'),
    imageName: 'localhost/bb:latest',
    layers: [],
    rootless: true,
    hostEnv: {},
    hostRlimits: HOST_RLIMITS,
    logPath: '/store/containers/c4/ctr.log',
    caller: { uid: 2001, gid: 2001 },
    availableIds: { uids: 65_537, gids: 65_537 },
    idsNeeded: 0,
    freeIds: { uids: [{ start: 1, size: 65_536 }], gids: [{ start: 1, size: 65_536 }] },
    newVolumeName: () => String(++volumes).padStart(64, '0'),
    freePort: () => ++port,
    mountFlags: () => [],
    volumesFrom: [],
    warn: () => undefined,
    ...change,
  };
}

export const HOST_RLIMITS = {
  nofile: { soft: 20_000, hard: 20_000 },
  nproc: { soft: 96_365, hard: 96_365 },
  core: { soft: 0, hard: -1 },
  memlock: { soft: 8192, hard: 65_536 },
};

export function startFacts(config: ContainerConfig, change: Partial<StartFacts> = {}): StartFacts {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const hasNetwork = !['host', 'none'].includes(config.network.mode.kind);
  return {
    rootless: true,
    deviceRules: true,
    rootfs: '/store/containers/c4/merged',
    rootfsReadOnly: false,
    bundle: '/run/lichen/c4',
    ...(hasNetwork && { netns: '/run/lichen/netns/c4' }),
    joined: {},
    hostname: config.hostname ?? 'c4adbee6d328',
    files: {
      ...(hasNetwork && { '/etc/resolv.conf': '/run/lichen/c4/resolv.conf' }),
      '/etc/hosts': '/run/lichen/c4/hosts',
      '/run/.containerenv': '/run/lichen/c4/.containerenv',
      '/etc/hostname': '/run/lichen/c4/hostname',
    },
    shmPath: '/run/lichen/c4/shm',
    mounts: config.mounts.map(resolved),
    process: lookUpUser(config.user, { passwd: bytes(PASSWD), group: bytes(GROUP) }, config.groupAdd),
    hostRlimits: HOST_RLIMITS,
    availableIds: { uids: 65_537, gids: 65_537 },
    controllers: [],
    cgroupManager: 'cgroupfs',
    sysfsByBind: config.network.mode.kind === 'host',
    hostEnv: {},
    deviceNumber: () => ({ major: 8, minor: 16 }),
    devices: config.devices.map((device) => ({
      path: device.containerPath,
      hostPath: device.hostPath,
      type: 'c',
      major: 1,
      minor: 3,
      fileMode: 0o666,
      uid: 0,
      gid: 0,
      access: device.access,
    })),
    seccomp: { kind: 'profile', document: profile, path: 'built-in' },
    existing: () => false,
    ...change,
  };
}

/** The kept container of a wish. */
export function kept(change: Partial<ContainerWish> = {}, facts: Partial<CreateFacts> = {}): ContainerConfig {
  return resolveContainer(aWish(change), createFacts(facts));
}

function resolved(mount: ContainerConfig['mounts'][number]): ResolvedMount {
  if (mount.type === 'volume') return { ...mount, type: 'bind', source: `/store/volumes/${mount.name}/_data` };
  if (mount.type === 'artifact') return { ...mount, type: 'bind', source: '/store/blobs/sha256/c4' };
  if (mount.type === 'image') return { ...mount, type: 'bind', source: '/store/image-mount' };
  return mount.type === 'bind' ? mount : { ...mount, source: mount.type };
}
