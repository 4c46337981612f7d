/** Wait for a process of a container that is our child, with our signals passed on and our terminal for its own. */
import { reap } from '../../host/posix-spawn.ts';

const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Its exit status, or 128 and the signal. */
export async function attendTo(pid: number, master: number | undefined): Promise<number> {
  const pass = (signal: NodeJS.Signals): void => void process.kill(pid, signal);
  for (const signal of PASSED_ON) process.on(signal, pass);
  try {
    const relay = master === undefined ? undefined : (await import('./relay.ts')).relay(master);
    const { code } = await reap(pid);
    await relay?.end();
    return code;
  } finally {
    for (const signal of PASSED_ON) process.off(signal, pass);
  }
}
