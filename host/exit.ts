import { bind } from './libc.ts';

const nativeExit = bind('void _exit(int status)');

/**
 * End this process now: what Node would still take apart (4 ms: its threads, its heap) the kernel takes back by itself. Everything must have
 * been written already; exit handlers still run.
 */
export function exitNow(status: number): never {
  process.emit('exit', status);
  nativeExit(status);
  throw new Error('unreachable');
}
