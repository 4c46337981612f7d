/** The executable. What it does is in door.ts. */
import { takeBackTuning } from '../host/tuning.ts';
import { runCommandLine } from './door.ts';
import type { Globals } from './globals.ts';

/** Runs the command line of this process and ends it with the exit status. */
export async function main(): Promise<never> {
  takeBackTuning();
  const argv = process.argv.slice(2);
  const { env } = process;
  // Entering the pause process's mount namespace has taken us to its root directory; the launcher noted where the caller was.
  const cwd = env['LICHEN_CWD'] ?? process.cwd();
  try {
    process.chdir(cwd);
  } catch {
    // The directory is gone or not ours to enter: only relative paths would need it.
  }

  const begun = env['LICHEN_BEGUN_NETWORK'] === undefined ? {} : { network: (await import('../network/early.ts')).begunNetwork(env) };
  let isOpened = false;
  const openEngine = async (globals: Globals): Promise<import('../libpod/engine.ts').Engine> => {
    const [engine, { engineOptions }] = await Promise.all([import('../libpod/engine.ts'), import('./engine-options.ts')]);
    isOpened = true;
    return await engine.openEngine(engineOptions(globals, argv, env));
  };
  const status = await runCommandLine({
    argv,
    program: env['LICHEN_INVOKED_AS'] ?? 'lichen',
    env,
    cwd,
    begun,
    openEngine,
    candidates: async (kind, globals) => (await import('./completion/names.ts')).objectNames(kind, () => openEngine(globals)),
  });
  if (begun.network) await (await import('../network/early.ts')).endBegun(begun.network);
  // The way out that needs the C library is taken only where it is loaded anyway.
  if (isOpened) (await import('../host/exit.ts')).exitNow(status);
  process.exit(status);
}
