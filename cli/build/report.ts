/** What a build says while it runs: Podman's lines on stdout. */
import type { BuildEvent } from '../../build/request.ts';
import type { Printer } from '../print.ts';

export interface BuildReport {
  readonly tell: (event: BuildEvent) => void;
}

const SHOWN = 12;

/** `stages`: how many the file has. Nothing is said where `quiet`. */
export function buildReport(stdout: Printer, { quiet, stages }: { readonly quiet: boolean; readonly stages: number }): BuildReport {
  const prefix = (stage: number): string => (stages > 1 ? `[${stage + 1}/${stages}] ` : '');
  if (quiet) return { tell: () => undefined };
  return {
    tell: (event) => {
      if (event.kind === 'step') stdout.line(`${prefix(event.stage)}STEP ${event.number}/${event.of}: ${event.text}`);
      else if (event.kind === 'cached') stdout.line(`--> Using cache ${event.id}`);
      else if (event.kind === 'done' && !event.isLast) stdout.line(`--> ${event.id.slice(0, SHOWN)}`);
    },
  };
}
