/** Small processes of ours that live beside a container's monitor. */
import { join } from 'node:path';
import { launch, type LaunchRequest } from '../../host/process.ts';

/** Such a process waits most of the time, and its memory is held for every container. */
const NODE_FLAGS = [
  '--v8-pool-size=0',
  '--single-threaded',
  '--max-semi-space-size=1',
  '--max-old-space-size=32',
  '--disable-sigusr1',
  '--disable-warning=ExperimentalWarning',
];

/** `main`: the file of this directory that it runs, without its suffix. */
export async function launchBeside(main: string, args: readonly string[], request: Pick<LaunchRequest, 'stdio' | 'cwd'>): Promise<void> {
  const [program = '', ...words] = argvBeside(main, args);
  await launch(program, words, { ...request, detached: true });
}

export function argvBeside(main: string, args: readonly string[]): string[] {
  return [process.execPath, ...NODE_FLAGS, '--', fileBeside(main), ...args];
}

export function fileBeside(main: string): string {
  return join(import.meta.dirname, `${main}.${import.meta.filename.endsWith('.ts') ? 'ts' : 'cjs'}`);
}
