/** `exec`: a process by file, or by the words of the command line on top of the container's own. */
import { EngineError } from '../../core/errors.ts';
import { readProcess } from '../../runtime/bundle.ts';
import type { CapabilitySet, Process } from '../../runtime/config.ts';
import { execInContainer } from '../../runtime/exec.ts';
import { keptConfig, lookUp } from '../../runtime/store.ts';
import { attendTo } from './attend.ts';
import type { Given, ParsedLine } from './flags.ts';
import { inherited } from './run.ts';

/** The exit status of the process. Throws EngineError. */
export async function execProcess({ words, flags }: ParsedLine, root: string): Promise<number> {
  const [id = '', ...command] = words;
  const file = flags.text('process');
  if ((file === undefined) === (command.length === 0)) throw new EngineError('USAGE', 'runtime exec: a command, or --process FILE');
  lookUp(root, id);
  const asked = file === undefined ? processOf(keptConfig(root, id).process, command, flags) : readProcess(file);
  const process = flags.has('tty') ? { ...asked, terminal: true } : asked;
  const consoleSocket = flags.text('console-socket');
  if (process.terminal === true && flags.has('detach') && consoleSocket === undefined)
    throw new EngineError('USAGE', 'runtime exec: --detach with a terminal needs --console-socket');
  const { pid, master } = execInContainer({
    root,
    id,
    process,
    fds: inherited(flags.text('preserve-fds')),
    pidFile: flags.text('pid-file'),
    consoleSocket,
  });
  return flags.has('detach') ? 0 : attendTo(pid, master);
}

function processOf(own: Process | undefined, args: readonly string[], flags: Given): Process {
  const { terminal: _terminal, consoleSize: _size, ...rest } = own ?? { cwd: '/' };
  const user = flags.text('user');
  const cwd = flags.text('cwd');
  const added = flags.list('cap');
  const sets: readonly CapabilitySet[] = ['bounding', 'effective', 'permitted'];
  return {
    ...rest,
    args,
    env: [...(rest.env ?? []), ...flags.list('env')],
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user: { ...rest.user, ...userOf(user) } }),
    ...(flags.has('no-new-privs') ? { noNewPrivileges: true } : {}),
    ...(added.length === 0
      ? {}
      : {
          capabilities: {
            ...rest.capabilities,
            ...Object.fromEntries(sets.map((set) => [set, [...(rest.capabilities?.[set] ?? []), ...added]])),
          },
        }),
  };
}

function userOf(text: string): { readonly uid: number; readonly gid?: number } {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (uid === undefined) throw new EngineError('USAGE', `runtime exec: --user ${text}: it is UID[:GID]`);
  return { uid: Number(uid), ...(gid === undefined ? {} : { gid: Number(gid) }) };
}
