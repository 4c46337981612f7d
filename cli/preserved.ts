/** `--preserve-fd` and `--preserve-fds` of exec and run: descriptors that the caller left open for us to hand on. */
import { EngineError } from '../core/errors.ts';
import { isPassedOn } from '../host/passed-on.ts';

interface PreserveFlags {
  readonly 'preserve-fds'?: number | undefined;
  readonly 'preserve-fd': readonly number[];
}

/** In ascending order. Throws INVALID_ARGUMENT. */
export function preservedFds(flags: PreserveFlags): readonly number[] {
  const count = flags['preserve-fds'] ?? 0;
  const counted = Array.from({ length: count }, (_, index) => index + 3);
  for (const fd of counted) if (!isPassedOn(fd)) throw notAvailable(fd, 'preserve-fds option requires that file descriptors');
  for (const fd of flags['preserve-fd']) {
    if (fd < 3) {
      throw new EngineError(
        'INVALID_ARGUMENT',
        `cannot preserve FD ${fd}, consider using the passthrough log-driver to pass STDIO streams into the container: invalid argument`,
      );
    }
    if (!isPassedOn(fd)) throw notAvailable(fd, 'preserve-fd option requires that file descriptors');
  }
  return [...new Set([...counted, ...flags['preserve-fd']])].toSorted((a, b) => a - b);
}

function notAvailable(fd: number, words: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `file descriptor ${fd} is not available - the ${words} must be passed`);
}
