/** `--pod`, `--pod-id-file`, `--init-ctr`, and namespaces asked for as `pod`. */
import { readFileSync } from 'node:fs';
import { systemWords } from '../../core/system-words.ts';
import { invalid } from '../../libpod/spec/parse/go.ts';
import type { PodMembership, SharedNamespace } from '../../libpod/spec/wish.ts';
import type { WishFlags, WishSource } from './assemble.ts';

/** Before the name of a pod that is to be made. */
export const NEW_POD = 'new:';

/** Flags that a new pod takes for its own: what they ask for is asked of its infra container. */
export const FLAGS_OF_NEW_POD = [
  'add-host',
  'dns',
  'dns-option',
  'dns-search',
  'hostname',
  'hosts-file',
  'ip',
  'ip6',
  'mac-address',
  'network',
  'network-alias',
  'no-hostname',
  'no-hosts',
  'publish',
  'userns',
] as const satisfies readonly (keyof WishFlags)[];

const NAMESPACE_FLAGS = {
  cgroup: 'cgroupns',
  ipc: 'ipc',
  net: 'network',
  pid: 'pid',
  user: 'userns',
  uts: 'uts',
} as const satisfies Record<SharedNamespace, keyof WishFlags>;

interface Apart {
  readonly pod: PodMembership | undefined;
  /** What is left for the container itself. */
  readonly source: WishSource;
}

/** Throws INVALID_ARGUMENT. */
export function withoutPod(source: WishSource): Apart {
  const { flags } = source;
  const name = podName(flags);
  const init = initKind(flags, name);
  if (name === undefined) return { pod: undefined, source };
  if (name === NEW_POD) throw invalid('new pod name must be at least one character');
  const asked = Object.entries(NAMESPACE_FLAGS).filter(([, flag]) => [flags[flag]].flat().includes('pod'));
  const own: Record<string, unknown> = { ...flags };
  const taken = [...asked.map(([, flag]) => flag), ...(name.startsWith(NEW_POD) ? FLAGS_OF_NEW_POD : [])];
  for (const flag of taken) own[flag] = empty(flags[flag]);
  if (!name.startsWith(NEW_POD)) refuseFixed(flags);
  return {
    pod: { name, joined: asked.map(([kind]) => kind as SharedNamespace), ...(init === undefined ? {} : { init }) },
    source: { ...source, flags: own as WishFlags },
  };
}

function empty(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === 'boolean' ? false : undefined;
}

function podName(flags: WishFlags): string | undefined {
  const file = flags['pod-id-file'] ?? '';
  if (!flags.pod && file === '') return undefined;
  if (flags.pod && file !== '') throw invalid('cannot specify both --pod and --pod-id-file');
  return flags.pod || readPodIdFile(file);
}

/** The id in a file that `pod create --pod-id-file` wrote: its first line. Throws INVALID_ARGUMENT. */
export function readPodIdFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0]!;
  } catch (cause) {
    throw invalid(`reading pod ID file: open ${path}: ${systemWords(cause)}`);
  }
}

function initKind({ 'init-ctr': kind = '' }: WishFlags, pod: string | undefined): PodMembership['init'] {
  if (kind === '') return undefined;
  if (pod === undefined) throw invalid('must specify pod value with init-ctr');
  if (kind !== 'always' && kind !== 'once') throw invalid("init-ctr value must be 'always' or 'once'");
  return kind;
}

/** Addresses belong to a network of its own, and where it has none the pod's is meant. */
function refuseFixed({ ip, ip6, 'mac-address': mac, 'network-alias': aliases, network }: WishFlags): void {
  if (network.length > 0 || (ip ?? ip6 ?? mac ?? aliases[0]) === undefined) return;
  throw invalid(
    'invalid config provided: networks must be defined when the pod is created: network cannot be configured when it is shared with a pod',
  );
}
