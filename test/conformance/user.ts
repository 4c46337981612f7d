/** Of one container of an ordinary user that shares namespaces: joined by path, inherited from the runtime, and what the runtime's caller hands down. */
import { expect } from 'vitest';
import type { Bench } from './bench.ts';
import { configFor, DEV, DEVPTS, NAMESPACES, PATH, PROC, SHM } from './config.ts';
import { Sheet } from './facts.ts';
import { requirement, type Requirement } from './requirement.ts';

const ID = 'user';

const sheet = new Sheet(async (bench, script) => {
  await using holder = bench.host.spawnLichen([
    'unshare',
    'unshare',
    '--uts',
    '--ipc',
    'sh',
    '-c',
    'hostname joined; readlink /proc/self/ns/ipc; readlink /proc/self/ns/net; echo pid $$; exec cat',
  ]);
  const [, ipc = '', net = '', pid = ''] = await holder.waitForOutput(/(ipc:\S+)\n(net:\S+)\npid (\d+)\n/);
  const config = configFor(bench, ID, `IPC='${ipc}' NET='${net}'\n${script}`, {
    mounts: [PROC, DEV, DEVPTS, SHM],
    process: {
      user: { uid: 1000, gid: 1001 },
      env: [PATH],
      capabilities: {
        bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
        permitted: ['CAP_KILL', 'CAP_NET_RAW'],
        effective: ['CAP_KILL'],
        inheritable: ['CAP_KILL', 'CAP_NET_RAW'],
        ambient: ['CAP_NET_RAW'],
      },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
    },
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'mount' },
        { type: 'cgroup' },
        { type: 'ipc', path: `/proc/${pid}/ns/ipc` },
        { type: 'uts', path: `/proc/${pid}/ns/uts` },
      ],
      personality: { domain: 'LINUX32' },
      rootfsPropagation: 'shared',
    },
  });
  const bundle = await bench.bundle(config);
  // The caller has a descriptor, a umask and a score of its own.
  const told = await bench.script(
    `exec 7< /etc/passwd; umask 027; echo 300 > /proc/self/oom_score_adj; exec $RUNTIME run --bundle ${bundle} ${ID}`,
  );
  holder.endInput();
  await holder.finished;
  return told;
});

const status = (field: string) => `awk '$1 == "${field}:" { $1 = ""; print substr($0, 2) }' /proc/1/status`;

sheet.row(
  'config.md#posix-platform-user',
  'a user other than root has uid and gid, and no groups besides',
  `id -u; id -g; ${status('Groups')} | tr -d ' '`,
  /^1000\|1001\|(1001)?$/,
);
sheet.row('config.md#posix-platform-user', 'without umask that of the caller stays', 'umask', '0027', {
  crun: { does: 'sets 0022', tells: '0022' },
});
sheet.row(
  'config.md#linux-process',
  'the five sets of capabilities are set',
  `for set in Bnd Inh Amb Prm Eff; do awk -v n=Cap$set: '$1 == n { print $2 }' /proc/1/status; done`,
  '0000000000002021|0000000000002020|0000000000002000|0000000000002000|0000000000002000',
);
sheet.row('config.md#linux-process', 'without noNewPrivileges no_new_privs is not set', status('NoNewPrivs'), '0');
sheet.row('config.md#linux-process', 'without oomScoreAdj that of the caller stays', 'cat /proc/1/oom_score_adj', '300');
sheet.row('config.md#linux-process', 'ioPriority is set', 'ionice -p 1', /^best-effort: prio 6$/, {
  crun: { does: 'passes it over', tells: 'none: prio 0' },
});
sheet.row('config.md#linux-process', 'the scheduler is set', `awk '{ print $19, $41 }' /proc/1/stat`, '5 3', {
  crun: { does: 'passes it over', tells: '0 0' },
});
sheet.row(
  'config-linux.md#namespaces',
  'a namespace with a path is joined',
  `readlink /proc/self/ns/ipc | grep -qxF "$IPC" && hostname`,
  'joined',
);
sheet.row(
  'config-linux.md#namespaces',
  'a namespace that is not listed is that of the runtime',
  `readlink /proc/self/ns/net | grep -qxF "$NET" && echo same`,
  'same',
);
sheet.row(
  'config-linux.md#namespaces',
  'a namespace without a path is a new one: the program is the first process of its pid namespace',
  `echo $$; ls -d /proc/[0-9]* | wc -l`,
  /^1\|[1-9]$/,
);
sheet.row('config-linux.md#personality', 'LINUX32 shows a 32-bit machine', 'uname -m', /^(i686|armv8l)$/);
sheet.row(
  'config-linux.md#rootfs-mount-propagation',
  'with shared the root has peers',
  `awk '$5 == "/" { print $7 }' /proc/self/mountinfo`,
  /^shared:\d+$/,
);
sheet.plainRow(
  'runtime-linux.md#file-descriptors',
  'the program has stdin, stdout and stderr, and no descriptor of the runtime or its caller',
  'for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -L /proc/1/fd/$fd ] && printf %s " $fd"; done',
  ' 0 1 2',
);

export const USER = sheet.rows;

/** Of a container with a user namespace of its own below that of the runtime. */
const nested = new Sheet(async (bench: Bench, script: string) => {
  const id = 'nested';
  const mapping = [{ containerID: 0, hostID: 1000, size: 2000 }];
  const config = configFor(bench, id, script, {
    linux: {
      namespaces: ['user', 'pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'].map((type) => ({ type })),
      uidMappings: mapping,
      gidMappings: mapping,
    },
  });
  return bench.run(id, await bench.bundle(config));
});

nested.row(
  'config-linux.md#user-namespace-mappings',
  'uidMappings and gidMappings are those of the new user namespace',
  `awk '{ print $1, $2, $3 }' /proc/self/uid_map /proc/self/gid_map; id -u`,
  '0 1000 2000|0 1000 2000|0',
);
nested.row(
  'config-linux.md#user-namespace-mappings',
  'the owners of the root file system stay as they are',
  'stat -c %u:%g /srv',
  '65534:65534',
);

/** Of a container whose clocks are moved. */
async function uptime(bench: Bench): Promise<string> {
  const id = 'clocks';
  const linux = { namespaces: [...NAMESPACES, { type: 'time' }], timeOffsets: { boottime: { secs: 10_000_000 } } };
  return bench.run(id, await bench.bundle(configFor(bench, id, 'cat /proc/uptime', { linux })));
}

export const NESTED: readonly Requirement[] = [
  ...nested.rows,
  requirement(
    'config-linux.md#time-namespace-offsets',
    'timeOffsets move the clocks of a new time namespace',
    async (bench) => expect(await bench.once(uptime)).toMatch(/^\d{8,}\./),
    { crun: { does: 'fails', holds: async (bench) => expect(bench.once(uptime)).rejects.toThrow(/exit \d+/) } },
  ),
];
