/** What a container's /etc/localtime holds (localtime(5)): a copy, because the image may have no zones of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';

const ZONES = '/usr/share/zoneinfo';

/** The zone file's bytes; `local` is the host's zone, undefined where it has set none. Throws INVALID_ARGUMENT with Podman's words. */
export function readTimezone(name: string): Buffer | undefined {
  if (name === 'local') return bytesIfThere('/etc/localtime');
  const words = 'running container create option: finding timezone';
  if (name.startsWith('/') || name.includes('..')) throw new EngineError('INVALID_ARGUMENT', `${words}: time: invalid location name`);
  const zone = bytesIfThere(join(ZONES, name));
  if (zone?.subarray(0, 4).toString('latin1') === 'TZif') return zone;
  throw new EngineError('INVALID_ARGUMENT', `${words}: unknown time zone ${name}`);
}

function bytesIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
