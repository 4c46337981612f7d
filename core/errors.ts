/**
 * The one error a user may see. `code` is stable and documented in docs/errors.md; `message` is worded as Podman words it;
 * `hint` says what to do about it, on a line of its own. The doors choose the exit status.
 * A programmer's mistake stays a plain `Error`.
 */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Exit status that overrides the verb's own, for errors that carry one (126, 127, a container's status). */
  readonly exitCode: number | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

/** True for an EngineError with one of the given codes (any code when none is given). */
export function isEngineError(error: unknown, ...codes: readonly ErrorCode[]): error is EngineError {
  return error instanceof EngineError && (codes.length === 0 || codes.includes(error.code));
}

/** What `work` gives; undefined where it fails with one of the codes. Throws its other errors. */
export async function orAbsent<T>(work: () => T | Promise<T>, ...codes: readonly ErrorCode[]): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isEngineError(error, ...codes)) return undefined;
    throw error;
  }
}

/** Every code and what it means: docs/errors.md is tested against this table. */
export const ERRORS = {
  // what the caller typed
  USAGE: 'The command line does not parse: unknown command or flag, missing or surplus argument.',
  INVALID_ARGUMENT: 'A value has the right place and the wrong form (port, volume, mount, env, ulimit, user, size, duration, filter …).',
  INVALID_REFERENCE: 'An image reference or digest does not follow the distribution grammar.',
  INVALID_NAME: 'A name does not match [a-zA-Z0-9][a-zA-Z0-9_.-]*.',
  INVALID_TEMPLATE: 'A --format template does not parse, or names a field that is not there.',
  // objects
  NO_SUCH_CONTAINER: 'No container has this name, id, or id prefix.',
  NO_SUCH_IMAGE: 'No local image has this name, id, or id prefix.',
  NO_SUCH_ARTIFACT: 'No artifact has this name or digest.',
  NO_SUCH_VOLUME: 'No volume has this name.',
  NO_SUCH_NETWORK: 'No network has this name.',
  NO_SUCH_SECRET: 'No secret has this name, id, or id prefix.',
  NO_SUCH_POD: 'No pod has this name or id.',
  NO_SUCH_EXEC_SESSION: 'No exec session has this id.',
  NO_SUCH_OBJECT: 'inspect found nothing of any kind under this name.',
  AMBIGUOUS_ID: 'An id prefix matches more than one object.',
  NAME_IN_USE: 'Another object has this name.',
  IN_USE: 'The object is used by others and was not forced.',
  WRONG_STATE: 'The container is not in a state that allows this.',
  LOCKED: 'Another process holds the lock on the object and did not let go in time.',
  // running a command inside
  COMMAND_NOT_FOUND: 'The command to run does not exist in the container (exit status 127).',
  COMMAND_NOT_EXECUTABLE: 'The command to run exists and cannot be executed (exit status 126).',
  NO_SUCH_USER: "The user or group is not in the container's passwd or group file.",
  NO_SUCH_WORKDIR: 'The working directory does not exist in the container.',
  // builds
  DOCKERFILE: 'A Dockerfile does not parse, or one of its steps failed; the message names file, line and column.',
  // images, layers, registries
  IMAGE_CORRUPT: 'Bytes do not match their digest or size, or a document of the image is malformed.',
  LAYER_REFUSED: 'A layer holds an entry that may not be unpacked (escapes the root, ids out of range, over a limit).',
  ARCHIVE_UNSUPPORTED: 'The input is no image archive of a known kind.',
  PLATFORM_MISMATCH: 'The image has no manifest for the platform asked for.',
  REGISTRY_UNREACHABLE: 'The registry does not answer (connection, TLS, time-out).',
  REGISTRY_UNAUTHORIZED: 'The registry refuses the credentials, or wants some.',
  REGISTRY_ERROR: 'The registry answered with an error.',
  MANIFEST_UNKNOWN: 'The registry has no such repository, tag or digest.',
  SHORT_NAME_UNRESOLVED: 'A short name has no alias and no unqualified-search registry is configured.',
  POLICY_REJECTED: 'policy.json does not accept the image.',
  // this machine
  HELPER_MISSING: 'A helper program is not installed; the hint names the package.',
  HELPER_FAILED: 'A helper program failed; its own words are in the message.',
  SYSCALL: 'A system call failed; the message names call, subject and errno.',
  SUBID_RANGE_MISSING: 'The user has no subordinate ids, or fewer than needed.',
  USER_NAMESPACE: 'A user namespace cannot be made or joined here.',
  CGROUP_UNAVAILABLE: 'A limit was asked for and its cgroup controller is not delegated to this user.',
  NETWORK_SETUP: 'The network of a container could not be set up (port taken, backend failed).',
  NOT_SUPPORTED: 'The machine or this make of a part cannot do what was asked for.',
  // the store
  STORE_OWNER: 'The store or run directory belongs to another user or is open to others.',
  STORE_NEWER: 'The store was written by a newer lichen.',
  STORE_CORRUPT: 'The database or a part of the store cannot be read.',
  STORE_FULL: 'The file system has no space (or quota, or inodes) left.',
  CONFIG: 'A configuration file does not parse or holds a bad value.',
  // control flow
  TIMEOUT: 'Something did not happen in the time given.',
  ABORTED: 'The work was cancelled (signal, or a sibling failed first).',
  CONTAINER_EXIT: 'Carries the exit status of the container or exec session out of the engine.',
} as const;

export type ErrorCode = keyof typeof ERRORS;
