import { ENTERED, enteredAs, type Identity } from './identity.ts';
import { enterArgv, ensurePause, needsPause } from './pause.ts';
import { ensurePrivateDirectory } from './paths.ts';

/**
 * Make sure this process runs inside the pause process's namespaces. If it does not, make or find that process and become a new Node inside:
 * then this never returns. `args` is the command line after the program's name;
 * `survivors` lists pids of other processes of ours in those namespaces, which can stand in for a pause process that died.
 */
export async function enterNamespaces(
  identity: Identity,
  runDirectory: string,
  args: readonly string[],
  survivors: (runDirectory: string) => readonly number[],
): Promise<void> {
  if (process.env[ENTERED] !== undefined && identity.inside) return;
  if (!needsPause(identity)) return;
  ensurePrivateDirectory(runDirectory);
  const pause = await ensurePause(identity, runDirectory, survivors);
  // The dashes: see bin/lichen.
  const argv = enterArgv(pause, [process.execPath, ...process.execArgv, '--', process.argv[1]!, ...args]);
  const env = { ...process.env, ...enteredAs(identity) } as Record<string, string>;
  if (env['LISTEN_FDS'] || args.some((word) => word.startsWith('--preserve-fd')))
    (await import('./passed-on.ts')).keepThroughExec(namedDescriptors(args, env['LISTEN_FDS']));
  process.execve!(argv[0]!, argv, env);
}

/** The soft limit of most processes: whoever promises more has not kept it. */
const MOST = 1024;

/** Those that a service manager passes, and those of `--preserve-fds N` and `--preserve-fd A,B`: whether they are there is looked at later. */
function namedDescriptors(args: readonly string[], listenFds: string | undefined): readonly number[] {
  const first = (count: string | undefined): number[] =>
    Array.from({ length: Math.min(Number(count) || 0, MOST) }, (_, index) => 3 + index);
  const named = args.flatMap((word, index) => {
    const [, flag, value = args[index + 1]] = /^--preserve-fd(s?)(?:=(.*))?$/.exec(word) ?? [];
    if (flag === undefined) return [];
    return flag === 's' ? first(value) : (value ?? '').split(',').map(Number);
  });
  return [...new Set([...first(listenFds), ...named])].filter((fd) => fd > 2);
}
