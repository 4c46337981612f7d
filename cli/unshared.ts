import { EngineError } from '../core/errors.ts';
import type { Engine } from '../libpod/engine.ts';
import type { CommandContext } from './command.ts';

/** Set by `unshare` (Podman's name for it). */
const INSIDE = '_CONTAINERS_USERNS_CONFIGURED';

/** A mount would be seen by nobody outside of the namespaces: an ordinary user has to be inside them himself. Throws NOT_SUPPORTED. */
export function refuseOutsideUnshare(context: CommandContext, engine: Engine): void {
  if (!engine.identity.rootless || context.env[INSIDE] !== undefined) return;
  throw new EngineError(
    'NOT_SUPPORTED',
    `cannot run command "${context.program} ${context.path}" in rootless mode, must execute \`${context.program} unshare\` first`,
  );
}
