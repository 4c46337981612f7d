/** Which file the words of a process mean, seen with its own eyes: its root, its directory, its user. */
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import { OUT, type Step } from '../../host/deputy/layout.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import type { Process } from '../config.ts';
import { AT_FDCWD } from './inner-root.ts';

const F_OK = 0;
const X_OK = 1;
const AT_EACCESS = 0x200;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Go to its directory; true when that is done. Its user may be the only one who can, so it is tried again. Throws SYSCALL. */
export function enterDirectory(deputy: Deputy, cwd: string, options: { readonly isLastTry: boolean }): boolean {
  const result = deputy.attempt('chdir', [cwd]);
  if (result < 0) {
    if (!options.isLastTry && -result === ERRNO.EACCES) return false;
    throw syscallError('chdir to cwd', `(\`${cwd}\`) set in config.json`, -result);
  }
  // By way of a descriptor of ours it might be a directory of the host's (CVE-2024-21626).
  const { result: length, out } = deputy.query('getcwd', [OUT, 4000], 4000);
  if (length < 0 || !out.toString('latin1', 0, 1).startsWith('/'))
    throw new EngineError('INVALID_ARGUMENT', `cwd ${cwd}: outside of the container`);
  return true;
}

/** Throws COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE. */
export function findExecutable(deputy: Deputy, { args = [], env = [] }: Process): string {
  const name = args[0] ?? '';
  const isPath = name.includes('/');
  const path = env.findLast((word) => word.startsWith('PATH='))?.slice('PATH='.length) || DEFAULT_PATH;
  const candidates = isPath ? [name] : path.split(':').map((directory) => `${directory === '' ? '.' : directory}/${name}`);
  const results = deputy.tryAll(
    candidates.flatMap((candidate): Step[] => [
      { call: 'faccessat2', args: [AT_FDCWD, candidate, X_OK, AT_EACCESS] },
      // What is below it is there for a directory alone.
      { call: 'faccessat2', args: [AT_FDCWD, `${candidate}/.`, F_OK, AT_EACCESS] },
    ]),
  );
  let refused: number | undefined;
  for (const [index, candidate] of candidates.entries()) {
    const [access = 0, directory = 0] = results.slice(2 * index);
    if (access === 0 && directory < 0 && name !== '') return candidate;
    if (access === 0 && isPath) throw new EngineError('COMMAND_NOT_EXECUTABLE', `open executable \`${name}\`: Is a directory`);
    if (access < 0 && -access !== ERRNO.ENOENT && -access !== ERRNO.ENOTDIR) refused ??= -access;
  }
  if (refused !== undefined) throw new EngineError('COMMAND_NOT_EXECUTABLE', `open executable \`${name}\`: Permission denied`);
  throw new EngineError(
    'COMMAND_NOT_FOUND',
    isPath
      ? `open executable \`${name}\`: No such file or directory`
      : `executable file \`${name}\` not found in $PATH: No such file or directory`,
  );
}
