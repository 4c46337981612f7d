/** The budgets as data: what is done, how often, and which ratio to Podman it must reach. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUILD_FILES, building, buildingChanged, buildingStages, buildingSteps, installing, RUN_STEPS, STAGES } from './build.ts';
import { carryOut, timed, timedTogether, type Engine } from './engine.ts';
import { needed, type Material } from './material.ts';
import { heldByHelpers, processIds } from './memory.ts';
import { ownAddress, published, sendMany, SENT_MIB, SWALLOW } from './traffic.ts';

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: 'ms' | 'MB';
  /** Ratios to Podman. */
  readonly must: number;
  readonly aim: number;
  readonly samples: number;
  readonly setup?: (engine: Engine, material: Material) => Promise<void>;
  readonly measure: (engine: Engine, material: Material) => Promise<number>;
  readonly teardown?: (engine: Engine, material: Material) => Promise<void>;
}

export const SMALL_IMAGE = 'localhost/busybox:latest';
export const LARGE_IMAGE = 'localhost/large:latest';
const NAME = 'lichen-bench';
const MANY = 500;
const MANY_IMAGES = 300;
const IDLE_CONTAINERS = 4;
const POD = `${NAME}-pod`;
const SMALL_POD = 3;
const POD_CONTAINERS = 20;
const FIRST_PORTS = { lichen: 19_481, podman: 19_491 } as const;
const IDLE_COMMAND = ['sleep', '100000'] as const;
const IDLE_RUN = ['run', '-d', '--name', NAME, '--network', 'none', SMALL_IMAGE, ...IDLE_COMMAND] as const;
const WRITTEN_MIB = 100;
const LINES = 100_000;
const UNIT_FILES = 200;
const UNIT_FILE = `[Unit]
Description=One of many

[Container]
Image=localhost/busybox:latest
Exec=sleep 100000
PublishPort=8080:80
Volume=/srv/data:/data:ro
Environment=ONE=1 "TWO=two words"
HealthCmd=true

[Install]
WantedBy=default.target
`;
const BYTES_PER_MB = 1e6;

export const ROWS: readonly Row[] = [
  row('run', '`run --rm IMG true`', 0.6, 0.45, { measure: command('run', '--rm', SMALL_IMAGE, 'true') }),
  row('run-none', '`run --rm --network none IMG true`', 0.6, 0.45, {
    measure: command('run', '--rm', '--network', 'none', SMALL_IMAGE, 'true'),
  }),
  row('exec', '`exec C true`', 0.6, 0.45, { ...withIdleContainer(), measure: command('exec', NAME, 'true') }),
  row('run-embedded', '`run --rm IMG true` by the embedded runtime and monitor', 1, 0.8, {
    measure: commandOfPair('run', '--rm', SMALL_IMAGE, 'true'),
  }),
  row('run-none-embedded', '`run --rm --network none IMG true` by them', 1, 0.8, {
    measure: commandOfPair('run', '--rm', '--network', 'none', SMALL_IMAGE, 'true'),
  }),
  row('exec-embedded', '`exec C true` by them', 1, 0.8, {
    ...withIdleContainer(),
    setup: async (engine, material) => void (await commandOfPair(...IDLE_RUN)(engine, material)),
    measure: commandOfPair('exec', NAME, 'true'),
  }),
  row('ps', '`ps`', 1, 0.8, { ...withIdleContainer(), measure: command('ps') }),
  row('images', '`images`', 1, 0.8, { measure: command('images') }),
  row('inspect', '`inspect C`', 1, 0.8, { ...withIdleContainer(), measure: command('inspect', NAME) }),
  row('ps-500', `\`ps -a\` with ${MANY} containers`, 0.6, 0.4, {
    setup: async (engine) => {
      await timedTogether(
        engine,
        Array.from({ length: MANY }, (_, index) => ['create', '--name', `${NAME}-${index}`, '--network', 'none', SMALL_IMAGE, 'true']),
        2,
      );
    },
    measure: command('ps', '-a'),
    teardown: async (engine) => {
      await carryOut(engine, ['rm', '-f', ...Array.from({ length: MANY }, (_, index) => `${NAME}-${index}`)], { ignoreFailure: true });
    },
  }),
  row('burst', '20 `run --rm`, 4 at a time', 0.6, 0.45, {
    samples: 5,
    measure: (engine) =>
      timedTogether(
        engine,
        Array.from({ length: 20 }, () => ['run', '--rm', SMALL_IMAGE, 'true']),
        4,
      ),
  }),
  row('cp', `\`cp\` of ${WRITTEN_MIB} MiB out of a running container and back`, 1, 0.8, {
    ...withFullContainer(),
    samples: 5,
    measure: async (engine) => {
      const file = join(tmpdir(), `${NAME}-${engine.name}-${process.pid}`);
      try {
        const out = await timed(engine, ['cp', `${NAME}:/big`, file]);
        return out.ms + (await timed(engine, ['cp', file, `${NAME}:/back`])).ms;
      } finally {
        await rm(file, { force: true });
      }
    },
  }),
  row('commit', `\`commit\` of a container that wrote ${WRITTEN_MIB} MiB`, 1, 0.8, {
    ...withFullContainer(),
    samples: 5,
    measure: async (engine) => {
      const image = `localhost/${NAME}-committed`;
      try {
        return (await timed(engine, ['commit', '--quiet', NAME, image])).ms;
      } finally {
        await carryOut(engine, ['rmi', '-f', image], { ignoreFailure: true });
      }
    },
  }),
  row('logs', `\`logs\` of ${LINES} lines`, 1, 0.8, { ...withFullContainer(), samples: 7, measure: command('logs', NAME) }),
  row('stats', '`stats --no-stream C`', 1, 0.8, { ...withIdleContainer(), samples: 7, measure: command('stats', '--no-stream', NAME) }),
  row('keep-id-first', '`run --rm --userns=keep-id` of a 600 MB image, for the first time', 1, 0.8, {
    samples: 2,
    measure: async (engine, material) => {
      await loadLarge(engine, material);
      return keepingId(engine);
    },
    teardown: removeLarge,
  }),
  row('keep-id', '`run --rm --userns=keep-id` of it again', 1, 0.8, {
    samples: 7,
    setup: async (engine, material) => {
      await loadLarge(engine, material);
      await keepingId(engine);
    },
    measure: keepingId,
    teardown: removeLarge,
  }),
  row(
    'load',
    '`load` of a 600 MB docker-archive',
    0.3,
    0.15,
    loading(({ largeDocker }) => ['load', '-i', needed(largeDocker, 'large image')]),
  ),
  row(
    'load-oci',
    '`load` of it as a gzip OCI archive',
    0.3,
    0.15,
    loading(({ largeOci }) => ['load', '-i', needed(largeOci, 'large image')]),
  ),
  row('pull', '`pull` of it from a registry on loopback', 0.4, 0.2, {
    ...loading(({ pullReference }) => ['pull', '--tls-verify=false', needed(pullReference, 'docker-registry')]),
  }),
  row('pull-present', '`pull` of it when all its layers are here', 1, 0.8, {
    setup: async (engine, material) => {
      await pullLarge(engine, material);
    },
    measure: pullLarge,
    teardown: removeLarge,
  }),
  // One sample each: both know afterwards where the registry has the layers, and send none again.
  row('push', '`push` of it to a registry on loopback', 1, 0.8, {
    samples: 1,
    setup: loadLarge,
    measure: async (engine, { pullReference }) => {
      const registry = needed(pullReference, 'docker-registry').split('/')[0]!;
      return (await timed(engine, ['push', '--tls-verify=false', LARGE_IMAGE, `${registry}/pushed-by-${engine.name}:${process.pid}`])).ms;
    },
    teardown: removeLarge,
  }),
  row('rmi', '`rmi` of it, when it is on the disk', 1, 0.8, {
    samples: 3,
    measure: async (engine, material) => {
      await loadLarge(engine, material);
      // What is in the page cache alone is removed at once, but nobody removes images that fast.
      execFileSync('sync');
      return (await timed(engine, ['rmi', LARGE_IMAGE])).ms;
    },
    teardown: removeLarge,
  }),
  row('images-300', `\`images\` with ${MANY_IMAGES} images`, 1, 0.8, {
    setup: importMany,
    measure: command('images'),
    teardown: async (engine) => {
      await carryOut(engine, ['rmi', '-f', ...manyImages()], { ignoreFailure: true });
    },
  }),
  row('network-create', '`network create`', 0.6, 0.45, {
    measure: async (engine) => {
      const { ms } = await timed(engine, ['network', 'create', NAME]);
      await carryOut(engine, ['network', 'rm', NAME]);
      return ms;
    },
  }),
  row('pod-create', `\`pod create\` and ${SMALL_POD} containers in it`, 0.6, 0.45, {
    setup: removePod,
    measure: async (engine) => {
      const made = await timed(engine, ['pod', 'create', '--name', POD]);
      let { ms } = made;
      for (let index = 0; index < SMALL_POD; index++)
        ms += (await timed(engine, ['create', '--pod', POD, SMALL_IMAGE, ...IDLE_COMMAND])).ms;
      await removePod(engine);
      return ms;
    },
    teardown: removePod,
  }),
  row('pod-start', `\`pod start\` with ${POD_CONTAINERS} containers`, 0.6, 0.45, {
    setup: async (engine) => {
      await removePod(engine);
      await carryOut(engine, ['pod', 'create', '--name', POD]);
      for (let index = 0; index < POD_CONTAINERS; index++) await carryOut(engine, ['create', '--pod', POD, SMALL_IMAGE, ...IDLE_COMMAND]);
    },
    measure: async (engine) => {
      const { ms } = await timed(engine, ['pod', 'start', POD]);
      await carryOut(engine, ['pod', 'stop', '--time', '0', POD]);
      return ms;
    },
    teardown: removePod,
  }),
  row('bridge-first', '`run --rm --network BRIDGE IMG true`, the first container on a bridge', 0.6, 0.45, {
    ...withNetwork(),
    measure: command('run', '--rm', '--network', NAME, SMALL_IMAGE, 'true'),
  }),
  row('bridge', 'the same beside another container on the bridge', 0.6, 0.45, {
    setup: async (engine, material) => {
      await withNetwork().setup!(engine, material);
      await carryOut(engine, ['run', '-d', '--name', NAME, '--network', NAME, SMALL_IMAGE, ...IDLE_COMMAND]);
    },
    measure: command('run', '--rm', '--network', NAME, SMALL_IMAGE, 'true'),
    teardown: withNetwork().teardown!,
  }),
  row(
    'port-bridge',
    `${SENT_MIB} MiB from loopback to a published port of a container on a bridge`,
    1,
    0.8,
    receiving(true, () => '127.0.0.1'),
  ),
  row('port-bridge-own', 'the same from the machine’s own address', 1, 0.8, receiving(true, ownAddress)),
  row(
    'port-pasta',
    'from loopback to a container on pasta',
    1,
    0.8,
    receiving(false, () => '127.0.0.1'),
  ),
  row('port-pasta-own', 'the same from the machine’s own address', 1, 0.8, receiving(false, ownAddress)),
  row('memory-port', 'memory held per idle container with a published port on a bridge (PSS)', 1, 0.8, {
    unit: 'MB',
    samples: 3,
    setup: withNetwork().setup!,
    measure: (engine) => measureMemory(engine, (index) => ['--network', NAME, '-p', `${FIRST_PORTS[engine.name] + index}:80`]),
    teardown: async (engine, material) => {
      await removeIdle(engine);
      await withNetwork().teardown!(engine, material);
    },
  }),
  row('memory-pod', `memory held by an idle pod of ${SMALL_POD} containers (PSS)`, 1, 0.8, {
    unit: 'MB',
    samples: 3,
    setup: removePod,
    measure: async (engine) => {
      await removePod(engine);
      const before = processIds();
      await carryOut(engine, ['pod', 'create', '--name', POD]);
      for (let index = 0; index < SMALL_POD; index++) await carryOut(engine, ['run', '-d', '--pod', POD, SMALL_IMAGE, ...IDLE_COMMAND]);
      return (await heldOnceQuiet(before)) / BYTES_PER_MB;
    },
    teardown: removePod,
  }),
  row('generator', `systemd’s generator over ${UNIT_FILES} Quadlet files`, 1.5, 1, {
    setup: async () => {
      const directory = unitFiles();
      await mkdir(directory, { recursive: true });
      for (let index = 0; index < UNIT_FILES; index++) await writeFile(join(directory, `unit${index}.container`), UNIT_FILE);
    },
    measure: async ({ name, program }) => {
      const path = name === 'lichen' ? `${program}-quadlet` : '/usr/libexec/podman/quadlet';
      const generator = { name, program: path };
      return (await timed(generator, ['-dryrun', '-user'], { QUADLET_UNIT_DIRS: unitFiles() })).ms;
    },
    teardown: () => rm(unitFiles(), { recursive: true, force: true }),
  }),
  row('build', `\`build\`: COPY ${BUILD_FILES} files in 3 layers and RUN, cold`, 0.4, 0.25, {
    samples: 3,
    ...building(SMALL_IMAGE, '--no-cache'),
  }),
  row('build-cached', '`build` of it again, all cached', 0.8, 0.5, { samples: 7, ...building(SMALL_IMAGE) }),
  row('build-changed', '`build` of it when one file has changed', 0.4, 0.25, { samples: 5, ...buildingChanged(SMALL_IMAGE) }),
  row('build-steps', `\`build\` of ${RUN_STEPS} RUN, cold`, 0.4, 0.25, { samples: 3, ...buildingSteps(SMALL_IMAGE) }),
  row('build-stages', `\`build\` of ${STAGES} stages side by side, cold`, 0.4, 0.25, { samples: 3, ...buildingStages(SMALL_IMAGE) }),
  row('build-apt', '`build`: `apt-get install` of nginx on what debootstrap makes, cold', 0.4, 0.25, {
    samples: 3,
    ...installing('nginx-light'),
  }),
  row('memory', 'memory held per idle detached container (PSS)', 1, 0.8, {
    unit: 'MB',
    samples: 3,
    measure: (engine) => measureMemory(engine, () => []),
    teardown: removeIdle,
  }),
  row('disk', 'disk for the 600 MB image', 1.05, 1, { unit: 'MB', samples: 1, measure: measureDisk, teardown: removeLarge }),
];

function row(name: string, title: string, must: number, aim: number, rest: Pick<Row, 'measure'> & Partial<Row>): Row {
  return { name, title, must, aim, unit: 'ms', samples: 15, ...rest };
}

function command(...args: readonly string[]): Row['measure'] {
  return async (engine) => (await timed(engine, args)).ms;
}

/** lichen's own runtime and monitor, whatever else is installed. */
function commandOfPair(...args: readonly string[]): Row['measure'] {
  return async (engine) => (await timed(engine, args, { LICHEN_RUNTIME: 'embedded', LICHEN_MONITOR: 'embedded' })).ms;
}

function withIdleContainer(): Pick<Row, 'setup' | 'teardown'> {
  return {
    setup: async (engine) => {
      await carryOut(engine, IDLE_RUN);
    },
    teardown: async (engine) => {
      await carryOut(engine, ['rm', '-f', '-t', '0', NAME], { ignoreFailure: true });
    },
  };
}

/** Without names: Podman’s server of them needs the user’s systemd. */
function withNetwork(): Pick<Row, 'setup' | 'teardown'> {
  return {
    setup: async (engine) => void (await carryOut(engine, ['network', 'create', '--disable-dns', NAME])),
    teardown: async (engine) => {
      await carryOut(engine, ['network', 'rm', '-f', '-t', '0', NAME], { ignoreFailure: true });
    },
  };
}

function receiving(onBridge: boolean, address: () => string): Pick<Row, 'setup' | 'measure' | 'teardown' | 'samples'> {
  return {
    samples: 5,
    setup: async (engine, material) => {
      await withNetwork().setup!(engine, material);
      const network = ['--network', onBridge ? NAME : 'pasta'];
      await carryOut(engine, ['run', '-d', '--name', NAME, ...network, ...published(engine), SMALL_IMAGE, ...SWALLOW]);
    },
    measure: (engine) => sendMany(engine, address()),
    teardown: async (engine, material) => {
      await withIdleContainer().teardown!(engine, material);
      await withNetwork().teardown!(engine, material);
    },
  };
}

/** Both read the same. */
function unitFiles(): string {
  return join(tmpdir(), `${NAME}-units-${process.pid}`);
}

/** It has written a file and many lines, and sleeps. */
function withFullContainer(): Pick<Row, 'setup' | 'teardown'> {
  const script = `dd if=/dev/zero of=/big bs=1M count=${WRITTEN_MIB}; seq ${LINES}; exec ${IDLE_COMMAND.join(' ')}`;
  return {
    setup: async (engine) => {
      await carryOut(engine, ['run', '-d', '--name', NAME, '--network', 'none', SMALL_IMAGE, 'sh', '-c', script]);
      while ((await carryOut(engine, ['logs', '--tail', '1', NAME])).trim() !== String(LINES)) await sleep(100);
    },
    teardown: withIdleContainer().teardown!,
  };
}

/** The image holds data alone: what runs is a static program of the machine. */
async function keepingId(engine: Engine): Promise<number> {
  const flags = ['--rm', '--network', 'none', '--userns=keep-id', '-v', '/bin/busybox:/busybox:ro'];
  return (await timed(engine, ['run', ...flags, LARGE_IMAGE, '/busybox', 'true'])).ms;
}

/** Each sample starts without the image; removing it is not timed. */
function loading(args: (material: Material) => readonly string[]): Pick<Row, 'measure' | 'teardown' | 'samples'> {
  return {
    samples: 3,
    measure: async (engine, material) => {
      const argv = args(material);
      await removeLarge(engine, material);
      return (await timed(engine, argv)).ms;
    },
    teardown: removeLarge,
  };
}

async function pullLarge(engine: Engine, { pullReference }: Material): Promise<number> {
  return (await timed(engine, ['pull', '--tls-verify=false', needed(pullReference, 'docker-registry')])).ms;
}

async function loadLarge(engine: Engine, material: Material): Promise<void> {
  await removeLarge(engine, material);
  await carryOut(engine, ['load', '-i', needed(material.largeDocker, 'large image')]);
}

function manyImages(): readonly string[] {
  return Array.from({ length: MANY_IMAGES }, (_, index) => `localhost/${NAME}-${index}:latest`);
}

/** Each of one empty layer and a comment of its own. */
async function importMany(engine: Engine): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'lichen-bench-empty-'));
  const archive = join(directory, 'empty.tar');
  // Two blocks of zeros end a tar archive.
  await writeFile(archive, Buffer.alloc(1024));
  try {
    for (const name of manyImages()) await carryOut(engine, ['import', '--quiet', '--message', name, archive, name]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function removeLarge(engine: Engine, { pullReference }: Material): Promise<void> {
  for (const reference of [LARGE_IMAGE, ...(pullReference === undefined ? [] : [pullReference])]) {
    await carryOut(engine, ['rmi', '-f', reference], { ignoreFailure: true });
  }
}

async function removePod(engine: Engine): Promise<void> {
  await carryOut(engine, ['pod', 'rm', '--force', '--time', '0', POD], { ignoreFailure: true });
}

async function measureMemory(engine: Engine, flags: (index: number) => readonly string[]): Promise<number> {
  await removeIdle(engine);
  const before = processIds();
  for (let index = 0; index < IDLE_CONTAINERS; index++) {
    await carryOut(engine, ['run', '-d', '--name', `${NAME}-${index}`, ...flags(index), SMALL_IMAGE, ...IDLE_COMMAND]);
  }
  return (await heldOnceQuiet(before)) / IDLE_CONTAINERS / BYTES_PER_MB;
}

/** Background clean-up of the starting commands is not counted. */
async function heldOnceQuiet(before: ReadonlySet<string>): Promise<number> {
  await sleep(1000);
  return heldByHelpers(before, IDLE_COMMAND.join(' '));
}

async function removeIdle(engine: Engine): Promise<void> {
  await carryOut(engine, ['rm', '-f', '-t', '0', ...Array.from({ length: IDLE_CONTAINERS }, (_, index) => `${NAME}-${index}`)], {
    ignoreFailure: true,
  });
}

async function measureDisk(engine: Engine, material: Material): Promise<number> {
  const store = join(homedir(), '.local/share', engine.name === 'lichen' ? 'lichen' : 'containers/storage');
  const used = async () => Number((await carryOut(engine, ['unshare', 'du', '-skx', store])).split(/\s/)[0]) * 1024;
  await removeLarge(engine, material);
  const before = await used();
  await carryOut(engine, ['load', '-i', needed(material.largeDocker, 'large image')]);
  return ((await used()) - before) / BYTES_PER_MB;
}
