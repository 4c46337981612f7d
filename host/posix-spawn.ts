/**
 * posix_spawn(3) for programs whose streams are files, or descriptors we have already. Node's own child_process takes 5 ms to load and 2–4 to
 * fork a process of our size; this is a vfork. The child gets default signal dispositions (Node ignores SIGPIPE), an empty signal mask and
 * exactly the descriptors named.
 */
import { closeSync, openSync } from 'node:fs';
import { bind, bindAsync, bindOptional, errno as lastErrno, ERRNO, syscallError } from './libc.ts';

export interface SpawnRequest {
  /** Absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** KEY=VALUE */
  readonly env: readonly string[];
  readonly cwd?: string | undefined;
  /** Index: descriptor in the child. */
  readonly fds: readonly (number | 'null')[];
  readonly newSession: boolean;
}

// glibc and musl agree on these; the buffers are larger than either's structures.
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const STRUCTURE_BYTES = 512;
const SIGNAL_SET_BYTES = 128;
/** Targets are collected up here first, so that none is overwritten before it was copied. */
const ASIDE = 200;

const nativeSpawn = bind(
  'int posix_spawn(_Out_ int *pid, const char *path, const uint8_t *actions, const uint8_t *attributes, const char **argv, const char **envp)',
);
const actionsInit = bind('int posix_spawn_file_actions_init(_Inout_ uint8_t *actions)');
const addDup2 = bind('int posix_spawn_file_actions_adddup2(_Inout_ uint8_t *actions, int fd, int target)');
const addClose = bind('int posix_spawn_file_actions_addclose(_Inout_ uint8_t *actions, int fd)');
const addCloseFrom = bindOptional('int posix_spawn_file_actions_addclosefrom_np(_Inout_ uint8_t *actions, int from)');
const addChdir = bind('int posix_spawn_file_actions_addchdir_np(_Inout_ uint8_t *actions, const char *path)');
const actionsDestroy = bind('int posix_spawn_file_actions_destroy(_Inout_ uint8_t *actions)');
const attributesInit = bind('int posix_spawnattr_init(_Inout_ uint8_t *attributes)');
const setFlags = bind('int posix_spawnattr_setflags(_Inout_ uint8_t *attributes, int16_t flags)');
const setDefaults = bind('int posix_spawnattr_setsigdefault(_Inout_ uint8_t *attributes, const uint8_t *set)');
const setMask = bind('int posix_spawnattr_setsigmask(_Inout_ uint8_t *attributes, const uint8_t *set)');
const WAITPID = 'int waitpid(int pid, _Out_ int *status, int options)';
const waitpid = bindAsync(WAITPID);
const waitpidNow = bind(WAITPID);
const WNOHANG = 1;

/** The pid. Throws SYSCALL with the errno of the exec (ENOENT, EACCES, ENOEXEC …). The caller must `reap`. */
export function posixSpawn(request: SpawnRequest): number {
  const actions = Buffer.alloc(STRUCTURE_BYTES);
  const attributes = Buffer.alloc(STRUCTURE_BYTES);
  const nothing = request.fds.includes('null') ? openSync('/dev/null', 'r+') : -1;
  actionsInit(actions);
  attributesInit(attributes);
  try {
    const sources = request.fds.map((fd) => (fd === 'null' ? nothing : fd));
    sources.forEach((fd, target) => addDup2(actions, fd, ASIDE + target));
    sources.forEach((_, target) => {
      addDup2(actions, ASIDE + target, target);
      addClose(actions, ASIDE + target);
    });
    // Ours are all close-on-exec; what the caller of lichen left open is not.
    addCloseFrom(actions, sources.length);
    if (request.cwd !== undefined) addChdir(actions, request.cwd);
    setDefaults(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff));
    setMask(attributes, Buffer.alloc(SIGNAL_SET_BYTES));
    setFlags(attributes, SETSIGDEF | SETSIGMASK | (request.newSession ? SETSID : 0));
    const pid: [number] = [0];
    const number = nativeSpawn(pid, request.program, actions, attributes, [request.program, ...request.args, null], [...request.env, null]);
    if (number !== 0) throw syscallError('exec', request.program, number);
    return pid[0];
  } finally {
    actionsDestroy(actions);
    if (nothing >= 0) closeSync(nothing);
  }
}

export interface ReapedExit {
  readonly code: number;
  /** The number of the signal that ended it, else 0. */
  readonly signal: number;
}

/** Wait for the end of a child that ends by itself at once. */
export function reapNow(pid: number): ReapedExit {
  const status: [number] = [0];
  for (;;) {
    const result = waitpidNow(pid, status, 0);
    if (result === pid) return decode(status[0]);
    if (lastErrno() !== ERRNO.EINTR) throw syscallError('waitpid', String(pid), lastErrno());
  }
}

/** Wait for the end of a child made by posixSpawn; sits on a worker thread meanwhile. To be called once. */
export async function reap(pid: number): Promise<ReapedExit> {
  const status: [number] = [0];
  for (;;) {
    const { result, errno } = await waitpid(pid, status, 0);
    if (result === pid) return decode(status[0]);
    if (errno !== ERRNO.EINTR) throw syscallError('waitpid', String(pid), errno);
  }
}

/** The child if it has ended; with -1 any child. Undefined where none has, or there is none. Never waits. */
export function reapEnded(pid: number): (ReapedExit & { readonly pid: number }) | undefined {
  const status: [number] = [0];
  const ended = waitpidNow(pid, status, WNOHANG);
  return ended > 0 ? { pid: ended, ...decode(status[0]) } : undefined;
}

/** wait(2), WIFEXITED and WTERMSIG. */
function decode(status: number): ReapedExit {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: 0 } : { code: 128 + signal, signal };
}
