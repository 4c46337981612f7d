/** What a build says while it runs: Podman's lines, steps that change under one's eyes, or events as JSON. */
import type { BuildEvent } from '../../build/request.ts';
import type { StepOutput } from '../../libpod/build/container.ts';
import type { Printer } from '../print.ts';

export interface BuildReport extends Disposable {
  tell(event: BuildEvent): void;
  /** Where RUN of a stage writes to. */
  output(stage: number): StepOutput;
  /** Of the build as a whole. */
  line(text: string): void;
  /** Shows what the steps under way have said, where that was held back. */
  fail(error: unknown): void;
}

export const PROGRESS = ['auto', 'plain', 'tty', 'quiet', 'rawjson'] as const;

export interface ReportSettings {
  readonly progress: (typeof PROGRESS)[number];
  readonly stdout: Printer;
  readonly stderr: Printer;
  /** How many the file has. */
  readonly stages: number;
  /** Of what is built now, where that is for several. */
  readonly platform?: string | undefined;
  /** A directory for what steps say, as long as they run. */
  readonly scratch: string;
}

/** `[linux/arm64] [2/3] ` */
export function stagePrefix({ stages, platform }: Pick<ReportSettings, 'stages' | 'platform'>, stage: number): string {
  return (platform === undefined ? '' : `[${platform}] `) + (stages > 1 ? `[${stage + 1}/${stages}] ` : '');
}

/** Podman's. */
export function repositoryWords(event: Extract<BuildEvent, { readonly kind: 'fetched' | 'sending' }>): string {
  return event.kind === 'fetched' ? `Cache pulled from remote ${event.from}` : `Pushing cache ${event.to}`;
}
