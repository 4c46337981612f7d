/** `--progress`: who tells of a build. */
import { JsonReport } from './json-events.ts';
import { LiveReport } from './live.ts';
import { PlainReport, SilentReport } from './plain.ts';
import type { BuildReport, ReportSettings } from './report.ts';

export function buildReport(settings: ReportSettings): BuildReport {
  const { progress, stdout } = settings;
  if (progress === 'quiet') return new SilentReport(settings);
  if (progress === 'rawjson') return new JsonReport(settings);
  return progress === 'tty' || (progress === 'auto' && stdout.isTerminal()) ? new LiveReport(settings) : new PlainReport(settings);
}
