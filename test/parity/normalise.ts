/** What may differ between two runs, two programs and two machines is replaced by a word, so that the rest can be compared letter by letter. */

export interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function normalise({ exitCode, stdout, stderr }: Said): Said {
  const ids = new Map<string, string>();
  const clean = (text: string) => lines(replaceIds(text, ids)).join('\n');
  return { exitCode, stdout: clean(stdout), stderr: clean(stderr) };
}

/** The same id twice is the same word twice. */
function replaceIds(text: string, ids: Map<string, string>): string {
  return text.replaceAll(/\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b/g, (id) => {
    const short = id.slice(0, 12);
    if (!ids.has(short)) ids.set(short, `ID${ids.size + 1}`);
    return `${ids.get(short)}${id.length === 12 ? '(short)' : ''}`;
  });
}

function lines(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .trimEnd()
    .split('\n')
    .flatMap((line) => mountLine(line) ?? [plainLine(line)]);
}

function plainLine(line: string): string {
  return line
    .replace(/^time="[^"]*"/, 'time=T')
    .replaceAll(/\b(podman|lichen|Podman)\b/g, 'PROGRAM')
    .replaceAll(/(?<!10\.\d+\.\d+\.)\b(?!10\.|127\.0\.0\.1\b|0\.0\.0\.0\b)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, 'ADDRESS')
    .replaceAll(/\b[a-z]+_[a-z]+$/g, 'NAME')
    .trimEnd();
}

/** Kernel files that every machine has. Which others are masked depends on what there is. */
const MASKED = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys'];
/** Others say what the machine is like, as do all but the first two on files of the engine's run directory and on masks. */
const MOUNT_FLAGS = ['ro', 'rw', 'nosuid', 'nodev', 'noexec'];

/** `/dev rw,nosuid tmpfs` of a line of proc(5) mountinfo; none for a mask that only some machines need. Undefined for any other line. */
function mountLine(line: string): string[] | undefined {
  const match = /^\d+ \d+ \d+:\d+ \S+ (\S+) (\S+) .*- (\S+) /.exec(line);
  if (!match) return undefined;
  const [, point = '', options = '', type = ''] = match;
  if (/^\/(proc|sys)\/./.test(point) && point !== '/sys/fs/cgroup' && !MASKED.includes(point)) return [];
  const own = /^\/(etc|run|proc)\/./.test(point);
  const flags = options.split(',').filter((option) => (own ? ['ro', 'rw'] : MOUNT_FLAGS).includes(option));
  return [`${point} ${flags.join(',')} ${fileSystem(point, type)}`];
}

/** What lies below a bind or the root is the machine's choice. */
function fileSystem(point: string, type: string): string {
  return ['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup2'].includes(type) || /^\/(dev|tmp|run|var\/tmp|small)$/.test(point) ? type : '';
}
