/** Whose Quadlet files they are, and which systemd reads them. */
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { managerScope, systemctl } from '../../host/service-manager.ts';
import type { SearchUser } from './search.ts';

export interface QuadletPlace extends SearchUser {
  /** bin/lichen */
  readonly launcher: string;
  /** `~/.config/containers` */
  readonly config: string;
}

/** Root's is the machine's, also where root works in a namespace of its own. */
export function scopeOf({ rootless, env }: QuadletPlace): readonly string[] | undefined {
  return managerScope({ rootless }, env);
}

/** Without a systemd there is nobody to tell. */
export async function reloadSystemd(place: QuadletPlace): Promise<void> {
  const scope = scopeOf(place);
  if (scope === undefined) {
    log.debug(() => 'no systemd to reload');
    return;
  }
  await systemctl(scope, ['daemon-reload']);
}

export function notFound(name: string): EngineError {
  return new EngineError('NO_SUCH_OBJECT', `could not locate quadlet "${name}" in any supported quadlet directory: no such quadlet`, {
    hint: 'List them with: lichen quadlet list',
  });
}
