/** What cannot be asked for together, and what has no valid form; worded as Podman words it. */
import { EngineError } from '../../core/errors.ts';
import type { ContainerWish } from './wish.ts';
import { mergeCapabilities } from './capabilities.ts';
import { KEEP_GROUPS } from './user.ts';

/** The longest name sethostname(2) takes. */
const MAX_HOSTNAME_BYTES = 64;

/** Throws INVALID_ARGUMENT. */
export function checkConflicts(wish: ContainerWish): void {
  checkLifetime(wish);
  checkNamespaces(wish);
  checkNetwork(wish);
  checkResources(wish);
  checkWords(wish);
  mergeCapabilities([], wish.capAdd, wish.capDrop);
  if (wish.groupAdd?.includes(KEEP_GROUPS) && wish.groupAdd.length > 1) {
    throw invalid("the '--group-add keep-groups' option is not allowed with any other --group-add options");
  }
}

/** Also the host name of a pod. Throws INVALID_NAME. */
export function checkName(name: string, object: 'container' | 'pod' = 'container'): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return;
  throw new EngineError('INVALID_NAME', `running ${object} create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument`);
}

/** execve(2) and chdir(2) would read such a word up to the zero byte only. Throws INVALID_ARGUMENT. */
export function checkZeroBytes(words: readonly string[]): void {
  const found = words.find((word) => word.includes('\0'));
  if (found !== undefined)
    throw invalid(`zero byte in ${JSON.stringify(found.slice(0, 100))}: not possible in a command, environment or directory`);
}

/** One argument or variable with its zero byte, and all of them for any stack: execve(2), "Limits on size of arguments and environment". */
const MAX_WORD_BYTES = 128 * 1024;
const MAX_WORDS_BYTES = 6 * 2 ** 20;
const POINTER_BYTES = 8;

/** What execve(2) would refuse when it is too late for an error of ours. Throws COMMAND_NOT_EXECUTABLE. */
export function checkWordSizes(argv: readonly string[], env: readonly string[], stackBytes: number): void {
  const sizes = [...argv, ...env].map((word) => Buffer.byteLength(word) + 1);
  const all = sizes.reduce((sum, size) => sum + size + POINTER_BYTES, 0);
  const most = stackBytes < 0 ? MAX_WORDS_BYTES : Math.min(Math.max(stackBytes / 4, MAX_WORD_BYTES), MAX_WORDS_BYTES);
  if (all <= most && sizes.every((size) => size <= MAX_WORD_BYTES)) return;
  throw new EngineError('COMMAND_NOT_EXECUTABLE', `exec: ${JSON.stringify((argv[0] ?? '').slice(0, 100))}: argument list too long`, {
    hint: `The command and its environment have ${all} bytes; at most ${most} in all and ${MAX_WORD_BYTES} in one word are possible.`,
  });
}

function checkLifetime({ autoRemove, restart }: ContainerWish): void {
  if (autoRemove && restart !== undefined && restart.name !== 'no') {
    throw invalid('the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"');
  }
}

function checkNamespaces(wish: ContainerWish): void {
  const { uts, ipc, pid, user } = wish.namespaces;
  if (wish.hostname !== undefined && wish.hostname !== '' && uts?.kind === 'host') {
    throw invalid('invalid config provided: cannot set hostname when running in the host UTS namespace: invalid configuration');
  }
  if (wish.shmSizeBytes !== undefined && ipc !== undefined && ['host', 'container', 'none'].includes(ipc.kind)) {
    const value = ipc.kind === 'container' ? ipc.container : '';
    throw invalid(`invalid config provided: cannot set shmsize when running in the {${ipc.kind} ${value}} IPC Namespace`);
  }
  if (wish.init === true && pid !== undefined && pid.kind !== 'private') {
    throw invalid("cannot add init binary as PID 1 (PID namespace isn't private)");
  }
  if (user?.kind === 'private' && !wish.idMap) throw invalid('must provide at least one UID or GID mapping to configure a user namespace');
  if (wish.subordinates && user !== undefined) {
    throw invalid('--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive');
  }
  if (wish.idMap && user !== undefined && user.kind !== 'private') {
    throw invalid('--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually exclusive');
  }
}

function checkNetwork({ network }: ContainerWish): void {
  const kind = network.mode?.kind;
  if (kind === 'none' || kind === 'container') {
    const given = (['dns', 'dns-search', 'dns-opt'] as const).find(
      (flag) => ({ dns: network.dnsServers, 'dns-search': network.dnsSearch, 'dns-opt': network.dnsOptions })[flag].length > 0,
    );
    if (given !== undefined) throw invalid(`conflicting options: ${given} and the network mode: ${kind}`);
  }
  if (kind === 'container' && network.addHosts.length > 0) {
    throw invalid(
      'invalid config provided: cannot set extra host entries when the container is joined to another containers network namespace: invalid configuration',
    );
  }
}

function checkResources({ resources }: ContainerWish): void {
  const { cpus, cpuPeriodMicros, cpuQuotaMicros, memoryBytes, memorySwapBytes } = resources;
  if (cpus !== undefined && cpuPeriodMicros !== undefined) throw invalid('--cpu-period and --cpus cannot be set together');
  if (cpus !== undefined && cpuQuotaMicros !== undefined) throw invalid('--cpu-quota and --cpus cannot be set together');
  if (memorySwapBytes === undefined || memorySwapBytes <= 0) return;
  if (memoryBytes === undefined) throw invalid('cannot set swap limit without the memory limit');
  if (memorySwapBytes < memoryBytes) throw invalid('minimum memoryswap limit should be larger than memory limit');
}

/** Words that end up in files of the container, or in system calls that take only some. */
function checkWords(wish: ContainerWish): void {
  const { hostname = '', umask, workdir } = wish;
  if (/\p{Cc}/u.test(hostname) || Buffer.byteLength(hostname) > MAX_HOSTNAME_BYTES) {
    throw invalid(`invalid hostname ${JSON.stringify(hostname)}: at most ${MAX_HOSTNAME_BYTES} bytes, no control characters`);
  }
  if (umask !== undefined && !/^[0-7]{1,4}$/.test(umask)) {
    throw invalid(`running container create option: invalid umask string ${umask}: invalid argument`);
  }
  if (workdir !== undefined && !workdir.startsWith('/')) {
    throw invalid(`the working directory ${JSON.stringify(workdir)} is invalid, it needs to be an absolute path`);
  }
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
