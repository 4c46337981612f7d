/** The option `tmpcopyup`: a tmpfs begins with what the directory below it holds. */
import { chmodSync, closeSync, readdirSync, statSync } from 'node:fs';
import { runHelper } from '../../host/process.ts';
import { descriptorPath } from '../../host/root.ts';
import type { InnerRoot } from './inner-root.ts';

/** To be called before the mount; what it returns, after. Throws SYSCALL, HELPER_FAILED. */
export function fillFromBelow(root: InnerRoot, destination: string): () => Promise<void> {
  const inner = root.openIfThere(destination);
  if (inner === undefined) return () => Promise.resolve();
  const below = root.deputy.take(inner);
  return async () => {
    const top = root.deputy.take(root.open(destination));
    try {
      const { mode } = statSync(descriptorPath(top));
      if (readdirSync(descriptorPath(below)).length === 0) return;
      await runHelper('cp', ['-a', '/proc/self/fd/3/.', '/proc/self/fd/4/'], { fds: [below, top], package: 'coreutils' });
      chmodSync(descriptorPath(top), mode & 0o7777);
    } finally {
      closeSync(top);
      closeSync(below);
    }
  };
}
