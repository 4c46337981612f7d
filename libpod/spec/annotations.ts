import type { ContainerConfig } from './container.ts';
import { KEEP_GROUPS } from './user.ts';

/** Annotations that every started container carries; systemd reads those in its name when the runtime makes the scope. */
export function startAnnotations(config: ContainerConfig): Readonly<Record<string, string>> {
  return {
    'io.container.manager': 'libpod',
    'org.opencontainers.image.stopSignal': String(config.stopSignal),
    'org.systemd.property.KillSignal': String(config.stopSignal),
    'org.systemd.property.TimeoutStopUSec': `uint64 ${config.stopTimeoutSeconds * 1_000_000}`,
    ...(config.groupAdd.includes(KEEP_GROUPS) && { 'run.oci.keep_original_groups': '1' }),
  };
}
