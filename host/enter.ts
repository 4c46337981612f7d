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
    (await import('./passed-on.ts')).keepThroughExec(args, env['LISTEN_FDS']);
  process.execve!(argv[0]!, argv, env);
}
