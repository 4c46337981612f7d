import { EngineError } from '../../core/errors.ts';
import { packageWords } from '../../host/distribution.ts';
import { findProgram } from '../../host/search.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Monitor } from './monitor.ts';

export interface MonitorChoice {
  /** `--conmon` or LICHEN_MONITOR: a name or a path of conmon, or `embedded`. Absent: conmon where it is installed. */
  readonly wanted?: string | undefined;
  /** [engine] conmon_path of containers.conf: paths of the binary, tried first. */
  readonly directories: readonly string[];
  readonly runtime: Runtime;
  /** Where exit files go: `<exitDirectory>/<id>`. */
  readonly exitDirectory: string;
  readonly systemdCgroup: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const EMBEDDED = 'embedded';

const DIRECTORIES = [
  '/usr/libexec/podman',
  '/usr/local/libexec/podman',
  '/usr/local/lib/podman',
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
] as const;

/** Throws HELPER_MISSING: the conmon that was asked for is not there. */
export async function openMonitor(choice: MonitorChoice): Promise<Monitor> {
  const path = findConmon(choice);
  if (path === undefined) return new (await import('./embedded.ts')).EmbeddedMonitor(choice);
  return new (await import('./conmon.ts')).Conmon(path, choice);
}

/** The path of conmon, or undefined for the monitor of our own. Throws HELPER_MISSING. */
export function findConmon({ wanted, directories }: Pick<MonitorChoice, 'wanted' | 'directories'>): string | undefined {
  if (wanted === EMBEDDED) return undefined;
  const configured = directories.find((file) => findProgram(file) !== undefined);
  if (wanted === undefined && configured !== undefined) return configured;
  const path = findProgram(wanted ?? 'conmon', DIRECTORIES);
  if (path !== undefined || wanted === undefined) return path;
  throw new EngineError('HELPER_MISSING', `${wanted}: not found`, {
    hint: `Install it (${packageWords('conmon')}), or use lichen's own: --conmon ${EMBEDDED}.`,
  });
}
