/**
 * Sockets that a service manager has opened for the container (sd_listen_fds(3)): descriptors from 3 on, which go on to the container as they
 * came. There its first process is number 1, and the variables say so.
 */
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { isPassedOn } from '../../host/passed-on.ts';

export interface Activation {
  readonly fds: readonly number[];
  /** For the container. */
  readonly env: readonly string[];
}

const FIRST = 3;

/**
 * Undefined where there are none: variables that were meant for another process, and whose descriptors it kept, are passed over.
 * Descriptors that were asked for by number count before them. Throws INVALID_ARGUMENT.
 */
export function socketActivation(env: NodeJS.ProcessEnv, asked: readonly number[]): Activation | undefined {
  const { LISTEN_FDS: text = '', LISTEN_PID: pid, LISTEN_FDNAMES: names } = env;
  if (text === '') return undefined;
  if (!/^\d{1,4}$/.test(text)) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `converting LISTEN_FDS=${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  if (asked.length > 0) {
    log.warn('Ignoring LISTEN_FDS to preserve custom user-specified FDs');
    return undefined;
  }
  const fds = Array.from({ length: Number(text) }, (_, index) => FIRST + index);
  const missing = fds.find((fd) => !isPassedOn(fd));
  if (missing === undefined && fds.length > 0) {
    return { fds, env: [`LISTEN_FDS=${text}`, 'LISTEN_PID=1', ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`])] };
  }
  if (missing === undefined || Number(pid) !== process.pid) return undefined;
  throw new EngineError('INVALID_ARGUMENT', `file descriptor ${missing} is not available - LISTEN_FDS=${text} says that it is passed`);
}
