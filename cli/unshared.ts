import { EngineError } from '../core/errors.ts';
import type { Engine } from '../libpod/engine.ts';
import type { CommandContext } from './command.ts';

/**
 * For commands that mount something for the caller to look at: outside of the user namespace he would not see it. True for real root,
 * and for what `unshare` started. Throws NOT_SUPPORTED, in Podman's words.
 */
export function requireUnshared({ program, path, env }: CommandContext, { identity }: Engine): void {
  if (!identity.rootless || env['_CONTAINERS_USERNS_CONFIGURED'] !== undefined) return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `cannot run command ${JSON.stringify(`${program} ${path}`)} in rootless mode, must execute \`${program} unshare\` first`,
  );
}
