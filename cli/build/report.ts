/** What a build says while it runs: Podman's lines on stdout. */
import type { BuildEvent } from '../../build/request.ts';
import type { Printer } from '../print.ts';

export interface BuildReport {
  readonly tell: (event: BuildEvent) => void;
}

const SHOWN = 12;

export interface ReportSettings {
  readonly quiet: boolean;
  /** How many the file has. */
  readonly stages: number;
  /** Of what is built now, where that is for several. */
  readonly platform?: string | undefined;
}

/** Nothing is said where `quiet`. */
export function buildReport(stdout: Printer, { quiet, stages, platform }: ReportSettings): BuildReport {
  const whole = platform === undefined ? '' : `[${platform}] `;
  const prefix = (stage: number): string => whole + (stages > 1 ? `[${stage + 1}/${stages}] ` : '');
  if (quiet) return { tell: () => undefined };
  return {
    tell: (event) => {
      if (event.kind === 'step') stdout.line(`${prefix(event.stage)}STEP ${event.number}/${event.of}: ${event.text}`);
      else if (event.kind === 'cached') stdout.line(`--> Using cache ${event.id}`);
      else if (event.kind === 'done' && !event.isLast) stdout.line(`--> ${event.id.slice(0, SHOWN)}`);
    },
  };
}
