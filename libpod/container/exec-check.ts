/**
 * Whether a further process can be run at all, looked up before the runtime is asked. A runtime says it on the stderr that it was given,
 * which in the foreground is the caller's own, so the caller would read it twice. Whatever is not certain here is left to the runtime.
 */
import { closeSync, fstatSync, type Stats } from 'node:fs';
import { posix } from 'node:path';
import { ERRNO, errnoOf } from '../../host/libc.ts';
import { O_PATH, type Root } from '../../host/root.ts';
import { runtimeError } from '../runtime/failure.ts';
import type { OciProcess } from '../spec/oci-types.ts';

type Looked = Stats | 'missing' | 'unknown';

/** `root` is that of the running container. Throws COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE in crun's words. */
export function refuseUnrunnable(root: Root, { args, cwd, env }: Pick<OciProcess, 'args' | 'cwd' | 'env'>, runtimeName: string): void {
  if (look(root, cwd) === 'missing') throw runtimeError(runtimeName, `chdir to \`${cwd}\`: No such file or directory`);
  const command = args[0] ?? '';
  const complaint = command.includes('/')
    ? complaintAbout(look(root, posix.resolve(cwd, command)), command)
    : searchComplaint(root, command, env);
  if (complaint !== undefined) throw runtimeError(runtimeName, complaint);
}

function complaintAbout(found: Looked, command: string): string | undefined {
  if (found === 'unknown') return undefined;
  if (found === 'missing') return `executable file \`${command}\` not found: No such file or directory`;
  if (!found.isFile()) return `the path \`${command}\` is not a regular file: Operation not permitted`;
  return isExecutable(found) ? undefined : `the path \`${command}\` exists but it is not executable: Operation not permitted`;
}

/** As execvp(3) goes through PATH. */
function searchComplaint(root: Root, command: string, env: readonly string[]): string | undefined {
  const path = env.find((variable) => variable.startsWith('PATH='))?.slice('PATH='.length);
  const directories = path?.split(':') ?? [];
  if (command === '' || directories.length === 0 || directories.some((directory) => !directory.startsWith('/'))) return undefined;
  for (const directory of directories) {
    const found = look(root, posix.join(directory, command));
    if (found === 'unknown' || (found !== 'missing' && found.isFile() && isExecutable(found))) return undefined;
  }
  return `executable file \`${command}\` not found in $PATH: No such file or directory`;
}

function isExecutable(stat: Stats): boolean {
  return (stat.mode & 0o111) !== 0;
}

function look(root: Root, path: string): Looked {
  try {
    const fd = root.open(path, O_PATH);
    try {
      return fstatSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const number = errnoOf(error);
    if (number === undefined) throw error;
    return number === ERRNO.ENOENT || number === ERRNO.ENOTDIR ? 'missing' : 'unknown';
  }
}
