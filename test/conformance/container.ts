/** Of one container of root: config.md and config-linux.md, as far as a process inside can see it. */
import { configFor, DEV, DEVPTS, NAMESPACES, PROC, SHM } from './config.ts';
import { Sheet } from './facts.ts';

const ID = 'container';
const tmpfs = (destination: string, ...options: readonly string[]) => ({ destination, type: 'tmpfs', source: 'tmpfs', options });
const errno = (names: readonly string[], errnoRet?: number, args?: readonly object[]) => ({
  names,
  action: 'SCMP_ACT_ERRNO',
  ...(errnoRet !== undefined && { errnoRet }),
  ...(args && { args }),
});

const sheet = new Sheet(async (bench, script) => {
  const given = `${bench.home}/given`;
  await bench.script(`mount -t tmpfs below ${given}/sub && touch ${given}/sub/below`);
  const config = configFor(bench, ID, script, {
    root: { path: bench.rootfs, readonly: true },
    hostname: 'conformance',
    domainname: 'example.test',
    process: {
      user: { uid: 0, gid: 0, umask: 0o27, additionalGids: [5, 1002] },
      env: ['PATH=/bin', 'GREETING=hello world', 'EMPTY='],
      cwd: '/srv/work',
      capabilities: {
        bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'],
        effective: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'],
        permitted: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'],
      },
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 500, hard: 600 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 4096 },
      ],
      noNewPrivileges: true,
      oomScoreAdj: 500,
    },
    mounts: [
      PROC,
      DEV,
      DEVPTS,
      SHM,
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] },
      tmpfs('/tmp', 'mode=1777'),
      tmpfs('/tmp/m'),
      tmpfs('/tmp/m/inner', 'size=64k', 'mode=0700'),
      { destination: '/tmp/m/bind', source: given, options: ['bind'] },
      { destination: '/tmp/m/rbind', type: 'none', source: given, options: ['rbind'] },
      { destination: '/tmp/m/ro', type: 'none', source: given, options: ['rbind', 'ro'] },
      { destination: '/tmp/m/rro', type: 'none', source: given, options: ['rbind', 'rro'] },
      { destination: '/tmp/m/file', type: 'none', source: `${given}/file`, options: ['bind'] },
      tmpfs('/tmp/o/ro', 'ro'),
      tmpfs('/tmp/o/ro/inner'),
      tmpfs('/tmp/o/nosuid', 'nosuid'),
      tmpfs('/tmp/o/nodev', 'nodev'),
      tmpfs('/tmp/o/noexec', 'noexec'),
      tmpfs('/tmp/o/sync', 'sync'),
      tmpfs('/tmp/o/dirsync', 'dirsync'),
      tmpfs('/tmp/o/noatime', 'noatime'),
      tmpfs('/tmp/o/nodiratime', 'nodiratime'),
      tmpfs('/tmp/o/relatime', 'relatime'),
      tmpfs('/tmp/o/strictatime', 'strictatime'),
      tmpfs('/tmp/o/plain', 'rw', 'suid', 'dev', 'exec', 'async', 'atime', 'diratime', 'nostrictatime', 'defaults'),
      tmpfs('/tmp/p/private', 'private'),
      tmpfs('/tmp/p/shared', 'shared'),
      tmpfs('/tmp/p/unbindable', 'unbindable'),
      { destination: '/tmp/p/rslave', type: 'none', source: '/tmp', options: ['rbind', 'rslave'] },
    ],
    linux: {
      namespaces: NAMESPACES,
      sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '9000' },
      devices: [{ path: '/dev/net/tun', type: 'c', major: 10, minor: 200, fileMode: 0o666, uid: 0, gid: 0 }],
      maskedPaths: ['/proc/timer_list', '/srv/masked', '/srv/masked-file'],
      readonlyPaths: ['/proc/sys', '/tmp/m/bind/locked'],
      resources: { unified: { 'cgroup.max.depth': '5' } },
      rootfsPropagation: 'private',
      seccomp: {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          errno(['mkdir', 'mkdirat']),
          errno(['symlink', 'symlinkat'], 28),
          errno(['kill'], 16, [{ index: 1, value: 12, op: 'SCMP_CMP_EQ' }]),
        ],
      },
    },
  });
  try {
    return await bench.run(ID, await bench.bundle(config));
  } finally {
    await bench.script(`umount ${given}/sub`);
  }
});

/** The options of the mount at `path`, and those of its file system. */
const options = (path: string) => `awk '$5 == "${path}" { print $6 "," $NF }' /proc/self/mountinfo`;
/** `master:` and `shared:` of the mount at `path`. */
const propagation = (path: string) => `awk '$5 == "${path}" { print $7 }' /proc/self/mountinfo`;
const status = (field: string) => `awk '$1 == "${field}:" { $1 = ""; print substr($0, 2) }' /proc/self/status`;
const limit = (name: string) => `awk '/^Max ${name}/ { print $(NF - 2), $(NF - 1) }' /proc/self/limits`;
const writes = (path: string) => `touch ${path}/new && rm ${path}/new && echo writable`;
const has = (option: string) => new RegExp(`(^|,)${option}(,|$)`);

// config.md
sheet.row('config.md#root', 'with readonly the root cannot be written to', writes('/srv/work'), /Read-only file system/);
sheet.row(
  'config.md#mounts',
  'mounts are made in the order of the list, one on the other',
  `ls /tmp/m/inner && ls /tmp/m | tr '\\n' ' '`,
  'bind file inner rbind ro rro ',
);
sheet.row(
  'config.md#mounts',
  'a bind mount shows its source, and nothing that is mounted below that',
  'cat /tmp/m/bind/file; ls /tmp/m/bind/sub',
  'given',
);
sheet.row('config.md#mounts', 'a bind mount of a file shows that file', 'cat /tmp/m/file', 'given');
sheet.row('config.md#mounts', 'rbind takes along what is mounted below its source', 'ls /tmp/m/rbind/sub', 'below');
sheet.row('config.md#mounts', 'a bind mount with ro cannot be written to', writes('/tmp/m/ro'), /Read-only file system/);
sheet.row('config.md#mounts', 'rro holds for what is mounted below as well', writes('/tmp/m/rro/sub'), /Read-only file system/);
sheet.row(
  'config.md#mounts',
  'options that no flag stands for go to the file system',
  `stat -c %a /tmp/m/inner; ${options('/tmp/m/inner')}`,
  /^700\|.*size=64k/,
);
for (const option of ['ro', 'nosuid', 'nodev', 'noexec', 'sync', 'dirsync', 'noatime', 'nodiratime', 'relatime']) {
  sheet.row('config.md#linux-mount-options', `the option ${option}`, options(`/tmp/o/${option}`), has(option));
}
sheet.row(
  'config.md#mounts',
  'on a tmpfs with ro there can be other mounts, and it cannot be written to',
  `ls /tmp/o/ro; touch /tmp/o/ro/inner/new && ${writes('/tmp/o/ro')}`,
  /^inner\|.*Read-only file system/,
);
sheet.row('config.md#linux-mount-options', 'the option strictatime', options('/tmp/o/strictatime'), /^rw,(?!.*atime)/);
sheet.row(
  'config.md#linux-mount-options',
  'rw, suid, dev, exec, async, atime, diratime, nostrictatime and defaults are what a mount is without options',
  options('/tmp/o/plain'),
  /^rw,relatime,rw/,
);
sheet.row('config.md#linux-mount-options', 'the option private', propagation('/tmp/p/private'), '-');
sheet.row('config.md#linux-mount-options', 'the option shared', propagation('/tmp/p/shared'), /^shared:\d+$/);
sheet.row('config.md#linux-mount-options', 'the option unbindable', propagation('/tmp/p/unbindable'), 'unbindable');
sheet.row(
  'config.md#linux-mount-options',
  'the option rslave',
  `${propagation('/tmp/p/rslave')}; ls -d /tmp/p/rslave`,
  /^(-|master:\d+)\|\/tmp\/p\/rslave$/,
);
sheet.row('config.md#process', 'the program begins in cwd', 'pwd', '/srv/work');
sheet.row(
  'config.md#process',
  'the environment is env and nothing else',
  `tr '\\0' '\\n' < /proc/1/environ`,
  'PATH=/bin|GREETING=hello world|EMPTY=',
  { crun: { does: 'adds HOME where it is not given', tells: 'PATH=/bin|GREETING=hello world|EMPTY=|HOME=/' } },
);
sheet.row(
  'config.md#process',
  'args are the argv of the program, which is searched for in its PATH',
  `tr '\\0' ' ' < /proc/1/cmdline | head -c 6; readlink /proc/1/exe`,
  'sh -c |/bin/busybox'.replace('|', ''),
);
sheet.row(
  'config.md#posix-process',
  'rlimits are set, soft and hard',
  `${limit('open files')}; ${limit('core file size')}`,
  '500 600|0 4096',
);
sheet.row(
  'config.md#linux-process',
  'the bounding set is what it says, and root has no capability beyond it',
  `${status('CapBnd')}; ${status('CapPrm')}; ${status('CapEff')}`,
  '00000000000000a1|00000000000000a1|00000000000000a1',
);
sheet.row(
  'config.md#linux-process',
  'sets that are left out are empty',
  `${status('CapInh')}; ${status('CapAmb')}`,
  '0000000000000000|0000000000000000',
);
sheet.row('config.md#linux-process', 'noNewPrivileges sets no_new_privs', status('NoNewPrivs'), '1');
sheet.row('config.md#linux-process', 'oomScoreAdj is set', 'cat /proc/1/oom_score_adj', '500');
sheet.row('config.md#posix-platform-user', 'uid and gid are those of the process', 'id -u; id -g', '0|0');
sheet.row('config.md#posix-platform-user', 'umask is set', 'umask', '0027');
sheet.row(
  'config.md#posix-platform-user',
  'additionalGids are the supplementary groups',
  `${status('Groups')} | tr -s ' ' | sed 's/ $//'`,
  /^(0 )?5 1002$/,
);
sheet.row('config.md#hostname', 'the hostname is set', 'hostname', 'conformance');
sheet.row('config.md#domainname', 'the domainname is set', 'cat /proc/sys/kernel/domainname', 'example.test');
// config-linux.md
sheet.row(
  'config-linux.md#default-filesystems',
  'proc, sysfs, devpts, tmpfs and mqueue are mounted where the configuration says',
  `awk '$2 ~ "^/(proc|sys|dev/pts|dev/shm|dev/mqueue)$" { print $2, $3 }' /proc/mounts | sort`,
  '/dev/mqueue mqueue|/dev/pts devpts|/dev/shm tmpfs|/proc proc|/sys sysfs',
);
sheet.row(
  'config-linux.md#devices',
  'a device that is listed is there with its type and numbers',
  `stat -c '%F %t:%T' /dev/net/tun`,
  'character special file a:c8',
);
sheet.row(
  'config-linux.md#default-devices',
  'null, zero, full, random, urandom and tty are there',
  `for d in null zero full random urandom tty; do stat -c '%n %t:%T' /dev/$d; done`,
  '/dev/null 1:3|/dev/zero 1:5|/dev/full 1:7|/dev/random 1:8|/dev/urandom 1:9|/dev/tty 5:0',
);
sheet.row(
  'config-linux.md#default-devices',
  'they are open to everyone',
  'echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c',
  '2|2',
);
sheet.row(
  'config-linux.md#default-devices',
  "ptmx is the one of the container's devpts",
  'readlink -f /dev/ptmx; test -c /dev/ptmx && echo device',
  /^\/dev\/(pts\/)?ptmx\|device$/,
);
sheet.row(
  'config-linux.md#cgroups-path',
  "the mount of type cgroup shows the container's own cgroup as its root",
  `grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | wc -l`,
  /^0::\/\|[1-9]/,
);
sheet.row('config-linux.md#unified', 'a file of the cgroup is written', 'cat /sys/fs/cgroup/cgroup.max.depth', '5');
sheet.row(
  'config-linux.md#sysctl',
  "kernel parameters are set in the container's namespaces",
  'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax',
  '1|9000',
);
sheet.row('config-linux.md#seccomp', 'ERRNO without a number refuses with EPERM', 'mkdir /tmp/new', /Operation not permitted/);
sheet.row('config-linux.md#seccomp', 'errnoRet is what the call ends with', 'ln -s target /tmp/link', /No space left on device/);
sheet.row(
  'config-linux.md#seccomp',
  'args decide which calls a rule is for',
  'kill -USR2 $$; kill -0 $$ && echo sent',
  /(Device or resource busy|Resource busy).*sent/,
);
sheet.row('config-linux.md#rootfs-mount-propagation', 'with private the root has no peers', propagation('/'), '-');
sheet.row('config-linux.md#masked-paths', 'a file that is masked cannot be read', 'cat /srv/masked-file /proc/timer_list | wc -c', '0');
sheet.row('config-linux.md#masked-paths', 'a directory that is masked is empty', 'ls -A /srv/masked | wc -l', '0');
sheet.row(
  'config-linux.md#readonly-paths',
  'a path that is read-only cannot be written to',
  `${writes('/tmp/m/bind/locked')}; echo 1 > /proc/sys/kernel/msgmax`,
  /Read-only file system.*Read-only file system/,
);
sheet.row('config-linux.md#readonly-paths', 'what lies beside it can', writes('/tmp/m/bind'), 'writable');

// runtime-linux.md
sheet.row(
  'runtime-linux.md#dev-symbolic-links',
  'fd, stdin, stdout and stderr are links to the descriptors of the process',
  'for l in fd stdin stdout stderr; do readlink /dev/$l; done',
  '/proc/self/fd|/proc/self/fd/0|/proc/self/fd/1|/proc/self/fd/2',
);

export const CONTAINER = sheet.rows;
