/** The columns `top` can show (podman-top(1), Format Descriptors), and what the usual words of ps(1) ask for in their terms. */
import { formatDuration } from '../../../core/duration.ts';
import { EngineError } from '../../../core/errors.ts';
import type { ContainerProcess } from '../../../libpod/container/top.ts';
import { localTime } from '../human.ts';

export interface TopColumn {
  readonly header: string;
  readonly cell: (process: ContainerProcess) => string;
}

const DEFAULT = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'args'];
/** `ps -ef` and `ps aux` */
const FULL_FORMAT = ['user', 'pid', 'ppid', 'pcpu', 'stime', 'tty', 'time', 'args'];
const USER_FORMAT = ['user', 'pid', 'pcpu', 'vsz', 'rss', 'tty', 'state', 'stime', 'time', 'args'];

/** What follows the container's name: descriptors between blanks or commas, or words for ps(1). Throws INVALID_ARGUMENT. */
export function topColumns(words: readonly string[]): readonly TopColumn[] {
  const names = words.length === 0 ? DEFAULT : (wordsOfPs(words) ?? listed(words));
  return names.map((name) => {
    const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
    if (column) return column;
    throw new EngineError('INVALID_ARGUMENT', `unknown descriptor ${JSON.stringify(name)}`, {
      hint: `Choose from: ${Object.keys(COLUMNS)
        .filter((one) => !one.startsWith('%'))
        .join(', ')}`,
    });
  });
}

/** `-ef`, `-e -f`, `aux`, `-eo user,pid`, `-o pid -o comm`. Undefined: not meant for ps(1). Which processes are shown is not for it to say. */
function wordsOfPs(words: readonly string[]): readonly string[] | undefined {
  const options = words.join(' ');
  if (/^(?:-?aux|-ax?u)$/.test(options)) return USER_FORMAT;
  if (/^-(?:e|A) ?-?f$/.test(options) || /^-(?:f|fe|e|A)$/.test(options)) return FULL_FORMAT;
  const formats = [...options.matchAll(/(?:^| )-[eA]?o ?([a-z,%]+)/gi)].map((match) => match[1]!);
  return formats.length > 0 ? listed(formats) : undefined;
}

function listed(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '');
}

const COLUMNS: Readonly<Record<string, TopColumn>> = withCodes({
  args: { header: 'COMMAND', cell: ({ args }) => args },
  capamb: { header: 'AMBIENT CAPS', cell: ({ capabilities }) => capabilityNames(capabilities.ambient) },
  capbnd: { header: 'BOUNDING CAPS', cell: ({ capabilities }) => capabilityNames(capabilities.bounding) },
  capeff: { header: 'EFFECTIVE CAPS', cell: ({ capabilities }) => capabilityNames(capabilities.effective) },
  capinh: { header: 'INHERITED CAPS', cell: ({ capabilities }) => capabilityNames(capabilities.inheritable) },
  capprm: { header: 'PERMITTED CAPS', cell: ({ capabilities }) => capabilityNames(capabilities.permitted) },
  comm: { header: 'COMMAND', cell: ({ name }) => name },
  cmd: { header: 'COMMAND', cell: ({ args }) => args },
  etime: { header: 'ELAPSED', cell: ({ elapsedMs }) => formatDuration(elapsedMs) },
  gid: { header: 'GID', cell: ({ gid }) => String(gid) },
  group: { header: 'GROUP', cell: ({ group }) => group },
  groups: { header: 'GROUPS', cell: ({ groups }) => groups.join(',') },
  hgroup: { header: 'HGROUP', cell: ({ hostGroup }) => hostGroup },
  hgroups: { header: 'HGROUPS', cell: ({ hostGroups }) => hostGroups.join(',') },
  hpid: { header: 'HPID', cell: ({ hostPid }) => String(hostPid) },
  huser: { header: 'HUSER', cell: ({ hostUser }) => hostUser },
  label: { header: 'LABEL', cell: ({ label }) => label || '?' },
  nice: { header: 'NI', cell: ({ nice }) => String(nice) },
  pcpu: { header: '%CPU', cell: ({ cpuMs, elapsedMs }) => (elapsedMs > 0 ? (cpuMs / elapsedMs) * 100 : 0).toFixed(3) },
  pgid: { header: 'PGID', cell: ({ pgid }) => String(pgid) },
  pid: { header: 'PID', cell: ({ pid }) => String(pid) },
  ppid: { header: 'PPID', cell: ({ ppid }) => String(ppid) },
  rgroup: { header: 'RGROUP', cell: ({ realGroup }) => realGroup },
  rss: { header: 'RSS', cell: ({ residentKib }) => String(residentKib) },
  ruser: { header: 'RUSER', cell: ({ realUser }) => realUser },
  seccomp: { header: 'SECCOMP', cell: ({ seccompMode }) => ['disabled', 'strict', 'filter'][seccompMode] ?? '?' },
  state: { header: 'STATE', cell: ({ state }) => state },
  stime: { header: 'STIME', cell: ({ startedMs }) => localTime(new Date(startedMs - (startedMs % 1000)).toISOString()).toString() },
  time: { header: 'TIME', cell: ({ cpuMs }) => formatDuration(cpuMs) },
  tty: { header: 'TTY', cell: ({ terminal }) => terminal || '?' },
  uid: { header: 'UID', cell: ({ uid }) => String(uid) },
  user: { header: 'USER', cell: ({ user }) => user },
  vsz: { header: 'VSZ', cell: ({ virtualKib }) => String(virtualKib) },
});

/** The letters ps(1) has for some of them. */
function withCodes(columns: Readonly<Record<string, TopColumn>>): Readonly<Record<string, TopColumn>> {
  const codes = {
    '%C': 'pcpu',
    '%G': 'group',
    '%P': 'ppid',
    '%U': 'user',
    '%a': 'args',
    '%c': 'comm',
    '%g': 'rgroup',
    '%n': 'nice',
    '%p': 'pid',
    '%r': 'pgid',
    '%t': 'etime',
    '%u': 'ruser',
    '%x': 'time',
    '%y': 'tty',
    '%z': 'vsz',
  };
  return { ...columns, ...Object.fromEntries(Object.entries(codes).map(([code, name]) => [code, columns[name]!])) };
}

/** By number, from 0 (linux/capability.h). */
const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN ' +
  'NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME ' +
  'SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON ' +
  'BPF CHECKPOINT_RESTORE'
).split(' ');

function capabilityNames(mask: bigint): string {
  const names = CAPABILITIES.filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n);
  if (names.length === 0) return 'none';
  return names.length === CAPABILITIES.length ? 'full' : names.toSorted().join(',');
}
